package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pushbridge.config.ProxyConfig.Header;
import pushbridge.config.SocketLimits;
import pushbridge.delivery.CloseCode;
import pushbridge.outbox.Frame;
import pushbridge.socket.HandshakeGate.Admitted;
import pushbridge.socket.HandshakeGate.Handshake;
import pushbridge.socket.RecordingSessions.Opened;
import pushbridge.testing.Plain;

/** Who comes too often or sends too much is told so; through a proxy on this machine, so that there can be many addresses. */
class LimitsTest {

    private final TestListener listener = new TestListener();
    private final List<RawClient> clients = new ArrayList<>();

    LimitsTest() {
        listener.proxies = TestListener.localProxies(Header.X_FORWARDED_FOR, false);
    }

    @AfterEach
    void stop() throws Exception {
        for (RawClient client : clients) {
            client.close();
        }
        listener.close();
    }

    @Test
    void oneAddressCannotTakeAllPlaces() throws Exception {
        listener.limits = new SocketLimits(2, 1_000, 1_000, 1_000);
        assertThat(from("203.0.113.7").status()).isEqualTo(101);
        assertThat(from("203.0.113.7").status()).isEqualTo(101);
        RawClient.Response refused = from("203.0.113.7");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.headers()).containsKey("retry-after").containsEntry("connection", "close");
        assertThat(from("203.0.113.8").status()).isEqualTo(101);

        clients.get(0).close();
        clients.get(2).close();
        TestListener.await(() -> listener.server().connections() == 2);
        assertThat(from("203.0.113.7").status()).isEqualTo(101);

