package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the console asks for, of a bridge with everything real. */
@ExtendWith(BrokerExtension.class)
final class ConsoleApiIT {

    private final Broker broker;
    private final TestBridge bridge;

    ConsoleApiIT(Broker broker) throws Exception {
        this.broker = broker;
        bridge = TestBridge.start(broker.config());
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    private JsonNode get(String path) throws Exception {
        HttpResponse<String> answer = bridge.admin(path);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(answer.body());
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return TestBridge.HTTP.send(
                HttpRequest.newBuilder(
                                URI.create("http://127.0.0.1:" + bridge.bridge().adminPort() + path))
                        .header("Content-Type", "application/json")
                        .header("X-Pushbridge-Request", "1")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void theOverviewCountsWhatHasHappened() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        broker.publish("user.ann", "{\"type\":\"t\",\"seq\":1,\"payload\":{}}");
        broker.publish("user.ann", "no JSON");
        ann.await(1);
        broker.awaitReady(broker.prefix() + ".dead", 1);
        Broker.await("both to be counted", () -> {
            try {
                JsonNode counters = get("/api/overview").path("counters");
                return counters.path("delivered").asInt() == 1
                        && counters.path("dead").asInt() == 1;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });

        JsonNode now = get("/api/overview");
        assertThat(now.path("ownership").asString()).isEqualTo("owner");
        assertThat(now.path("ready").asBoolean()).isTrue();
        assertThat(now.path("connections").asInt()).isEqualTo(1);
        assertThat(now.path("boundsMillis").size() + 1)
                .isEqualTo(now.path("publishedToAcked").path("counts").size());
        List<String> reasons = now.path("dead").findValuesAsString("reason");
        assertThat(reasons).contains("malformed", "payload-invalid", "poisoned");
        assertThat(now.path("dead")
                        .get(reasons.indexOf("malformed"))
                        .path("count")
                        .asInt())
                .isEqualTo(1);
    }

    @Test
    void theQueuesTellHowMuchWaits() throws Exception {
        broker.publish("user.ann", "no JSON");
        broker.awaitReady(broker.prefix() + ".dead", 1);
        JsonNode queues = get("/api/queues").path("queues");
        assertThat(queues.findValuesAsString("name"))
                .containsExactly(
                        broker.prefix() + ".instructions", broker.prefix() + ".dead", broker.prefix() + ".expired");
        assertThat(queues.get(0).path("consumers").asInt()).isEqualTo(1);
        assertThat(queues.get(1).path("ready").asInt()).isEqualTo(1);

        broker.deleteQueue(broker.prefix() + ".expired");
        JsonNode without = get("/api/queues").path("queues");
        assertThat(without.get(2).path("there").asBoolean()).isFalse();
        assertThat(without.get(1).path("ready").asInt()).isEqualTo(1);
    }

    @Test
    void theTopologyIsComparedAndNothingIsCreated() throws Exception {
        broker.deleteQueue(broker.prefix() + ".expired");
        for (int look = 0; look < 2; look++) {
            JsonNode findings = get("/api/topology").path("findings");
            List<String> names = findings.findValuesAsString("name");
            assertThat(findings.get(names.indexOf(broker.prefix() + ".expired"))
                            .path("state")
                            .asString())
                    .isEqualTo("missing");
            assertThat(findings.get(names.indexOf(broker.prefix()))
                            .path("state")
                            .asString())
                    .isEqualTo("exists");
        }
    }

    @Test
    void aUserIsFoundAndAConnectionClosedWithACode() throws Exception {
        WebClient ann = bridge.connect("user=ann", "pushbridge.v1");
        WebClient anna = bridge.connect("user=anna");
        bridge.connect("");
        bridge.awaitSessions(3);

        JsonNode all = get("/api/connections");
        assertThat(all.path("open").asInt()).isEqualTo(3);
        JsonNode some = get("/api/connections?user=ann*");
        assertThat(some.path("page").findValuesAsString("user")).containsExactlyInAnyOrder("ann", "anna");
        JsonNode one = get("/api/connections?user=ann").path("page");
        assertThat(one.size()).isEqualTo(1);
        assertThat(one.get(0).path("protocol").asString()).isEqualTo("pushbridge.v1");
        assertThat(one.get(0).path("address").asString()).isEqualTo("127.0.0.1");
        assertThat(get("/api/connections?limit=1").path("page").size()).isEqualTo(1);

        String close = "/api/connections/" + one.get(0).path("id").asString() + "/close";
        HttpResponse<String> answer = post(close, "{\"code\":\"kicked\"}");
        assertThat(answer.body()).contains("\"user\":\"ann\"", "\"code\":\"kicked\"");
        assertThat(ann.closed().get()).isEqualTo(4003);
        bridge.awaitSessions(2);
        Broker.await("its end", () -> {
            try {
                return post(close, "{}").statusCode() == 404;
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(anna.closed()).isNotDone();
    }

    @Test
    void noOtherCodesThanAnOperatorsMayBeUsed() throws Exception {
        bridge.connect("user=ann");
        bridge.awaitSessions(1);
        String id = get("/api/connections").path("page").get(0).path("id").asString();
        HttpResponse<String> answer = post("/api/connections/" + id + "/close", "{\"code\":\"bad-data\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("kicked", "token-expired");
        assertThat(bridge.bridge().stats().sessions()).isEqualTo(1);
    }

    @Test
    void aTestMessageGoesThroughRabbitMq() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        HttpResponse<String> answer =
                post("/api/publish", "{\"to\":\"user.ann\",\"type\":\"test\",\"payload\":{\"text\":\"Grüße 👋\"}}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).contains("\"outcome\":\"confirmed\"");
        assertThat(ann.await(1).get(0)).contains("\"payload\":{\"text\":\"Grüße 👋\"}", "\"to\":\"user.ann\"");
    }

    @Test
    void aTestMessageMayBeWrongSoThatItsDeadLetterCanBeSeen() throws Exception {
        assertThat(post("/api/publish", "{\"to\":\"channel.c\",\"type\":\"ping\",\"payload\":{}}")
                        .statusCode())
                .isEqualTo(200);
        broker.awaitReady(broker.prefix() + ".dead", 1);
    }

    @ParameterizedTest
    @CsvSource({
        "{}, unaddressable",
        "'{\"to\":\"nobody\"}', unaddressable",
        "'{\"to\":\"all\",\"type\":\"t\",\"payload\":{},\"offline\":\"later\"}', invalid",
        "'{\"to\":\"all\",\"type\":\"t\",\"payload\":{},\"expirationMillis\":-1}', invalid"
    })
    void whatCannotBePublishedIsRefusedWithItsReason(String body, String code) throws Exception {
        HttpResponse<String> answer = post("/api/publish", body);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("\"error\":\"" + code + "\"");
    }
}
