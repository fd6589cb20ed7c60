package pushbridge.app;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AdminConfig;
import pushbridge.config.AmqpConfig;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.DeliveryConfig;
import pushbridge.config.HoldConfig;
import pushbridge.config.IntakeConfig;
import pushbridge.config.MessageConfig;
import pushbridge.config.OutboxConfig;
import pushbridge.config.ReceiptsConfig;
import pushbridge.config.ShutdownConfig;
import pushbridge.config.SocketConfig;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.envelope.SchemaFileException;
import pushbridge.hold.KeepingRules;
import pushbridge.testing.Broker;
import pushbridge.testing.Plain;
import pushbridge.tls.TlsException;

/** A bridge with everything real, on free ports. */
final class TestBridge implements AutoCloseable {

    /** Without the offer of HTTP/2, which a body behind it does not survive. */
    static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Long enough that only a client that really is silent is given up, however busy the machine. */
    static final Duration LONG = Duration.ofSeconds(60);

    private final Bridge bridge;

    private TestBridge(Bridge bridge) {
        this.bridge = bridge;
    }

    static TestBridge start(AmqpConfig amqp) throws Exception {
        return start(config(amqp, LONG, null));
    }

    static TestBridge start(BridgeConfig config)
            throws SchemaFileException, TlsException, ListenerException, InterruptedException {
        Bridge bridge = new Bridge(config, DeliveryLoop.keepingRules());
        bridge.start();
        return new TestBridge(bridge);
    }

    static TestBridge start(BridgeConfig config, KeepingRules keeping)
            throws SchemaFileException, TlsException, ListenerException, InterruptedException {
        Bridge bridge = new Bridge(config, keeping);
        bridge.start();
        return new TestBridge(bridge);
    }

    static BridgeConfig config(AmqpConfig amqp, Duration holdAfter, @Nullable Path typesDir) {
        return new BridgeConfig(
                amqp,
                new IntakeConfig(Duration.ZERO, Duration.ofMillis(100), 50, 20),
                new MessageConfig(64 * 1024, 64, typesDir),
                new DeliveryConfig(64, 256 * 1024, holdAfter, LONG, 16, 100, 100),
                new HoldConfig(Duration.ofHours(1), 100_000, 10_000, 1L << 30, 1 << 20, 1 << 20),
                new OutboxConfig(1024, 1024 * 1024, 25),
                new SocketConfig(
                        "127.0.0.1",
                        0,
                        "/ws",
                        SocketConfig.PlainConfirm.PONG,
                        2_000,
                        10,
                        LONG,
                        16 * 1024,
                        16 * 1024,
                        LONG,
                        LONG,
                        LONG,
                        LONG,
                        64 * 1024,
                        0,
                        2,
                        Plain.LIMITS,
                        Plain.PROXIES,
                        null),
                new AuthConfig(AuthConfig.Mode.DEV, false),
                new AdminConfig("127.0.0.1", 0, null, 64, 1 << 20, null, null),
                Plain.LETTERS,
                new ReceiptsConfig(1_000),
                new ShutdownConfig(Duration.ofSeconds(5), Duration.ofSeconds(5)));
    }

    Bridge bridge() {
        return bridge;
    }

    /** Connects a browser-like client; the query as in {@code user=42&channels=news}. */
    WebClient connect(String query, String... subprotocols) {
        return WebClient.connect(URI.create("ws://127.0.0.1:" + bridge.socketPort() + "/ws?" + query), subprotocols);
    }

    /** Asks the admin listener. */
    HttpResponse<String> admin(String path) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + bridge.adminPort() + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    URI publicUri(String path) {
        return URI.create("http://127.0.0.1:" + bridge.socketPort() + path);
    }

    void awaitReady() {
        Broker.await("the bridge to be ready", () -> bridge.health().ready());
    }

    /** Waits until the loop knows so many connections, so that what is published next finds them. */
    void awaitSessions(int count) {
        Broker.await(count + " connections known", () -> bridge.stats().sessions() == count);
    }

    @Override
    public void close() throws InterruptedException {
        bridge.stop();
    }
}
