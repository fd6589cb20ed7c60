package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import pushbridge.admin.AdminServer;
import pushbridge.admin.Health;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.config.AdminConfig;
import pushbridge.testing.Ports;

/** How much is logged, looked at and changed while the process runs: by the command, and over HTTP. */
final class LogLevelTest {

    private static final String TOKEN = "correct-horse-battery-staple-and-more";

    /** Of this test alone; the levels are those of the whole process. */
    private static final String OURS = "nobody.logs.here.LogLevelTest";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private AdminServer admin;

    @BeforeEach
    void start() throws IOException {
        admin = new AdminServer(
                new AdminConfig("127.0.0.1", 0, TOKEN, 64, 1 << 20, null, null),
                () -> new Health(true, true, Map.of(), Map.of(), List.of()),
                () -> "",
                null);
        LogRoutes.register(admin);
        admin.start();
    }

    @AfterEach
    void stop() {
        admin.stop();
    }

    private int logLevel(String token, int port, String... arguments) {
        List<String> all = new ArrayList<>(List.of("log-level", "--set=admin.port=" + port));
        all.addAll(List.of(arguments));
        Cli cli = new Cli(config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open);
        return cli.run(all.toArray(String[]::new), Map.of("PUSHBRIDGE_ADMIN_TOKEN", token), print(out), print(err));
    }

    private int logLevel(String... arguments) {
        return logLevel(TOKEN, admin.port(), arguments);
    }

    @Test
    void aLevelIsChangedAndThenShown() {
        assertThat(logLevel("trace", "--logger", OURS)).isZero();
        assertThat(text(out)).isEqualTo(OURS + ": trace\n");
        assertThat(LoggerFactory.getLogger(OURS).isTraceEnabled()).isTrue();

        assertThat(logLevel("error", "--logger", OURS)).isZero();
        assertThat(LoggerFactory.getLogger(OURS).isWarnEnabled()).isFalse();

        out.reset();
        assertThat(logLevel()).isZero();
        assertThat(text(out).lines()).contains("error  " + OURS).anyMatch(line -> line.endsWith("  ROOT"));
        assertThat(text(err)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "loud  | nobody.logs.here | level must be one of error, warn, info, debug, trace.",
                "debug | no name          | logger must be the name of a class or package, or ROOT.",
            })
    void whatIsNoLevelOrNoLoggerIs65(String level, String logger, String sentence) {
        assertThat(logLevel(level, "--logger", logger)).isEqualTo(65);
        assertThat(text(err)).isEqualTo("pushbridge: " + sentence + "\n");
        assertThat(text(out)).isEmpty();
    }

    @Test
    void aWrongTokenIs77AndNothingChanges() {
        assertThat(logLevel(
                        "another-token-than-the-one-of-the-bridge", admin.port(), "debug", "--logger", OURS + ".no"))
                .isEqualTo(77);
        assertThat(text(err)).contains("another pushbridge.admin.token");
        assertThat(LoggerFactory.getLogger(OURS + ".no").isDebugEnabled()).isFalse();
    }

    @Test
    void noBridgeIs69AndTooManyWordsAre2() {
        assertThat(logLevel(TOKEN, Ports.free(), "debug")).isEqualTo(69);
        assertThat(text(err)).startsWith("pushbridge: no bridge answers at http://127.0.0.1:");
        assertThat(logLevel("debug", "info")).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"logger\":\"nobody.logs.here\",\"level\":\"DEBUG\"} | 400 | bad-level",
                "{\"logger\":\"nobody.logs.here\"}                     | 400 | bad-level",
                "{\"logger\":\"../../etc\",\"level\":\"debug\"}        | 400 | bad-logger",
                "[]                                                    | 400 | malformed",
                "{\"logger\":\"nobody.logs.here.LogLevelTest\",\"level\":\"debug\"} | 200 | \"level\":\"debug\"",
            })
    void overHttp(String body, int status, String part) throws Exception {
        HttpResponse<String> response = TestBridge.HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin.port() + "/api/log/levels"))
                        .header("Authorization", "Bearer " + TOKEN)
                        .header("Content-Type", "application/json")
                        .header("X-Pushbridge-Request", "1")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.body()).contains(part);
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
