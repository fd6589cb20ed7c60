package pushbridge.socket;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import pushbridge.config.Network;
import pushbridge.config.OutboxConfig;
import pushbridge.config.ProxyConfig;
import pushbridge.config.SocketConfig;
import pushbridge.config.SocketConfig.PlainConfirm;
import pushbridge.config.SocketLimits;
import pushbridge.config.TlsConfig;
import pushbridge.outbox.OutboxTotals;
import pushbridge.testing.ManualClock;
import pushbridge.testing.Plain;
import pushbridge.tls.ServerTls;

/** A listener on a real port, whose limits a test sets before it first asks for the {@link #server()}. */
final class TestListener implements AutoCloseable {

    final ManualClock clock = new ManualClock();
    final RecordingSessions sessions = new RecordingSessions();
    int maxConnections = 20_000;
    int maxFrameBytes = 4_096;
    int outboxBytes = 64 * 1024;
    SocketLimits limits = Plain.LIMITS;
    int compressAbove;
    ProxyConfig proxies = Plain.PROXIES;

    @Nullable
    TlsConfig tls;

    @Nullable
    ServerTls serverTls;

    HandshakeGate gate = new DevGate(config(), 1_000);

    private @Nullable SocketServer started;

    /** Everybody on this machine is a trusted proxy. */
    static ProxyConfig localProxies(ProxyConfig.Header header, boolean protocol) {
        return new ProxyConfig(List.of(Network.parse("127.0.0.0/8")), header, protocol);
    }

    SocketConfig config() {
        return new SocketConfig(
                "127.0.0.1",
                0,
                "/ws",
                PlainConfirm.PONG,
                maxConnections,
                1_000_000,
                Duration.ofSeconds(10),
                8_192,
                maxFrameBytes,
                Duration.ofSeconds(25),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(15),
                16_384,
                compressAbove,
                2,
                limits,
                proxies,
                tls);
    }

    SocketServer server() {
        SocketServer server = started;
        if (server == null) {
            server = new SocketServer(
                    config(),
                    new OutboxConfig(1_024, outboxBytes, 25),
                    new OutboxTotals(Long.MAX_VALUE),
                    gate,
                    () -> false,
                    sessions,
                    clock,
                    serverTls);
            try {
                server.start();
            } catch (IOException e) {
                throw new AssertionError("no port to listen on", e);
            }
            started = server;
        }
        return server;
    }

    int port() {
        return server().port();
    }

    /** An open WebSocket whose session is known. */
    RawClient open(String pathAndQuery, String... headers) throws IOException {
        int before = sessions.opened.size();
        RawClient client = RawClient.open(port(), pathAndQuery, headers);
        await(() -> sessions.opened.size() > before);
        return client;
    }

    static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(10))
                .until(condition);
    }

    @Override
    public void close() {
        if (started != null) {
            started.stop();
        }
    }
}
