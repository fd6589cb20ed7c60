package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.ByteArrayInputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.AdminConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.metrics.LibraryMetric;
import pushbridge.metrics.Metric;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the two listeners answer to plain HTTP. */
@ExtendWith(BrokerExtension.class)
final class ListenersIT {

    private static final String ENVELOPE = """
            {"to":"user.ann","type":"note","payload":{},"seq":1}""";

    private final Broker broker;
    private final TestBridge bridge;

    ListenersIT(Broker broker) throws Exception {
        this.broker = broker;
        bridge = TestBridge.start(broker.config());
    }

    @BeforeEach
    void ready() {
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    // ---- admin -------------------------------------------------------------------------------------------------

    @Test
    void healthAndMetricsAnswerAndNothingElseDoes() throws Exception {
        assertThat(bridge.admin("/health/live").body())
                .containsPattern(
                        "^\\{\"status\":\"live\",\"checks\":\\{\"delivery\":\"running\",\"last turn\":\"[0-9]+ ms ago\"}}\n$");
        assertThat(bridge.admin("/health/ready").body()).contains("\"status\":\"ready\"");
        assertThat(bridge.admin("/metrics").body()).contains("\npushbridge_owner 1.0\n");
        assertThat(bridge.admin("/").statusCode()).as("the way to the console").isEqualTo(302);
        for (String path : new String[] {"/health", "/health/", "/health/other", "/metrics/x", "/ws"}) {
            assertThat(bridge.admin(path).statusCode()).as(path).isEqualTo(404);
        }
    }

    @Test
    void metricsTellWhatHappened() throws Exception {
        WebClient ann = bridge.connect("user=ann&channels=news");
        bridge.awaitSessions(1);
        broker.publish("user.ann", ENVELOPE);
        broker.publish("user.bob", "{");
        ann.await(1);
        Broker.await(
                "both settled",
                () -> bridge.bridge().stats().unsettled() == 0
                        && bridge.bridge().stats().received() == 2);

        assertThat(bridge.admin("/metrics").body())
                .contains("\npushbridge_instructions_received_total 2.0\n")
                .contains("\npushbridge_instructions_delivered_total 1.0\n")
                .contains("\npushbridge_instructions_dead_total{reason=\"malformed\"} 1.0\n")
                .contains("\npushbridge_connections 1.0\n")
                .contains("\npushbridge_users 1.0\n")
                .contains("\npushbridge_channels 1.0\n")
                .contains("\npushbridge_instructions_unsettled 0.0\n");
    }

    @Test
    void everyMetricOfTheReferenceIsScraped() throws Exception {
        System.gc(); // pauses are there from the first on
        Awaitility.await("a collection")
                .until(() -> bridge.admin("/metrics").body().contains(" jvm_gc_pause_seconds "));
        String scrape = bridge.admin("/metrics").body();
        for (Metric metric : Metric.values()) {
            // Without tokens there are no keys, and what was configured by hand cannot be read again.
            if (!metric.name().startsWith("TOKEN_KEYS") && !metric.name().startsWith("CONFIG_")) {
                assertThat(scrape).contains("\n# TYPE " + metric.scrapedName() + " ");
            }
        }
        for (LibraryMetric metric : LibraryMetric.values()) {
            assertThat(scrape).contains("\n# TYPE " + metric.scrapedName() + " ");
        }
    }

    @Test
    void whatIsHeldIsListedPageByPage() throws Exception {
        for (String user : List.of("bob", "cem", "dan")) {
            broker.publish("user." + user, ENVELOPE.replace("ann", user));
        }
        Broker.await("three held", () -> bridge.bridge().stats().heldMessages() == 3);

        JsonNode first =
                JsonMapper.shared().readTree(bridge.admin("/api/held?limit=2").body());
        assertThat(first.path("messages").asInt()).isEqualTo(3);
        assertThat(first.path("page").findValuesAsString("address")).containsExactly("user.bob", "user.cem");
        JsonNode second = JsonMapper.shared()
                .readTree(bridge.admin(
                                "/api/held?limit=2&after=" + first.path("next").asString())
                        .body());
        assertThat(second.path("page").findValuesAsString("address")).containsExactly("user.dan");
        assertThat(second.has("next")).isFalse();

        assertThat(bridge.admin("/api/held?after=7").statusCode()).isEqualTo(409);
        assertThat(bridge.admin("/api/held?after=x").statusCode()).isEqualTo(400);
        assertThat(bridge.admin("/api/held?limit=0").statusCode()).isEqualTo(400);
    }

    @Test
    void howLongAMessageTookIsCountedWhenItTellsWhenItWasPublished() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        long now = System.currentTimeMillis();
        broker.publish(broker.config().prefix(), "user.ann", published(now - 150_000), ENVELOPE);
        broker.publish(broker.config().prefix(), "user.ann", new BasicProperties(), ENVELOPE);
        broker.publish(broker.config().prefix(), "user.ann", published(now + 600_000), ENVELOPE);
        ann.await(3);
        Broker.await("settled", () -> bridge.bridge().stats().delivered() == 3);

        assertThat(bridge.admin("/metrics").body())
                .contains("\npushbridge_publish_to_acked_seconds_bucket{le=\"60.0\"} 1\n")
                .contains("\npushbridge_publish_to_acked_seconds_bucket{le=\"600.0\"} 2\n")
                .contains("\npushbridge_publish_to_acked_seconds_count 2\n")
                .contains("\npushbridge_publish_ahead_total{until=\"acked\"} 1.0\n")
                .contains("\npushbridge_settle_seconds_count 3\n")
                // One value a write, and three messages may share one.
                .containsPattern("\npushbridge_publish_to_written_seconds_count [12]\n");
    }

