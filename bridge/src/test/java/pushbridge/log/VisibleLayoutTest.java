package pushbridge.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.KeyValuePair;

/** What the product's own logback.xml makes of hostile text, wherever in an event it stands. */
final class VisibleLayoutTest {

    private static final String ATTACK =
            "ann\n2026-01-01T00:00:00.000Z INFO  [main] Audit: who=\"root\"\r\u001b[2K\u202egnp\u2028\u0085\u0000\ud800";

    private final LoggerContext context = new LoggerContext();

    @ParameterizedTest
    @CsvSource({
        "10, \\n",
        "13, \\r",
        "9, \\t",
        "27, \\u001b",
        "0, \\u0000",
        "127, \\u007f",
        "155, \\u009b",
        "133, \\u0085",
        "8232, \\u2028",
        "8233, \\u2029",
        "8238, \\u202e",
        "8297, \\u2069",
        "8203, \\u200b",
        "8205, \\u200d",
        "65279, \\ufeff",
        "173, \\u00ad",
        "917505, \\udb40\\udc01",
        "55296, \\ud800",
        "56320, \\udc00"
    })
    void whatCannotBeSeenIsEscaped(int character, String shown) {
        assertThat(VisibleText.of("a" + Character.toString(character) + "b", 100))
                .isEqualTo("a" + shown + "b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Grüße 👋🏽 日本語 \\ \" ' <b> %s {}", "two  spaces"})
    void whatCanBeSeenStays(String text) {
        assertThat(VisibleText.of(text, 100)).isEqualTo(text);
    }

    @Test
    void whatIsLongIsCutAndSaysHowLongItWas() {
        assertThat(VisibleText.of("x".repeat(5000), 100)).isEqualTo("x".repeat(100) + "… (5000 characters)");
        assertThat(VisibleText.of("👋".repeat(3), 3)).isEqualTo("👋… (6 characters)");
        assertThat(VisibleText.of("amqp://u:" + "p".repeat(20) + "@host/" + "x".repeat(100), 20))
                .doesNotContain("ppp");
    }

    @Test
    void passwordsAndTokensAreMaskedWhereverTheyStand() {
        assertThat(VisibleText.of("at amqp://u:hidden@host/ failed", 100)).isEqualTo("at amqp://u:***@host/ failed");
        assertThat(VisibleText.of("got bearer.eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl, no", 200))
                .isEqualTo("got bearer.***, no");
    }

    @Test
    void aMessageIsOneLine() throws Exception {
        String line = logged("user {} came", null, ATTACK);
        assertThat(line).matches("\\S+ INFO  \\[\\S+ ?\\S*] VisibleLayoutTest: user ann\\\\n.* came\n");
        assertThat(line.substring(0, line.length() - 1).codePoints())
                .allMatch(c -> c >= ' ' && c != 0x7f && c != 0x202e && c != 0x2028 && c != 0x85 && c != 0xd800);
    }

    @Test
    void theLinesOfAStackTraceAreItsOwn() throws Exception {
        Exception thrown = new IllegalStateException(ATTACK, new IllegalArgumentException(ATTACK));
        thrown.addSuppressed(new IllegalArgumentException(ATTACK));
        String lines = logged("failed", thrown);
        assertThat(lines.lines().skip(1))
                .hasSizeGreaterThan(3)
                .allMatch(line -> line.startsWith("\tat ")
                        || line.startsWith("java.lang.IllegalStateException: ann\\n")
                        || line.startsWith("Caused by: java.lang.IllegalArgumentException: ann\\n")
                        || line.startsWith("\tSuppressed: java.lang.IllegalArgumentException: ann\\n")
                        || line.startsWith("\t\tat ")
                        || line.matches("\t+\\.\\.\\. \\d+ (common frames omitted|more)"));
    }

    /** Whoever changes the pattern cannot open the door again. */
    @Test
    void noConversionWordLetsItThrough() {
        VisibleLayout layout = new VisibleLayout();
        layout.setContext(context);
        layout.setPattern("%m|%message|%kvp|%mdc|%thread|%logger|%ex|%xEx|%rEx|%nopex");
        layout.start();
        LoggingEvent event = new LoggingEvent(
                "x", context.getLogger("lo\ngger"), Level.INFO, ATTACK, new IllegalStateException(ATTACK), null);
        event.setThreadName("th\nread");
        event.setMDCPropertyMap(java.util.Map.of("k", ATTACK));
        event.setKeyValuePairs(List.of(new KeyValuePair("key", ATTACK)));
        String lines = layout.doLayout(event);
        assertThat(lines).contains("th\\nread", "lo\\ngger", "key=\"ann\\n", "k=ann\\n");
        assertThat(lines.codePoints().filter(c -> c != '\n' && c != '\t'))
                .noneMatch(c -> c < ' ' || c == 0x7f || c == 0x202e || c == 0x2028 || c == 0x85 || c == 0xd800);
        assertThat(lines.lines()).noneMatch(line -> line.startsWith("2026-01-01"));
    }

    private String logged(String message, @Nullable Throwable thrown, Object... arguments) throws Exception {
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(VisibleLayoutTest.class.getResource("/logback.xml"));
        Logger logger = context.getLogger(VisibleLayoutTest.class);
        Encoder<ILoggingEvent> encoder =
                ((ConsoleAppender<ILoggingEvent>) context.getLogger("ROOT").getAppender("STDERR")).getEncoder();
        LoggingEvent event = new LoggingEvent("x", logger, Level.INFO, message, thrown, arguments);
        return new String(encoder.encode(event), StandardCharsets.UTF_8);
    }
}
