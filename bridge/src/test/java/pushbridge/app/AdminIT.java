package pushbridge.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.config.BridgeConfig;
import pushbridge.config.SocketConfig;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** Operators have a share of their own. */
@ExtendWith(BrokerExtension.class)
final class AdminIT {

    private static final int PLACES = 16;

    private final TestBridge bridge;
    private final List<Socket> sockets = new ArrayList<>();

    AdminIT(Broker broker) throws Exception {
        bridge = TestBridge.start(withPlaces(TestBridge.config(broker.config(), TestBridge.LONG, null)));
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        bridge.close();
    }

    @Test
    void operatorsAreAnsweredWhileThePublicListenerIsFull() throws Exception {
        for (int i = 0; i < PLACES; i++) {
            bridge.connect("user=" + i);
        }
        bridge.awaitSessions(PLACES);
        // Handshakes that stop half-way take the rest, until the listener ends them without an answer.
        for (int i = 0; i < 10 * PLACES; i++) {
            Socket socket = connect(bridge.bridge().socketPort());
            socket.getOutputStream().write("GET /ws HTTP/1.1\r\n".getBytes(UTF_8));
        }
        Broker.await(
                "the first that is cut off",
                () -> metric("pushbridge_handshakes_refused_total{reason=\"cut-off\"}") > 0);

        assertThat(bridge.admin("/health/live").statusCode()).isEqualTo(200);
        assertThat(bridge.admin("/health/ready").statusCode()).isEqualTo(200);
        assertThat(metric("pushbridge_connections")).isEqualTo(PLACES);
    }

    @Test
    void operatorsHaveALimitOfTheirOwn() throws Exception {
        // Beyond its own limit the admin listener ends connections, and serves those within.
        Socket first = connect(bridge.bridge().adminPort());
        ask(first);
        for (int i = 1; i < 64; i++) {
            ask(connect(bridge.bridge().adminPort()));
        }
        Socket tooMany = connect(bridge.bridge().adminPort());
        assertThat(answers(tooMany)).isFalse();
        ask(first);
        sockets.get(1).close();
        Broker.await("a place that is free again", () -> {
            try {
                return answers(connect(bridge.bridge().adminPort()));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void ask(Socket socket) throws IOException {
        assertThat(answers(socket)).isTrue();
    }

    private static boolean answers(Socket socket) throws IOException {
        try {
            socket.getOutputStream().write("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
            byte[] answer = new byte[2048];
            int read = socket.getInputStream().read(answer);
            return read > 0 && new String(answer, 0, read, UTF_8).startsWith("HTTP/1.1 200");
        } catch (java.net.SocketException e) {
            return false; // reset
        }
    }

    private double metric(String name) {
        try {
            return bridge.admin("/metrics")
                    .body()
                    .lines()
                    .filter(line -> line.startsWith(name + " "))
                    .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("the admin listener does not answer", e);
        }
    }

    private Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        sockets.add(socket);
        return socket;
    }

    private static BridgeConfig withPlaces(BridgeConfig config) {
        SocketConfig all = config.socket();
        return new BridgeConfig(
                config.amqp(),
                config.intake(),
                config.message(),
                config.delivery(),
                config.hold(),
                config.outbox(),
                new SocketConfig(
                        all.host(),
                        all.port(),
                        all.path(),
                        all.plainConfirm(),
                        PLACES,
                        all.maxConnectionsPerUser(),
                        all.handshakeTimeout(),
                        all.maxHeaderBytes(),
                        all.maxFrameBytes(),
                        all.pingInterval(),
                        all.pongTimeout(),
                        all.ackTimeout(),
                        all.stallAfter(),
                        all.sendBufferBytes(),
                        all.compressAbove(),
                        all.selectors(),
                        all.limits(),
                        all.proxies(),
                        all.tls()),
                config.auth(),
                config.admin(),
                config.letters(),
                config.receipts(),
                config.shutdown());
    }
}