    private static BasicProperties published(long millis) {
        return new BasicProperties.Builder()
                .headers(Map.of("timestamp_in_ms", millis))
                .timestamp(Date.from(Instant.EPOCH)) // less exact, so not looked at
                .build();
    }

    @Test
    void thePublicListenerKnowsNothingOfTheAdminOnes() throws Exception {
        for (String path : new String[] {"/metrics", "/health/ready", "/dev/other", "/index.html"}) {
            assertThat(get(path).statusCode()).as(path).isEqualTo(404);
        }
    }

    @Test
    void aPortInUseIsOneClearSentence() {
        BridgeConfig config = TestBridge.config(broker.config(), TestBridge.LONG, null);
        BridgeConfig taken = new BridgeConfig(
                config.amqp(),
                config.intake(),
                config.message(),
                config.delivery(),
                config.hold(),
                config.outbox(),
                config.socket(),
                config.auth(),
                new AdminConfig("127.0.0.1", bridge.bridge().adminPort(), null, 64, 1 << 20, null, null),
                config.letters(),
                config.receipts(),
                config.shutdown());
        assertThatThrownBy(() -> TestBridge.start(taken))
                .isInstanceOf(ListenerException.class)
                .hasMessageContaining("port " + bridge.bridge().adminPort(), null, null)
                .hasMessageContaining("pushbridge.admin.port");
    }

    // ---- the client library -------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"pushbridge-client.js", "pushbridge-tabs.js"})
    void theClientLibraryIsTheVeryFileThatNpmPacks(String name) throws Exception {
        byte[] source = Files.readAllBytes(Path.of(System.getProperty("pushbridge.root"), "bridge", "client", name));
        HttpResponse<byte[]> plain = library(name, "Accept-Encoding", "identity");
        HttpResponse<byte[]> gzip = library(name, "Accept-Encoding", "br, gzip;q=0.8");

        assertThat(plain.body()).isEqualTo(source);
        assertThat(new GZIPInputStream(new ByteArrayInputStream(gzip.body())).readAllBytes())
                .isEqualTo(source);
        assertThat(gzip.body().length).isLessThanOrEqualTo(4096);
        assertThat(gzip.headers().map())
                .containsEntry("content-encoding", List.of("gzip"))
                .containsEntry("content-type", List.of("text/javascript; charset=utf-8"))
                .containsEntry("x-content-type-options", List.of("nosniff"))
                .containsEntry("vary", List.of("Accept-Encoding"))
                .containsEntry("cache-control", List.of("public, no-cache"))
                .containsEntry("access-control-allow-origin", List.of("*"));
        assertThat(plain.headers().firstValue("ETag"))
                .isNotEqualTo(gzip.headers().firstValue("ETag"));
    }

    @Test
    void whoHasTheClientLibraryAlreadyGetsItNotAgain() throws Exception {
        String tag = library("pushbridge-client.js", "Accept-Encoding", "identity")
                .headers()
                .firstValue("ETag")
                .orElseThrow();
        HttpResponse<byte[]> again = library("pushbridge-client.js", "If-None-Match", "\"other\", " + tag);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(library("pushbridge-client.js", "If-None-Match", "\"other\"").statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "package.json", "test/client.test.js", "../pushbridge-client.js", "%2e%2e/version.properties"
            })
    void nothingElseIsBesideIt(String name) throws Exception {
        assertThat(get("/client/" + name).statusCode()).isEqualTo(404);
    }

    private HttpResponse<byte[]> library(String name, String header, String value) throws Exception {
        return TestBridge.HTTP.send(
                HttpRequest.newBuilder(bridge.publicUri("/client/" + name))
                        .header(header, value)
                        .build(),
                BodyHandlers.ofByteArray());
    }

