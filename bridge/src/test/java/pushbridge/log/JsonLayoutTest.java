package pushbridge.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class JsonLayoutTest {

    private final LoggerContext context = new LoggerContext();
    private final JsonLayout layout = new JsonLayout();

    JsonLayoutTest() {
        layout.setContext(context);
        layout.start();
    }

    @Test
    void anEventIsOneObjectOnOneLine() {
        JsonNode line =
                line("Dead letter for {}\n", null, List.of(new KeyValuePair("address", "user.4\"2\n{}")), "user.1");
        assertThat(line.path("level").asString()).isEqualTo("WARN");
        assertThat(line.path("logger").asString()).isEqualTo("some.Class");
        assertThat(line.path("message").asString()).isEqualTo("Dead letter for user.1\\n");
        assertThat(line.path("address").asString()).isEqualTo("user.4\"2\\n{}");
        assertThat(line.path("time").asString()).matches("20..-..-..T.*Z");
        assertThat(line.has("exception")).isFalse();
    }

    @Test
    void aStackTraceIsOneMemberAndSecretsInItAreMasked() {
        JsonNode line = line("failed", new IllegalStateException("amqp://u:hidden@host/ is away"), List.of());
        assertThat(line.path("exception").asString())
                .startsWith("java.lang.IllegalStateException: amqp://u:***@host/ is away")
                .contains("JsonLayoutTest");
    }

    @Test
    void nobodyReplacesAMemberOfTheEventItself() {
        assertThat(line("true", null, List.of(new KeyValuePair("message", "false")))
                        .path("message")
                        .asString())
                .isEqualTo("true");
    }

    private JsonNode line(String message, @Nullable Throwable thrown, List<KeyValuePair> pairs, Object... arguments) {
        Logger logger = context.getLogger("some.Class");
        LoggingEvent event = new LoggingEvent("x", logger, Level.WARN, message, thrown, arguments);
        event.setKeyValuePairs(pairs);
        String text = layout.doLayout(event);
        assertThat(text).endsWith("}\n").doesNotContainPattern("\n.");
        return JsonMapper.shared().readTree(text);
    }
}
