package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import pushbridge.config.ConfigLoader;
import pushbridge.config.ConfigSources;
import pushbridge.config.Machine;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** A running bridge whose configuration changes. */
@ExtendWith(BrokerExtension.class)
final class ReloadIT {

    private static final String SCHEMA = """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["%s"]}
            """;

    private final Broker broker;
    private final Path folder;
    private final Path file;
    private final Bridge bridge;

    ReloadIT(Broker broker, @TempDir Path folder) throws Exception {
        this.broker = broker;
        this.folder = Files.createDirectory(folder.resolve("types"));
        this.file = folder.resolve("bridge.yaml");
        Files.writeString(this.folder.resolve("order.schema.json"), SCHEMA.formatted("id"));
        write("message.max-bytes: 1KiB");
        bridge = new Bridge(new ConfigLoader(Machine.current()).load(new ConfigSources(file, Map.of(), List.of())));
        bridge.start();
        Broker.await("the bridge to be ready", () -> bridge.health().ready());
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.stop();
    }

    private void write(String... more) throws IOException {
        Files.writeString(
                file,
                """
                pushbridge:
                  amqp.uri: "%s"
                  amqp.prefix: "%s"
                  auth.mode: dev
                  socket.port: 0
                  admin.port: 0
                  intake.start-delay: 0s
                  message.types-dir: "%s"
                """.formatted(broker.uri(), broker.prefix(), folder)
                        + String.join("", List.of(more).stream().map(line -> "  " + line + "\n").toList()));
    }

    private HttpResponse<String> reload() throws IOException, InterruptedException {
        return TestBridge.HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + bridge.adminPort() + "/api/reload"))
                        .header("Content-Type", "application/json")
                        .header("X-Pushbridge-Request", "1")
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private String get(String path) throws IOException, InterruptedException {
        return TestBridge.HTTP
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + bridge.adminPort() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private void order(String member) throws IOException {
        broker.publish("channel.c", "{\"type\":\"order\",\"seq\":1,\"payload\":{\"" + member + "\":1}}");
    }

    private void awaitDropped(int count) {
        Broker.await(count + " dropped", () -> bridge.stats().dropped() == count);
    }

    @Test
    void payloadSchemasAndLimitsAreTakenAndTheRestIsNamed() throws Exception {
        order("id");
        awaitDropped(1);
        order("ID");
        broker.awaitReady(broker.prefix() + ".dead", 1);

        Files.writeString(folder.resolve("order.schema.json"), SCHEMA.formatted("ID"));
        write("message.max-bytes: 2KiB", "hold.ttl: 1h");
        HttpResponse<String> answer = reload();
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"taken\":[\"pushbridge.message.max-bytes\"]", "\"needRestart\":[\"pushbridge.hold.ttl\"]");
        order("ID");
        awaitDropped(2);
        broker.publish("channel.c", "{\"type\":\"t\",\"seq\":1,\"payload\":{\"a\":\"" + "x".repeat(1500) + "\"}}");
        awaitDropped(3);

        assertThat(get("/api/config"))
                .contains("\"key\":\"pushbridge.message.max-bytes\",\"value\":\"2KiB\"")
                .contains("\"key\":\"pushbridge.hold.ttl\",\"value\":\"24h\""); // that is what is in effect
        assertThat(get("/metrics")).contains("pushbridge_config_reloads_total{result=\"ok\"} 1.0");
        assertThat(reload().body()).contains("\"taken\":[]", "\"needRestart\":[\"pushbridge.hold.ttl\"]");
    }

    @Test
    void aWrongConfigurationChangesNothingAndSaysEverythingThatIsWrong() throws Exception {
        write("message.max-bytes: 1KiB", "hold.ttl: soon", "hold.tll: 1h", "log.level: debug");
        HttpResponse<String> answer = reload();
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(answer.body()).contains("pushbridge.hold.ttl", "pushbridge.hold.tll", "Nothing was changed");

        write("message.max-bytes: 2KiB");
        Files.writeString(folder.resolve("other.schema.json"), "no schema");
        assertThat(reload().body()).contains("other.schema.json");
        broker.publish("channel.c", "{\"type\":\"t\",\"seq\":1,\"payload\":{\"a\":\"" + "x".repeat(1500) + "\"}}");
        broker.awaitReady(broker.prefix() + ".dead", 1); // still too large
        assertThat(get("/metrics")).contains("pushbridge_config_reloads_total{result=\"failed\"} 2.0");
        assertThat(get("/api/log/levels")).contains("\"ROOT\":\"").doesNotContain("\"ROOT\":\"debug\"");
    }
}
