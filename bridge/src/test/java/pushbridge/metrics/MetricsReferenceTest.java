package pushbridge.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class MetricsReferenceTest {

    @Test
    void theReferenceInTheRepositoryIsUpToDate() throws IOException {
        Path file = Path.of(System.getProperty("pushbridge.root", ".."), "bridge", "METRICS.md");
        assertThat(Files.readString(file))
                .as(
                        "bridge/METRICS.md is stale: regenerate it with `bridge/target/pushbridge/bin/pushbridge metrics-doc"
                                + " > bridge/METRICS.md`")
                .isEqualTo(MetricsReference.markdown());
    }

    @Test
    void aScrapeShowsEveryMetricUnderItsDocumentedName() {
        try (MetricsRegistry registry = new MetricsRegistry()) {
            for (Metric metric : Metric.values()) {
                if (metric.label() == null) {
                    registry.register(metric, () -> 42);
                } else {
                    registry.register(metric, "x", () -> 42);
                }
            }
            String scrape = registry.scrape();
            for (Metric metric : Metric.values()) {
                String labels = metric.label() == null ? "" : "{" + metric.label() + "=\"x\"}";
                assertThat(scrape).contains("\n" + metric.scrapedName() + labels + " 42.0\n");
            }
        }
    }
}
