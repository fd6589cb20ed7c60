package pushbridge.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import pushbridge.timing.Durations;

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
    void aMetricKeepsItsValueThroughGarbageCollections() {
        try (MetricsRegistry registry = new MetricsRegistry()) {
            for (Metric metric : List.of(Metric.INSTRUCTIONS_RECEIVED, Metric.LANES)) {
                int value = metric.name().length();
                registry.register(metric, () -> value);
            }
            WeakReference<Object> garbage = new WeakReference<>(new Object());
            Awaitility.await("a collection").until(() -> {
                System.gc();
                return garbage.get() == null;
            });
            assertThat(registry.scrape())
                    .contains("\npushbridge_instructions_received_total 21.0\n")
                    .contains("\npushbridge_lanes 5.0\n");
        }
    }

    @Test
    void aScrapeShowsEveryMetricUnderItsDocumentedName() {
        try (MetricsRegistry registry = new MetricsRegistry()) {
            for (Metric metric : Metric.values()) {
                if (metric.kind() == Metric.Kind.HISTOGRAM) {
                    registry.register(metric, new Durations());
                } else if (metric.label() == null) {
                    registry.register(metric, () -> 42);
                } else {
                    registry.register(metric, "x", () -> 42);
                }
            }
            String scrape = registry.scrape();
            for (Metric metric : Metric.values()) {
                if (metric.kind() == Metric.Kind.HISTOGRAM) {
                    assertThat(scrape).contains("\n" + metric.scrapedName() + "_bucket{le=\"0.005\"} 0\n");
                    continue;
                }
                String labels = metric.label() == null ? "" : "{" + metric.label() + "=\"x\"}";
                assertThat(scrape).contains("\n" + metric.scrapedName() + labels + " 42.0\n");
            }
        }
    }

    @Test
    void durationsAreScrapedAsAHistogramInSeconds() {
        Durations durations = new Durations();
        durations.record(0);
        durations.record(5);
        durations.record(6);
        durations.record(1_000_000);
        durations.record(-3);
        try (MetricsRegistry registry = new MetricsRegistry()) {
            registry.register(Metric.SETTLE, durations);
            assertThat(registry.scrape())
                    .contains("# TYPE pushbridge_settle_seconds histogram\n")
                    .contains("\npushbridge_settle_seconds_bucket{le=\"0.001\"} 2\n")
                    .contains("\npushbridge_settle_seconds_bucket{le=\"0.005\"} 3\n")
                    .contains("\npushbridge_settle_seconds_bucket{le=\"0.01\"} 4\n")
                    .contains("\npushbridge_settle_seconds_bucket{le=\"600.0\"} 4\n")
                    .contains("\npushbridge_settle_seconds_bucket{le=\"+Inf\"} 5\n")
                    .contains("\npushbridge_settle_seconds_count 5\n")
                    .contains("\npushbridge_settle_seconds_sum 1000.011\n");
        }
        assertThat(durations.negative()).isEqualTo(1);
    }
}
