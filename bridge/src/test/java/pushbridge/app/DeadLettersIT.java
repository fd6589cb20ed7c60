package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands for dead letters as an operator types them, beside a bridge that runs and one that does not. */
@ExtendWith(BrokerExtension.class)
final class DeadLettersIT {

    private static final String SCHEMA = """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["id"]}
            """;

    private final Broker broker;
    private final Path types;
    private TestBridge bridge;
    private int adminPort;

    DeadLettersIT(Broker broker, @TempDir Path folder) throws Exception {
        this.broker = broker;
        this.types = Files.createDirectory(folder.resolve("types"));
        Files.writeString(types.resolve("order.schema.json"), SCHEMA);
        start();
    }

    private void start() throws Exception {
        bridge = TestBridge.start(TestBridge.config(broker.config(), TestBridge.LONG, types));
        bridge.awaitReady();
        adminPort = bridge.bridge().adminPort();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    /** What a command answered. */
    private record Answer(int exitCode, String out, String err) {}

    private Answer run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        List<String> all = new ArrayList<>(List.of("dead-letters"));
        all.addAll(List.of(arguments));
        all.addAll(List.of(
                "--set", "amqp.prefix=" + broker.prefix(),
                "--set", "admin.port=" + adminPort,
                "--set", "message.types-dir=" + types));
        int exitCode = new Cli(
                        config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open)
                .run(
                        all.toArray(String[]::new),
                        Map.of("PUSHBRIDGE_AMQP_URI", broker.uri().toString()),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private void publishBroken(int count) throws IOException {
        long there = broker.ready(broker.prefix() + ".dead");
        for (int i = 0; i < count; i++) {
            broker.publish("user.ann", "{\"type\":\"order\",\"seq\":" + i + ",\"payload\":{\"ID\":" + i + "}}");
        }
        broker.awaitReady(broker.prefix() + ".dead", there + count);
    }

    private static final String PATCH = "[{\"op\":\"move\",\"from\":\"/payload/ID\",\"path\":\"/payload/id\"}]";

    @Test
    void aNightWithABrokenProducer() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        publishBroken(3);

        Answer count = run("count");
        assertThat(count.exitCode()).isZero();
        assertThat(count.out())
                .startsWith("3 letters in dead")
                .contains("payload-invalid  order  ")
                .contains("/payload/id: is missing");

        String example = JsonMapper.shared()
                .readTree(run("count", "--json").out())
                .path("problems")
                .get(0)
                .path("example")
                .asString();
        assertThat(run("show", example.substring(0, 8)).out())
                .contains("\"payload\": {   <-- id is missing")
                .contains("it would be refused again");

        Answer dry = run("replay", "--all");
        assertThat(dry.exitCode()).isEqualTo(1);
        assertThat(dry.out())
                .contains("0 of 3 letters would be replayed")
                .contains("Nothing was done. Add --yes to do it.");

        Answer patched = run("replay", "--all", "--patch", PATCH, "--yes");
        assertThat(patched.exitCode()).isZero();
        assertThat(patched.out()).isEqualTo("3 of 3 letters were replayed.\n");
        assertThat(ann.await(3))
                .extracting(frame -> frame.replaceAll(".*\"payload\":", ""))
                .containsExactly("{\"id\":0}}", "{\"id\":1}}", "{\"id\":2}}");
        assertThat(run("list").out()).isEqualTo("0 letters in dead.\n");
    }

    @Test
    void withoutABridgeRabbitMqIsAskedAndTheSchemaThatWasMendedCounts() throws Exception {
        publishBroken(2);
        bridge.close();
        assertThat(run("list").out()).contains("2 letters in dead.");
        Files.writeString(types.resolve("order.schema.json"), SCHEMA.replace("id", "ID"));
        Answer replayed = run("replay", "--all", "--yes");
        assertThat(replayed.exitCode()).isZero();
        broker.awaitReady(broker.prefix() + ".instructions", 2);
        start();
        assertThat(bridge.connect("user=ann").await(2)).hasSize(2);
    }

    @Test
    void theRunningBridgeIsTheOnlyReader() throws Exception {
        publishBroken(1);
        assertThat(run("list").out()).contains("1 letter in dead.");
        Answer direct = run("list", "--direct");
        assertThat(direct.exitCode()).isEqualTo(75);
        assertThat(direct.err()).startsWith("pushbridge: the letters are being read by the bridge ");
    }

    @Test
    void exportsToAFileAndImportsFromIt(@TempDir Path folder) throws Exception {
        publishBroken(2);
        Path file = folder.resolve("letters.jsonl");
        assertThat(run("export", "--to", file.toString()).exitCode()).isZero();
        assertThat(Files.readAllLines(file)).hasSize(2);
        assertThat(run("export", "--to", file.toString()).err()).contains("is there already");
        assertThat(run("import", file.toString(), "--yes").out())
                .contains("0 of 2 letters were imported; 2 are there already");
        assertThat(run("discard", "--all", "--yes").out()).isEqualTo("2 letters were discarded for good.\n");
        Answer dry = run("import", file.toString());
        assertThat(dry.out()).contains("2 of 2 letters would be imported").contains("Nothing was done");
        bridge.close();
        assertThat(run("import", file.toString(), "--yes").out()).contains("2 of 2 letters were imported");
        assertThat(read(run("export").out())).isEqualTo(read(Files.readString(file)));
        Files.writeString(file, Files.readString(file) + "{\"id\":1}\n");
        Answer broken = run("import", file.toString(), "--yes");
        assertThat(broken.exitCode()).isEqualTo(65);
        assertThat(broken.err()).contains("line 3 is no exported letter");
    }

    /** Header tables have no order of their own. */
    private static List<JsonNode> read(String lines) {
        List<JsonNode> read = new ArrayList<>();
        lines.lines().forEach(line -> read.add(JsonMapper.shared().readTree(line)));
        return read;
    }

    @ParameterizedTest
    @CsvSource({
        "replay, say which",
        "discard, say which",
        "discard --all --reason offline, contradict each other",
        "show zz, is no id of a letter",
        "show 123456, there is no letter",
        "list --limit 0, outside 1 to 1000",
        "list --since yesterday, neither a time",
        "list --queue other, it is dead or expired",
        "replay --all --patch x, the patch is not JSON",
        "replay --all --to nobody, the address to replay to",
        "import /nowhere, cannot be read",
    })
    void mistakesAreSentences(String command, String sentence) {
        Answer answer = run(command.split(" ", -1));
        assertThat(answer.err()).startsWith("pushbridge: ").contains(sentence).doesNotContain("at pushbridge.");
        assertThat(answer.exitCode()).isEqualTo(65);
    }

    @Test
    void whereThereIsNoRabbitMqThatIsSaid() throws Exception {
        bridge.close();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = new Cli(
                        config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open)
                .run(
                        new String[] {"dead-letters", "list", "--set", "admin.port=" + adminPort},
                        Map.of("PUSHBRIDGE_AMQP_URI", "amqp://guest:secret@127.0.0.1:1/%2F"),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        assertThat(exitCode).isEqualTo(69);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("RabbitMQ cannot be reached at 127.0.0.1:1")
                .doesNotContain("secret");
    }

    // ---- over HTTP ----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET|?since=never||400",
                "GET|?reasons=offline||400",
                "GET|?queue=other||400",
                "GET|/zz||400",
                "GET|/0123456789ab||404",
                "POST|/replay|{}|400",
                "POST|/replay|{\"dryRun\":true,\"how\":{\"patch\":5}}|400",
                "POST|/discard|{\"dryRun\":true,\"filter\":{\"reasons\":\"offline\"}}|400",
                "POST|/import|{\"dryRun\":true,\"letters\":[1]}|400",
                "POST|/import|{\"dryRun\":true,\"letters\":[{}]}|400",
            })
    void badRequestsAreRefused(String method, String rest, String body, int status) throws Exception {
        assertThat(ask(method, rest, body).statusCode()).isEqualTo(status);
    }

    @Test
    void aReplayTellsItsResultInTheLastLine() throws Exception {
        publishBroken(1);
        HttpResponse<String> answer = ask("POST", "/replay", "{\"dryRun\":false,\"how\":{\"anyway\":true}}");
        assertThat(answer.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("application/jsonl"));
        List<String> lines = answer.body().lines().toList();
        assertThat(JsonMapper.shared()
                        .readTree(lines.get(lines.size() - 1))
                        .path("result")
                        .path("replayed")
                        .asInt())
                .isEqualTo(1);
        broker.awaitReady(broker.prefix() + ".dead", 0);
    }

    private HttpResponse<String> ask(String method, String rest, String body) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + "/api/dead-letters" + rest));
        if (method.equals("POST")) {
            request.header("Content-Type", "application/json")
                    .header("X-Pushbridge-Request", "1")
                    .POST(HttpRequest.BodyPublishers.ofString(body));
        }
        return TestBridge.HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
