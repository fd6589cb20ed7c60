package pushbridge.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.ConfigReference;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.Machine;
import pushbridge.delivery.OfflinePolicy;

final class CliTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<EffectiveConfig> served = new ArrayList<>();
    private final List<Publisher.Request> published = new ArrayList<>();

    private Serve serve = config -> {
        served.add(config);
        return ExitCode.OK;
    };
    private Publisher.Result answer = new Publisher.Result(Publisher.Outcome.CONFIRMED, "");

    // serve

    @Test
    void serveIsGivenTheConfiguration() {
        assertThat(run(
                        Map.of("PUSHBRIDGE_AUTH_MODE", "dev"),
                        "serve",
                        "--set",
                        "amqp.prefix=p",
                        "--set=amqp.prefetch=9"))
                .isZero();
        assertThat(served).singleElement().satisfies(config -> {
            assertThat(config.values().amqp().prefix()).isEqualTo("p");
            assertThat(config.values().amqp().prefetch()).isEqualTo(9);
        });
        assertThat(out()).isEmpty();
        assertThat(err()).isEmpty();
    }

    @Test
    void exitCodeOfServeIsPassedOn() {
        serve = config -> ExitCode.UNAVAILABLE;
        assertThat(run("serve", "--set", "auth.mode=dev")).isEqualTo(69);
    }

    @Test
    void configurationProblemsAreListedWithoutAStackTrace() {
        assertThat(run("serve", "--set", "socket.prt=1", "--set", "socket.port=x"))
                .isEqualTo(78);
        assertThat(served).isEmpty();
        assertThat(err().lines())
                .hasSize(4)
                .first()
                .asString()
                .isEqualTo("pushbridge: 3 problems in the configuration:");
        assertThat(err())
                .contains("pushbridge.socket.prt (from command line)")
                .contains("pushbridge.socket.port (from command line)")
                .contains("pushbridge.auth.mode (not set)");
    }

    @Test
    void missingFileIsTheOnlyProblemThatIsTold() {
        assertThat(run("serve", "--config", "/does/not/exist.yaml")).isEqualTo(78);
        assertThat(err().lines())
                .containsExactly(
                        "pushbridge: 1 problem in the configuration:",
                        "  " + Path.of("/does/not/exist.yaml") + ": there is no such file");
    }

    @Test
    void internalErrorIsASentenceWithoutSecrets() {
        serve = config -> {
            throw new IllegalStateException("cannot use amqp://u:hidden@h");
        };
        assertThat(run("serve", "--set", "auth.mode=dev")).isEqualTo(70);
        assertThat(err())
                .startsWith("pushbridge: internal error: java.lang.IllegalStateException: cannot use amqp://u:***@h")
                .doesNotContain("hidden")
                .doesNotContain("at pushbridge.");
    }

    // publish

    @Test
    void publishSendsTheEnvelopeWithThePayloadAsGiven() {
        assertThat(run(
                        "publish",
                        "user.42",
                        "chat \"message\"",
                        "{ \"text\": \"h\u00e9llo \uD83D\uDC4B\" }",
                        "--seq",
                        "7",
                        "--offline",
                        "dead-letter",
                        "--expiration",
                        "90s",
                        "--message-id",
                        "m1"))
                .isZero();
        assertThat(published).singleElement().satisfies(request -> {
            assertThat(new String(request.body(), StandardCharsets.UTF_8))
                    .isEqualTo("{\"type\":\"chat \\\"message\\\"\",\"seq\":7,\"payload\":{ \"text\": \"h\u00e9llo"
                            + " \uD83D\uDC4B\" }}");
            assertThat(request.address()).isEqualTo("user.42");
            assertThat(request.offline()).isEqualTo(OfflinePolicy.DEAD_LETTER);
            assertThat(request.expiration()).isEqualTo(Duration.ofSeconds(90));
            assertThat(request.messageId()).isEqualTo("m1");
        });
        assertThat(out().strip()).isEqualTo("routed and confirmed");
    }

    @Test
    void publishNeedsNoOptions() {
        assertThat(run("publish", "all", "t", "{}")).isZero();
        assertThat(published).singleElement().satisfies(request -> {
            assertThat(new String(request.body(), StandardCharsets.UTF_8))
                    .matches("\\{\"type\":\"t\",\"seq\":[1-9][0-9]{15},\"payload\":\\{\\}\\}");
            assertThat(request.offline()).isNull();
            assertThat(request.expiration()).isNull();
            assertThat(request.messageId()).isNull();
        });
    }

    @Test
    void expirationWithoutAUnitIsInMilliseconds() {
        assertThat(run("publish", "all", "t", "{}", "--expiration=1500")).isZero();
        assertThat(published)
                .singleElement()
                .satisfies(request -> assertThat(request.expiration()).hasMillis(1500));
    }

    @ParameterizedTest
    @CsvSource({
        "RETURNED, 69, 'returned: nobody takes it, the exchange or its queue is missing (why); is the bridge running?'",
        "REFUSED, 75, 'refused by the broker (why); is its queue full?'",
        "NO_ANSWER, 75, 'no answer from the broker in time (why); it may have been published or not'",
        "UNREACHABLE, 69, 'the broker cannot be reached (why); nothing was published'",
    })
    void everyOtherOutcomeIsSaidAndIsAFailure(Publisher.Outcome outcome, int exitCode, String sentence) {
        answer = new Publisher.Result(outcome, "why");
        assertThat(run("publish", "user.1", "t", "{}")).isEqualTo(exitCode);
        assertThat(err().strip()).isEqualTo(sentence);
        assertThat(out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "user.1 | [] | PAYLOAD_JSON must be a JSON object such as '{\"text\":\"hello\"}', not of type array",
                "user.1 | 5 | PAYLOAD_JSON must be a JSON object",
                "user.1 | `` | PAYLOAD_JSON must be a JSON object",
                "user.1 | {text:1} | PAYLOAD_JSON is not valid JSON",
                "user.1 | {\"a\":1 | PAYLOAD_JSON is not valid JSON",
                "user.1 | {\"a\":1}} | PAYLOAD_JSON is not valid JSON",
                "user.1 | {\"a\":1,\"a\":2} | PAYLOAD_JSON is not valid JSON",
                "user.1 | {\"a\":\"\uFFFD\"} | set LC_ALL=C.UTF-8",
                "user.  | {} | names nobody",
                "bob | {} | is no address",
            })
    void invalidDataIsRefusedBeforeConnecting(String address, String payload, String sentence) {
        assertThat(run("publish", address, "t", payload)).isEqualTo(65);
        assertThat(err().lines())
                .singleElement()
                .asString()
                .startsWith("pushbridge: ")
                .contains(sentence);
        assertThat(published).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "9007199254740992"})
    void sequenceNumberOutsideWhatJavaScriptHoldsIsRefused(String seq) {
        assertThat(run("publish", "all", "t", "{}", "--seq=" + seq)).isEqualTo(65);
        assertThat(err()).contains("outside 0 to 2^53-1");
    }

    @Test
    void publishNeedsNoAuthModeButRefusesAWrongConfiguration() {
        assertThat(run("publish", "all", "t", "{}", "--set", "amqp.uri=redis://u:hidden@h"))
                .isEqualTo(78);
        assertThat(err()).contains("pushbridge.amqp.uri (from command line)").doesNotContain("hidden");
        assertThat(published).isEmpty();
    }

    // the rest

    @Test
    void versionIsPrinted() {
        assertThat(run("version")).isZero();
        assertThat(out()).matches("pushbridge [0-9]+\\.[0-9]+\\.[0-9]+\\S* \\(Java .+\\)\\R");
    }

    @Test
    void configDocPrintsTheReference() {
        assertThat(run("config-doc")).isZero();
        assertThat(out()).isEqualTo(ConfigReference.markdown());
    }

    @ParameterizedTest
    @CsvSource({
        "'', Missing command",
        "'server', Unmatched argument",
        "'publish user.1', Missing required parameters",
        "'publish all t {} --seq=x', Invalid value for option '--seq'",
        "'publish all t {} --offline=never', 'it must be hold, drop or dead-letter'",
        "'publish all t {} --expiration=5d', unknown unit",
        "'serve --colour', Unknown option",
        "'serve amqp://u:hidden@h', Unmatched argument",
    })
    void wrongCommandLineIsTwoLinesAndExitCode2(String line, String sentence) {
        String[] args =
                Arrays.stream(line.split(" ", -1)).filter(arg -> !arg.isEmpty()).toArray(String[]::new);
        assertThat(run(args)).isEqualTo(2);
        assertThat(err())
                .startsWith("pushbridge: ")
                .contains(sentence, "--help")
                .doesNotContain("hidden");
        assertThat(err().lines()).hasSize(2);
        assertThat(out()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"serve", "publish", "version", "config-doc"})
    void helpNamesTheExitCodes(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out()).contains("Usage: pushbridge " + command);
        for (ExitCode code : ExitCode.values()) {
            assertThat(out()).containsPattern("(?m)^ +" + code.number() + " +\\S");
        }
    }

    @Test
    void helpOfTheWholeListsTheCommands() {
        assertThat(run("--help")).isZero();
        assertThat(out()).contains("serve", "publish", "version", "config-doc");
    }

    @Test
    void verboseShowsWhereAnInternalErrorCameFrom() {
        Publisher failing = (amqp, request) -> {
            throw new IllegalStateException("amqp://u:hidden@h");
        };
        Cli cli = new Cli(serve, failing, new Machine(2L << 30, 2));
        String[] quiet = {"publish", "all", "t", "{}"};
        assertThat(cli.run(quiet, Map.of(), print(out), print(err))).isEqualTo(70);
        assertThat(err()).contains("--verbose").doesNotContain("\tat ");
        err.reset();
        String[] verbose = {"publish", "all", "t", "{}", "--verbose"};
        assertThat(cli.run(verbose, Map.of(), print(out), print(err))).isEqualTo(70);
        assertThat(err()).contains("\tat ").doesNotContain("hidden");
    }

    private int run(String... args) {
        return run(Map.of(), args);
    }

    private int run(Map<String, String> environment, String... args) {
        Publisher publisher = (amqp, request) -> {
            published.add(request);
            return answer;
        };
        return new Cli(serve, publisher, new Machine(2L << 30, 2)).run(args, environment, print(out), print(err));
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