        for (RawClient client : clients) {
            client.close();
        }
        TestListener.await(() -> listener.server().addresses().connected() == 0); // I5: nobody stays counted
    }

    @Test
    void anIpv6NetworkIsOneAddress() throws Exception {
        listener.limits = new SocketLimits(2, 1_000, 1_000, 1_000);
        assertThat(from("2001:db8:1:2::1").status()).isEqualTo(101);
        assertThat(from("2001:db8:1:2:ffff::2").status()).isEqualTo(101);
        assertThat(from("2001:db8:1:2:1:1:1:3").status()).isEqualTo(429);
        assertThat(from("2001:db8:1:3::1").status()).isEqualTo(101);
    }

    @Test
    void anAddressThatShakesHandsTooOftenIsToldWhenToComeBack() throws Exception {
        listener.limits = new SocketLimits(1_000, 1_000, 1, 1_000);
        for (int i = 0; i < 10; i++) {
            assertThat(from("203.0.113.7").status()).isEqualTo(101);
        }
        RawClient.Response refused = from("203.0.113.7");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.headers()).containsKey("retry-after");
        assertThat(listener.server().refused()).containsEntry("too-often-for-address", 1L);
        assertThat(from("203.0.113.8").status()).isEqualTo(101);
        listener.clock.advance(Duration.ofSeconds(1));
        assertThat(from("203.0.113.7").status()).isEqualTo(101);
    }

    @Test
    void moreHandshakesThanMayBeInAllAreRefused() throws Exception {
        listener.limits = new SocketLimits(1_000, 1, 1_000, 1_000);
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 50; i++) { // in fewer than 50 seconds
            RawClient.Response response = from("203.0.113." + i);
            statuses.add(response.status());
            if (response.status() == 503) {
                assertThat(response.headers()).containsKey("retry-after");
            }
        }
        assertThat(statuses).contains(101, 503).containsOnly(101, 503);
        assertThat(listener.server().refused())
                .containsEntry(
                        "too-often",
                        statuses.stream().filter(status -> status == 503).count());
    }

    @Test
    void whatAClientClaimsCountsForNothingWithoutATrustedProxy() throws Exception {
        listener.proxies = Plain.PROXIES;
        BlockingQueue<Handshake> seen = seeHandshakes();
        from("203.0.113.7");
        Handshake handshake = seen.take();
        assertThat(handshake.remoteAddress()).isEqualTo("127.0.0.1");
        assertThat(handshake.headers()).doesNotContainKeys("x-forwarded-for", "x-forwarded-host");
    }

    @Test
    void theGateSeesTheClientAndTheHostBehindATrustedProxy() throws Exception {
        BlockingQueue<Handshake> seen = seeHandshakes();
        connect()
                .handshake(
                        "/ws",
                        "X-Forwarded-For: 1.1.1.1, 203.0.113.7",
                        "X-Forwarded-Host: push.example",
                        "Host: inner");
        Handshake handshake = seen.take();
        assertThat(handshake.remoteAddress()).isEqualTo("203.0.113.7");
        assertThat(handshake.header("host")).isEqualTo("push.example");
    }

    @Test
    void theProxyProtocolNamesTheClient() throws Exception {
        listener.proxies = TestListener.localProxies(Header.X_FORWARDED_FOR, true);
        listener.limits = new SocketLimits(1, 1_000, 1_000, 1_000);
        BlockingQueue<Handshake> seen = seeHandshakes();

        RawClient one = connect();
        one.send("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n".getBytes(UTF_8));
        // The address behind the proxy is no proxy, so what it says of itself is not believed.
        assertThat(one.handshake("/ws", "X-Forwarded-For: 1.1.1.1").status()).isEqualTo(101);
        assertThat(seen.take().remoteAddress()).isEqualTo("203.0.113.7");
        one.sendText("{\"type\":\"ping\"}");
        assertThat(one.receiveText()).contains("pong");

        RawClient cut = connect();
        for (byte b : "PROXY TCP6 2001:db8::1 ::1 1 2\r\n".getBytes(UTF_8)) {
            cut.send(new byte[] {b});
        }
        assertThat(cut.handshake("/ws").status()).isEqualTo(101);
        assertThat(seen.take().remoteAddress()).isEqualTo("2001:db8:0:0:0:0:0:1");

        RawClient again = connect();
        again.send("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n".getBytes(UTF_8));
        assertThat(again.handshake("/ws").status()).isEqualTo(429);
    }

    @Test
    void aProxyThatSendsNoProxyHeaderIsNotListenedTo() throws Exception {
        listener.proxies = TestListener.localProxies(Header.X_FORWARDED_FOR, true);
        RawClient client = connect();
        client.send("GET /ws HTTP/1.1\r\n\r\n".getBytes(UTF_8));
        assertThat(client.readToEnd()).isZero();
        assertThat(listener.sessions.opened).isEmpty();
    }

    @Test
    void everyRefusalIsCountedByItsReason() throws Exception {
        listener.maxConnections = 4;
        listener.limits = new SocketLimits(2, 1_000, 3, 1_000);
        RawClient stopsHalfWay = connect();
        stopsHalfWay.send("GET /ws HTTP/1.1\r\n".getBytes(UTF_8));
        TestListener.await(() -> listener.server().arrivals() == 1);
        listener.clock.advance(Duration.ofSeconds(11));
        listener.server().sweep();
        TestListener.await(() -> listener.server().arrivals() == 0);

        connect().handshake("/ws", "Origin: http://evil.example");
        connect().handshake("/ws", "Host: evil.example");
        connect().handshake("/ws?user=%zz");
        RawClient get = connect();
        get.send("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
        assertThat(get.response().status()).isEqualTo(426);
        for (RawClient client : clients) {
            client.close();
        }
        TestListener.await(
                () -> listener.server().connections() + listener.server().arrivals() == 0);

        from("203.0.113.1");
        from("203.0.113.1");
        assertThat(from("203.0.113.1").status()).isEqualTo(429);
        clients.get(clients.size() - 1).close(); // until then it takes a place
        TestListener.await(() -> listener.server().arrivals() == 0);
        from("203.0.113.2");
        from("203.0.113.3");
        assertThat(from("203.0.113.4").status()).isEqualTo(503);

        assertThat(listener.server().refused())
                .containsOnlyKeys(SocketServer.REFUSALS)
                .containsEntry("timeout", 1L)
                .containsEntry("foreign-origin", 1L)
                .containsEntry("forbidden", 1L)
                .containsEntry("malformed", 1L)
                .containsEntry("no-websocket", 1L)
                .containsEntry("full-for-address", 1L)
                .containsEntry("full", 1L)
                .containsEntry("unauthorized", 0L);
    }

    @Test
    void aPageThatIsBackMaySubscribeToAllItsChannelsAtOnce() throws Exception {
        listener.limits = new SocketLimits(1_000, 1_000, 1_000, 25);
        RawClient client = open();
        for (int i = 0; i < 100; i++) {
            client.sendText("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"c" + i + "\"}}");
        }
        TestListener.await(() -> listener.sessions.opened.get(0).requests.size() == 100);
        client.sendText("{\"type\":\"ping\"}");
        assertThat(client.receiveText()).contains("pong"); // what is read at once is handled
        assertThat(client.receive().closeReason()).isEqualTo(CloseCode.TOO_MANY.slug());
    }

    @Test
    void whatConfirmsSomethingIsNeverTooMuch() throws Exception {
        listener.limits = new SocketLimits(1_000, 1_000, 1_000, 1);
        RawClient v1 = open("Sec-WebSocket-Protocol: pushbridge.v1");
        v1.receiveText();
        Opened session = listener.sessions.opened.get(0);
        for (int i = 1; i <= 100; i++) {
            assertThat(session.sink.offer(Frame.envelope("m".getBytes(UTF_8), true)))
                    .isTrue();
            session.sink.flush();
            v1.receiveText();
            v1.sendText("{\"type\":\"ack\",\"count\":" + i + "}");
        }
        RawClient plain = open();
        Opened other = listener.sessions.opened.get(1);
        for (int i = 1; i <= 100; i++) {
            assertThat(other.sink.offer(Frame.envelope("m".getBytes(UTF_8), true)))
                    .isTrue();
            other.sink.flush();
            plain.receiveText();
            RawClient.Received ping = plain.receive();
            assertThat(Frame.pongNumber(ByteBuffer.wrap(ping.payload()))).isEqualTo(i);
            plain.sendPong(ping.payload());
        }
        TestListener.await(() -> session.lastConfirmed() == 100 && other.lastConfirmed() == 100);
        assertThat(session.closed.get()).isZero();
        assertThat(other.closed.get()).isZero();
    }

    private BlockingQueue<Handshake> seeHandshakes() {
        BlockingQueue<Handshake> seen = new LinkedBlockingQueue<>();
        listener.gate = handshake -> {
            seen.add(handshake);
            return new Admitted(null, List.of());
        };
        return seen;
    }

    private RawClient.Response from(String address) throws Exception {
        return connect().handshake("/ws", "X-Forwarded-For: " + address);
    }

    private RawClient open(String... headers) throws Exception {
        RawClient client = listener.open("/ws", headers);
        clients.add(client);
        return client;
    }

    private RawClient connect() throws Exception {
        RawClient client = RawClient.connect(listener.port());
        clients.add(client);
        return client;
    }
}
