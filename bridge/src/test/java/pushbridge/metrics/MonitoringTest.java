package pushbridge.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The dashboard and the alert rules speak of metrics that there are. */
final class MonitoringTest {

    private static final Path FOLDER = Path.of(System.getProperty("pushbridge.root", ".."), "docker", "monitoring");

    private static final Pattern NAME = Pattern.compile("\\b(pushbridge|jvm|process|rabbitmq|resilience4j)_[a-z0-9_]+");

    @Test
    void theRulesNameOnlyMetricsOfTheReference() throws IOException {
        String rules = Files.readString(FOLDER.resolve("pushbridge-alerts.yml"));
        assertThat(named(rules)).hasSizeGreaterThan(15).isSubsetOf(known());
    }

    @Test
    void theDashboardNamesOnlyMetricsOfTheReference() throws IOException {
        JsonNode dashboard =
                JsonMapper.shared().readTree(Files.readString(FOLDER.resolve("pushbridge-dashboard.json")));
        Set<Integer> ids = new HashSet<>();
        StringBuilder expressions = new StringBuilder();
        for (JsonNode panel : dashboard.path("panels")) {
            assertThat(ids.add(panel.path("id").asInt()))
                    .as("the id of " + panel)
                    .isTrue();
            assertThat(panel.path("title").asString()).isNotEmpty();
            for (JsonNode target : panel.path("targets")) {
                expressions.append(target.path("expr").asString()).append('\n');
            }
        }
        assertThat(named(expressions.toString())).hasSizeGreaterThan(30).isSubsetOf(known());
    }

    @Test
    void theNamesOfAlertsAndPanelsAreToldApart() throws IOException {
        // The check above is worth nothing if it takes what is not there.
        assertThat(named("rate(pushbridge_settle_seconds_bucket[5m]) + jvm_memory_usd_bytes"))
                .containsExactly("jvm_memory_usd_bytes", "pushbridge_settle_seconds_bucket");
        assertThat(known()).contains("pushbridge_settle_seconds_bucket").doesNotContain("jvm_memory_usd_bytes");
    }

    private static Set<String> named(String text) {
        Set<String> names = new TreeSet<>();
        for (Matcher found = NAME.matcher(text); found.find(); ) {
            names.add(found.group());
        }
        return names;
    }

    private static Set<String> known() {
        Set<String> names = new HashSet<>();
        for (Metric metric : Metric.values()) {
            if (metric.kind() == Metric.Kind.HISTOGRAM) {
                List.of("_bucket", "_sum", "_count").forEach(end -> names.add(metric.scrapedName() + end));
            }
            names.add(metric.scrapedName());
        }
        Arrays.stream(LibraryMetric.values())
                .map(LibraryMetric::scrapedName)
                .flatMap(name -> name.equals("jvm_gc_pause_seconds")
                        ? Stream.of(name, name + "_sum", name + "_count", name + "_max")
                        : Stream.of(name))
                .forEach(names::add);
        return names;
    }
}
