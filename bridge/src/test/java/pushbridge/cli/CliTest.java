package pushbridge.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.amqp.Finding;
import pushbridge.amqp.Finding.Kind;
import pushbridge.amqp.Finding.State;
import pushbridge.config.AmqpConfig;
import pushbridge.config.ConfigReference;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.HoldConfig;
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
    private final List<AmqpConfig> compared = new ArrayList<>();
    private final List<Boolean> created = new ArrayList<>();

    private TopologyCheck.Result topology = new TopologyCheck.Checked(List.of());
    private Publisher.Result answer = new Publisher.Result(Publisher.Outcome.CONFIRMED, "");

    private static pushbridge.letters.LetterDesk noLetters() {
        throw new AssertionError("nothing here is about letters");
    }

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

    // check-config

    @Test
    void aValidConfigurationIsToldWithItsSourcesAndWithoutSecrets() {
        assertThat(run(
                        Map.of("PUSHBRIDGE_AUTH_MODE", "dev"),
                        "check-config",
                        "--set",
                        "amqp.uri=amqp://u:hidden@h/v",
                        "--set",
                        "amqp.prefetch=9",
                        "--set",
                        "amqp.prefix=push"))
                .isZero();
        assertThat(out().lines())
                .containsExactly(
                        "the configuration is valid; not at its default is:",
                        "  pushbridge.amqp.prefetch = 9 (from command line)",
                        "  pushbridge.amqp.uri = amqp://u:***@h/v (from command line)",
                        "  pushbridge.auth.mode = dev (from environment PUSHBRIDGE_AUTH_MODE)");
        assertThat(err()).isEmpty();
        assertThat(served).isEmpty();
        assertThat(compared).isEmpty();
    }

    @Test
    void checkConfigTellsWhatServeTells() {
        String[] wrong = {"--set", "socket.prt=1", "--set", "socket.port=x", "--set=amqp.uri=http://u:hidden@h"};
        assertThat(run(Map.of(), with("serve", wrong))).isEqualTo(78);
        String told = err();
        err.reset();
        assertThat(run(Map.of(), with("check-config", wrong))).isEqualTo(78);
        assertThat(err()).isEqualTo(told).startsWith("pushbridge: 4 problems").doesNotContain("hidden");
        assertThat(out()).isEmpty();
    }

    @Test
    void everyPayloadSchemaThatCannotBeUsedIsAProblem(@TempDir Path types) throws IOException {
        Files.writeString(types.resolve("fine.schema.json"), "{}");
        Path first = Files.writeString(types.resolve("a.schema.json"), "{");
        Path second = Files.writeString(types.resolve("b.schema.json"), "{\"type\":\"objekt\"}");
        String[] args = {"check-config", "--set", "auth.mode=dev", "--set", "message.types-dir=" + types};

        assertThat(run(args)).isEqualTo(78);
        assertThat(err().lines())
                .hasSize(3)
                .first()
                .asString()
                .isEqualTo("pushbridge: 2 problems in the configuration:");
        assertThat(err())
                .contains("  pushbridge.message.types-dir: the payload schema " + first + " cannot be used: it is not")
                .contains("  pushbridge.message.types-dir: the payload schema " + second + " cannot be used: /type");
        assertThat(out()).isEmpty();

        Files.delete(first);
        Files.delete(second);
        assertThat(run(args)).isZero();
    }

    // topology

    @Test
    void topologyIsToldOneLineAnObjectAligned() {
        topology = new TopologyCheck.Checked(List.of(
                new Finding(Kind.QUEUE, "p.dead", State.EXISTS, "1 message ready, 0 consumers"),
                new Finding(Kind.EXCHANGE, "p", State.DECLARED, ""),
                new Finding(Kind.BINDING, "p -> p.dead", State.BOUND, "why")));
        assertThat(run("topology", "--set", "amqp.prefix=p")).isZero();
        assertThat(out().lines())
                .containsExactly(
                        "queue     p.dead       exists       1 message ready, 0 consumers",
                        "exchange  p            declared",
                        "binding   p -> p.dead  bound        why",
                        "",
                        "Everything is as wanted now, 1 declared.");
        assertThat(err()).isEmpty();
        assertThat(created).containsExactly(true);
        assertThat(compared)
                .singleElement()
                .satisfies(amqp -> assertThat(amqp.prefix()).isEqualTo("p"));
    }

    @Test
    void dryRunDeclaresNothingAndAdmitsWhatItDidNotCheck() {
        topology = new TopologyCheck.Checked(List.of(
                new Finding(Kind.EXCHANGE, "p", State.EXISTS, ""),
                new Finding(Kind.BINDING, "p -> q", State.UNCHECKED, "why")));
        assertThat(run("topology", "--dry-run")).isZero();
        assertThat(created).containsExactly(false);
        assertThat(out())
                .contains("binding   p -> q  not checked  why")
                .contains("Every exchange, queue and stream is as wanted; bindings were not checked.");
    }

    @ParameterizedTest
    @CsvSource({
        "MISSING, missing, 'Not everything is as wanted: 1 missing (declare them without --dry-run'",
        "DIFFERS, differs, 'Not everything is as wanted: 1 not the same and left so (configure what exists'",
        "REFUSED, refused, 'Not everything is as wanted: 1 refused (give the user of amqp.uri the right'",
    })
    void whatIsNotAsWantedIsSaidWithTheRemedyAndIsExitCode1(State state, String word, String sentence) {
        topology = new TopologyCheck.Checked(List.of(
                new Finding(Kind.QUEUE, "p.dead", state, "why"), new Finding(Kind.EXCHANGE, "p", State.EXISTS, "")));
        assertThat(run("topology")).isEqualTo(1);
        assertThat(out())
                .containsPattern("(?m)^queue +p.dead +" + word + " +why$")
                .contains(sentence);
    }

    @Test
    void unreachableBrokerIsASentence() {
        topology = new TopologyCheck.Unreachable("RabbitMQ cannot be reached at h:1 (connection refused)");
        assertThat(run("topology")).isEqualTo(69);
        assertThat(err().lines()).containsExactly("pushbridge: RabbitMQ cannot be reached at h:1 (connection refused)");
        assertThat(out()).isEmpty();
    }

    @Test
    void topologyNeedsNoAuthModeButRefusesAWrongConfiguration() {
        assertThat(run("topology", "--set", "amqp.dead-max-messages=x")).isEqualTo(78);
        assertThat(err()).contains("pushbridge.amqp.dead-max-messages (from command line)");
        assertThat(compared).isEmpty();
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
    @ValueSource(
            strings = {
                "serve",
                "publish",
                "check-config",
                "doctor",
                "topology",
                "tail",
                "held",
                "log-level",
                "version",
                "config-doc"
            })
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
        assertThat(out())
                .contains("serve", "publish", "check-config", "doctor", "topology", "tail", "version", "config-doc");
    }

    @Test
    void verboseShowsWhereAnInternalErrorCameFrom() {
        Publisher failing = (amqp, request) -> {
            throw new IllegalStateException("amqp://u:hidden@h");
        };
        Cli cli = new Cli(serve, failing, this::check, (settings, holder) -> noLetters(), new Machine(2L << 30, 2));
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
        return new Cli(serve, publisher, this::check, (settings, holder) -> noLetters(), new Machine(2L << 30, 2))
                .run(args, environment, print(out), print(err));
    }

    private TopologyCheck.Result check(AmqpConfig amqp, HoldConfig hold, boolean create) {
        compared.add(amqp);
        created.add(create);
        return topology;
    }

    private static String[] with(String command, String... options) {
        return Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new);
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