    // ---- the page ----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"/", "/?user=42", "/dev/page.js", "/dev/page.css", "/favicon.svg"})
    void thePageIsServedWithAStrictPolicy(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Security-Policy").orElse(""))
                .contains("default-src 'none'")
                .doesNotContain("unsafe");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/dev/page.js", "/dev/page.css", "/favicon.svg", "/client/pushbridge-client.js"})
    void whatABrowserHasAlreadyIsAskedForEachTimeAndNotSentAgain(String path) throws Exception {
        HttpResponse<byte[]> first = file(path, "Accept-Encoding", "gzip");
        assertThat(first.headers().firstValue("Cache-Control").orElse("")).contains("no-cache");
        assertThat(first.headers().firstValue("Content-Encoding")).hasValue("gzip");
        String tag = first.headers().firstValue("ETag").orElseThrow();

        HttpResponse<byte[]> again = file(path, "Accept-Encoding", "gzip", "If-None-Match", tag);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(again.headers().firstValue("ETag")).hasValue(tag);
        assertThat(file(path, "If-None-Match", tag).statusCode())
                .as("the same text in another encoding is another variant")
                .isEqualTo(200);
        assertThat(file(path, "If-None-Match", "\"of before\"").statusCode()).isEqualTo(200);
    }

    private HttpResponse<byte[]> file(String path, String... headers) throws Exception {
        return TestBridge.HTTP.send(
                HttpRequest.newBuilder(bridge.publicUri(path)).headers(headers).build(), BodyHandlers.ofByteArray());
    }

    @Test
    void filesAreForReading() throws Exception {
        for (String path : new String[] {"/", "/client/pushbridge-client.js"}) {
            HttpResponse<String> response = TestBridge.HTTP.send(
                    HttpRequest.newBuilder(bridge.publicUri(path))
                            .POST(BodyPublishers.noBody())
                            .build(),
                    BodyHandlers.ofString());
            assertThat(response.statusCode()).as(path).isEqualTo(405);
            assertThat(response.headers().firstValue("Allow")).hasValue("GET, HEAD");
        }
    }

    @Test
    void publishingFromThePageGoesThroughRabbitMq() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        HttpResponse<String> response = post("application/json", ENVELOPE, null);

        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.body()).contains("\"outcome\":\"confirmed\"");
        assertThat(ann.await(1)).containsExactly(ENVELOPE);
    }

    @Test
    void aBodyMayArriveInPieces() throws Exception {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        byte[] body = ENVELOPE.getBytes(StandardCharsets.UTF_8);
        int half = body.length / 2;
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), bridge.bridge().socketPort())) {
            String head = "POST /dev/publish HTTP/1.1\r\nHost: 127.0.0.1:" + socket.getPort()
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n";
            socket.setTcpNoDelay(true);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
            letTheSelectorsTurn();
            socket.getOutputStream().write(body, 0, half);
            letTheSelectorsTurn();
            socket.getOutputStream().write(body, half, body.length - half);
            byte[] answer = socket.getInputStream().readNBytes("HTTP/1.1 202".length());
            assertThat(new String(answer, StandardCharsets.UTF_8)).isEqualTo("HTTP/1.1 202");
        }
        assertThat(ann.await(1)).containsExactly(ENVELOPE);
    }

    /** What was written before has been read when enough other requests, on both selectors, are answered. */
    private void letTheSelectorsTurn() throws Exception {
        for (int i = 0; i < 4; i++) {
            try (Socket socket =
                    new Socket(InetAddress.getLoopbackAddress(), bridge.bridge().socketPort())) {
                socket.getOutputStream()
                        .write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                assertThat(socket.getInputStream().read()).isEqualTo('H');
            }
        }
    }

    @Test
    void otherPagesAndOtherMeansCannotPublish() throws Exception {
        assertThat(post("application/json", ENVELOPE, "http://evil.example").statusCode())
                .isEqualTo(403);
        assertThat(post("text/plain", ENVELOPE, null).statusCode()).isEqualTo(415);
        assertThat(post("application/json", "{\"type\":\"note\"}", null).body()).contains("\\\"to\\\"");
        assertThat(post("application/json", "{", null).statusCode()).isEqualTo(400);
        assertThat(post("application/json", "x".repeat(70_000), null).statusCode())
                .isEqualTo(413);
        HttpResponse<String> upgrade = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(bridge.publicUri("/dev/publish"))
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString(ENVELOPE))
                                .build(),
                        BodyHandlers.ofString());
        assertThat(upgrade.body()).contains("plain HTTP/1.1");
        HttpResponse<String> get = get("/dev/publish");
        assertThat(get.statusCode()).isEqualTo(405);
        assertThat(bridge.bridge().stats().received()).isZero();
    }

    private HttpResponse<String> get(String path) throws Exception {
        return TestBridge.HTTP.send(
                HttpRequest.newBuilder(bridge.publicUri(path)).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String contentType, String body, @Nullable String origin) throws Exception {
        URI uri = bridge.publicUri("/dev/publish");
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri).header("Content-Type", contentType).POST(BodyPublishers.ofString(body));
        request.header("Origin", origin == null ? "http://" + uri.getAuthority() : origin);
        return TestBridge.HTTP.send(request.build(), BodyHandlers.ofString());
    }
}
