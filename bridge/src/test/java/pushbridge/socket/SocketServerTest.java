package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pushbridge.config.OutboxConfig;
import pushbridge.config.SocketConfig;
import pushbridge.config.SocketConfig.PlainConfirm;
import pushbridge.delivery.ClientRequest;
import pushbridge.delivery.CloseCode;
import pushbridge.delivery.Confirmation;
import pushbridge.outbox.Frame;
import pushbridge.outbox.OutboxTotals;
import pushbridge.socket.RecordingSessions.Opened;
import pushbridge.testing.ManualClock;
import pushbridge.testing.Plain;

/** The listener on a real port, with clients on real sockets; only time and the delivery loop are played. */
class SocketServerTest {

    private static final String UPGRADE = """
            GET /ws HTTP/1.1
            Host: localhost
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            Sec-WebSocket-Version: 13

            """.replace("\n", "\r\n");

    private static final String V1 = "Sec-WebSocket-Protocol: pushbridge.v1";

    private final ManualClock clock = new ManualClock();
    private final RecordingSessions sessions = new RecordingSessions();
    private final List<AutoCloseable> closeables = new ArrayList<>();
    private volatile boolean standby;
    private PlainConfirm plainConfirm = PlainConfirm.PONG;
    private int maxConnections = 100;
    private int maxPerUser = 3;
    private int selectors = 2;
    private @Nullable SocketServer started;

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : closeables) {
            closeable.close();
        }
        if (started != null) {
            started.stop();
        }
    }

    // Handshakes ----------------------------------------------------------------------------------------------------

    @Test
    void aHandshakeOpensASessionWithItsUserAndChannels() throws Exception {
        RawClient client = open("/ws?user=42&channels=news,caf%C3%A9");

        Opened session = session(0);
        assertThat(session.user).isEqualTo("42");
        assertThat(session.channels).containsExactly("news", "café");
        assertThat(session.confirmation).isEqualTo(Confirmation.PONG);
        assertThat(session.id).matches("[A-Za-z0-9_-]{22}");
        assertThat(server().connections()).isEqualTo(1);
        client.close();
        await(() -> session.closed.get() == 1);
        await(() -> server().connections() == 0);
        assertThat(server().ended()).containsEntry("gone", 1L);
    }

    @Test
    void aTrailingSlashMakesNoDifference() throws Exception {
        open("/ws/?user=7");
        assertThat(session(0).user).isEqualTo("7");
    }

    @Test
    void theSubprotocolDecidesHowDeliveryIsConfirmed() throws Exception {
        assertThat(connect().handshake("/ws", V1).headers()).containsEntry("sec-websocket-protocol", "pushbridge.v1");
        await(() -> sessions.opened.size() == 1);
        assertThat(connect()
                        .handshake("/ws", "Sec-WebSocket-Protocol: bearer.x, pushbridge.plain")
                        .headers())
                .containsEntry("sec-websocket-protocol", "pushbridge.plain");
        await(() -> sessions.opened.size() == 2);
        assertThat(connect().handshake("/ws", "Sec-WebSocket-Protocol: mqtt").headers())
                .doesNotContainKey("sec-websocket-protocol");
        assertThat(session(0).confirmation).isEqualTo(Confirmation.ACK);
        assertThat(session(1).confirmation).isEqualTo(Confirmation.PONG);
        assertThat(session(2).confirmation).isEqualTo(Confirmation.PONG);
    }

    @Test
    void aPlainRequestToThePathIsToldToUpgrade() throws Exception {
        RawClient client = connect();
        client.send("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));

        RawClient.Response response = client.response();
        assertThat(response.status()).isEqualTo(426);
        assertThat(response.headers()).containsEntry("upgrade", "websocket").containsEntry("connection", "close");
        assertThat(response.body()).contains("WebSocket");
        assertThat(client.readToEnd()).isZero();
    }

    @Test
    void anotherVersionOfTheProtocolIsRefused() throws Exception {
        RawClient client = connect();
        client.send(UPGRADE.replace(": 13", ": 99").getBytes(UTF_8));

        RawClient.Response response = client.response();
        assertThat(response.status()).isEqualTo(426);
        assertThat(response.headers()).containsEntry("sec-websocket-version", "13");
        assertThat(client.readToEnd()).isZero();
    }

    @Test
    void aStandbyRefusesEveryHandshakeAndSaysWhenToComeBack() throws Exception {
        standby = true;
        RawClient.Response response = refused("/ws?user=1");
        assertThat(response.status()).isEqualTo(503);
        assertThat(Integer.parseInt(response.headers().get("retry-after"))).isPositive();
    }

    @Test
    void aClientThatArrivesWhileTheBridgeBecomesAStandbyIsSentAway() throws Exception {
        sessions.onOpen = () -> standby = true; // everyone known was told to leave before this one was known

        expectClose(open("/ws?user=1"), CloseCode.SERVICE_RESTART);
    }

    @Test
    void connectionsBeyondTheLimitAreRefused() throws Exception {
        maxConnections = 2;
        open("/ws");
        RawClient second = open("/ws");
        RawClient.Response response = refused("/ws");
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.headers()).containsKey("retry-after");

        second.close();
        await(() -> server().connections() == 1);
        await(() -> connect().handshake("/ws").status() == 101);
    }

    @Test
    void oneUserCannotTakeAllPlaces() throws Exception {
        open("/ws?user=1");
        open("/ws?user=1");
        RawClient third = open("/ws?user=1");
        RawClient.Response response = refused("/ws?user=1");
        assertThat(response.status()).isEqualTo(429);
        assertThat(response.headers()).containsKey("retry-after");
        open("/ws?user=2");

        third.close();
        await(() -> server().connections() == 3);
        open("/ws?user=1");
    }

    @Test
    void aForeignOriginIsRefused() throws Exception {
        int port = server().port();
        for (String origin : List.of("http://evil.example", "http://localhost:1", "null", "https://localhost")) {
            assertThat(refused("/ws", "Origin: " + origin).status()).as(origin).isEqualTo(403);
        }
        open("/ws", "Origin: http://localhost:" + port);
    }

    @Test
    void aForeignNameForALoopbackAddressIsRefused() throws Exception {
        int port = server().port();
        assertThat(refused("/ws", "Host: rebound.example:" + port, "Origin: http://rebound.example:" + port)
                        .status())
                .isEqualTo(403);
        assertThat(refused("/ws", "Host: 127.0.0.1.evil.example").status()).isEqualTo(403);
        open("/ws", "Host: 127.0.0.1:" + port);
        open("/ws", "Host: [::1]:" + port);
    }

    @Test
    void aBadChannelOrQueryIsRefusedWithTheReason() throws Exception {
        RawClient.Response response = refused("/ws?channels=" + "x".repeat(250));
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.body()).contains("255 bytes");
        assertThat(refused("/ws?user=%zz").status()).isEqualTo(400);
    }

    @Test
    void headersBeyondTheLimitAreRefused() throws Exception {
        RawClient client = connect();
        client.send(("GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Big: " + "x".repeat(20_000)).getBytes(UTF_8));
        client.readToEnd();
        assertThat(sessions.opened).isEmpty();
    }

    @Test
    void aRefusedClientGetsNoSessionWhateverItSends() throws Exception {
        standby = true;
        RawClient client = connect();
        assertThat(client.handshake("/ws?user=1").status()).isEqualTo(503);
        client.sendText("{\"type\":\"ping\"}");

        assertThat(client.readToEnd()).isZero();
        assertThat(sessions.opened).isEmpty();
        assertThat(server().connections()).isZero();
    }

    @Test
    void aHandshakeThatIsNeverFinishedIsClosed() throws Exception {
        RawClient silent = connect();
        RawClient slow = connect();
        slow.send("GET /ws HTTP/1.1\r\nHost:".getBytes(UTF_8));
        RawClient open = open("/ws");

        await(() -> server().arrivals() == 2);
        for (int i = 0; i < 11; i++) {
            slow.send("x".getBytes(UTF_8)); // a byte a second moves nothing
            clock.advance(Duration.ofSeconds(1));
        }
        server().sweep();

        assertThat(silent.readToEnd()).isZero();
        assertThat(slow.readToEnd()).isZero();
        assertThat(server().arrivals()).isZero();
        open.sendText("{\"type\":\"ping\",\"seq\":1}");
        assertThat(open.receiveText()).contains("pong");
    }

    @Test
    void aPageIsServedBesideTheSocketAndAnIdleConnectionToItIsClosed() throws Exception {
        server().answerHttp(
                        new HttpHandler() {
                            @Override
                            public void service(Request request, Response response) throws Exception {
                                response.getWriter().write("hello");
                            }
                        },
                        "/");
        RawClient client = connect();
        for (int i = 0; i < 3; i++) {
            client.send("GET /dev HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
            assertThat(client.response().body()).isEqualTo("hello");
            clock.advance(Duration.ofSeconds(6));
            server().sweep(); // each request has started a new while
        }
        clock.advance(Duration.ofSeconds(6));
        server().sweep();
        assertThat(client.readToEnd()).isZero();

        HttpResponse<String> page = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + server().port() + "/dev"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(page.body()).isEqualTo("hello");
    }

    // Frames --------------------------------------------------------------------------------------------------------

    @Test
    void theJdkClientReceivesInOrderAndIsConfirmedByItsPongs() throws Exception {
        BlockingQueue<String> received = new LinkedBlockingQueue<>();
        WebSocket client = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://localhost:" + server().port() + "/ws?user=1"), new WebSocket.Listener() {
                    private final StringBuilder text = new StringBuilder();

                    @Override
                    public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
                        text.append(data);
                        if (last) {
                            received.add(text.toString());
                            text.setLength(0);
                        }
                        webSocket.request(1);
                        return null;
                    }
                })
                .get(10, TimeUnit.SECONDS);
        Opened session = session(0);
        for (int i = 1; i <= 200; i++) {
            assertThat(session.sink.offer(envelope("{\"n\":" + i + "}"))).isTrue();
            if (i % 7 == 0) {
                session.sink.flush();
            }
        }
        session.sink.flush();

        for (int i = 1; i <= 200; i++) {
            assertThat(received.poll(10, TimeUnit.SECONDS)).isEqualTo("{\"n\":" + i + "}");
        }
        await(() -> session.lastConfirmed() == 200);
        assertThat(session.confirmed).isSorted();
        assertThat(session.sink.written()).isEqualTo(200);

        client.sendClose(WebSocket.NORMAL_CLOSURE, "done").get(10, TimeUnit.SECONDS);
        await(() -> client.isInputClosed() && session.closed.get() == 1);
        await(() -> server().connections() == 0);
        assertThat(server().ended()).containsEntry("client", 1L);
        assertThat(server().pendingBytes()).isZero();
    }

    @Test
    void aPongConfirmsOnlyWhatItsPingCounted() throws Exception {
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        send(session, envelope("1"), envelope("2"));
        assertThat(client.receiveText()).isEqualTo("1");
        assertThat(client.receiveText()).isEqualTo("2");
        RawClient.Received ping = client.receive();
        assertThat(ping.opcode()).isEqualTo(9);
        assertThat(Frame.pongNumber(ByteBuffer.wrap(ping.payload()))).isEqualTo(2);

        send(session, envelope("3"));
        assertThat(client.receiveText()).isEqualTo("3"); // no second ping while one is out
        client.sendPong(number(1L << 60));
        client.sendPong(number(3));
        client.sendPong(number(-1));
        client.sendPong("none of ours".getBytes(UTF_8));
        client.sendPong(ping.payload());

        RawClient.Received next = client.receive();
        assertThat(Frame.pongNumber(ByteBuffer.wrap(next.payload()))).isEqualTo(3);
        assertThat(session.confirmed).containsExactly(2L);
        client.sendPong(next.payload());
        client.sendPong(next.payload());
        await(() -> session.lastConfirmed() == 3);
        client.sendText("{\"type\":\"ping\",\"seq\":5}");
        assertThat(client.receiveText()).contains("\"pong\"").contains("5");
        assertThat(session.confirmed).containsExactly(2L, 3L);
    }

    @Test
    void framesThatNobodyWaitsForAreNotPinged() throws Exception {
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        send(session, Frame.envelope("fanned out".getBytes(UTF_8), false));
        assertThat(client.receiveText()).isEqualTo("fanned out");
        client.sendText("{\"type\":\"ping\"}");
        assertThat(client.receiveText()).contains("\"pong\"");
        assertThat(session.confirmed).isEmpty();
    }

    @Test
    void theKernelConfirmsWhenConfiguredSo() throws Exception {
        plainConfirm = PlainConfirm.WRITTEN;
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        send(session, envelope("1"), envelope("2"));
        assertThat(client.receiveText()).isEqualTo("1");
        assertThat(client.receiveText()).isEqualTo("2");
        await(() -> session.lastConfirmed() == 2);
    }

    @Test
    void anAckConfirmsAndOneThatCountsTooFarDoesNot() throws Exception {
        RawClient client = open("/ws?user=1", V1);
        Opened session = session(0);
        assertThat(client.receiveText()).contains("bridge.welcome").contains(session.id);
        send(session, envelope("1"), envelope("2"), Frame.text("{\"type\":\"bridge.subscribed\"}"), envelope("3"));
        for (int i = 0; i < 4; i++) {
            client.receiveText();
        }

        client.sendText("{\"type\":\"ack\",\"count\":2}");
        await(() -> session.lastConfirmed() == 2);
        client.sendText("{\"type\":\"ack\",\"count\":4}");
        assertThat(client.receiveText()).contains("bridge.error").contains("schema-invalid");
        client.sendText("{\"type\":\"ack\",\"count\":1}");
        client.sendText("{\"type\":\"ack\",\"count\":3}");
        await(() -> session.lastConfirmed() == 3);
        assertThat(session.confirmed).containsExactly(2L, 3L);
    }

    @Test
    void anAckMayComeWhileTheBatchIsStillBeingWritten() throws Exception {
        RawClient client = connectWithSmallBuffer().upgrade("/ws?user=1", V1);
        Opened session = session(0);
        fill(session);
        assertThat(client.receiveText()).contains("bridge.welcome");
        long received = 0;
        while (received <= session.sink.written()) {
            client.receiveText();
            received++;
        }

        client.sendText("{\"type\":\"ack\",\"count\":" + received + "}");
        long handled = received;
        await(() -> session.lastConfirmed() == handled);
    }

    @Test
    void requestsReachTheSessionAndAFloodOfThemEndsIt() throws Exception {
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        client.sendText("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"news\"},\"seq\":3}");
        client.sendText("{\"type\":\"unsubscribe\",\"payload\":{\"channel\":\"news\"}}");
        await(() -> session.requests.size() == 2);
        assertThat(session.requests)
                .containsExactly(new ClientRequest.Subscribe("news", 3), new ClientRequest.Unsubscribe("news", 0));

        session.takesRequests = false;
        client.sendText("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"more\"}}");
        expectClose(client, CloseCode.TOO_MANY);
    }

    @Test
    void badClientFramesAreAnsweredAndTheConnectionStays() throws Exception {
        RawClient client = open("/ws?user=1");
        client.sendText("not json");
        assertThat(client.receiveText()).contains("bridge.error");
        client.sendText("{\"type\":\"auth\",\"payload\":{\"token\":\"t\"},\"seq\":9}");
        assertThat(client.receiveText()).contains("not-available").contains("9");
        client.sendText("{\"type\":\"ack\",\"count\":0}");
        assertThat(client.receiveText()).contains("pushbridge.v1");
    }

    @Test
    void aWebSocketPingIsAnsweredWithItsPayload() throws Exception {
        RawClient client = open("/ws");
        client.send(RawClient.frame(0x89, "abc".getBytes(UTF_8)));
        RawClient.Received pong = client.receive();
        assertThat(pong.opcode()).isEqualTo(10);
        assertThat(pong.text()).isEqualTo("abc");
    }

    @Test
    void aMessageMayComeInFragmentsAndManyInOnePacket() throws Exception {
        RawClient client = open("/ws");
        client.send(RawClient.frame(0x01, "{\"type\":\"pi".getBytes(UTF_8)));
        client.send(RawClient.frame(0x00, "ng\",\"se".getBytes(UTF_8)));
        client.send(RawClient.frame(0x80, "q\":1}".getBytes(UTF_8)));
        assertThat(client.receiveText()).contains("\"pong\"");

        ByteBuffer many = ByteBuffer.allocate(10_000);
        for (int i = 0; i < 12; i++) {
            many.put(RawClient.frame(0x81, ("{\"type\":\"ping\",\"seq\":" + i + "}").getBytes(UTF_8)));
        }
        byte[] packet = new byte[many.position()];
        many.flip().get(packet);
        client.send(packet);
        for (int i = 0; i < 12; i++) {
            assertThat(client.receiveText()).contains("\"seq\":" + i);
        }
    }

    @Test
    void aFrameAsLargeAsAllowedIsRead() throws Exception {
        RawClient client = open("/ws");
        String ping = "{\"type\":\"ping\",\"seq\":1}";
        client.sendText(ping + " ".repeat(4096 - ping.length()));
        assertThat(client.receiveText()).contains("\"pong\"");
    }

    @Test
    void framesSentWithTheHandshakeAreRead() throws Exception {
        RawClient client = connect();
        ByteBuffer both = ByteBuffer.allocate(1000);
        both.put(UPGRADE.getBytes(UTF_8));
        both.put(RawClient.frame(0x81, "{\"type\":\"ping\",\"seq\":1}".getBytes(UTF_8)));
        byte[] packet = new byte[both.position()];
        both.flip().get(packet);
        client.send(packet);
        assertThat(client.response().status()).isEqualTo(101);
        assertThat(client.receiveText()).contains("\"pong\"");
    }

    @Test
    void anUnmaskedFrameEndsTheConnection() throws Exception {
        RawClient client = open("/ws");
        client.send(new byte[] {(byte) 0x81, 2, '{', '}'});
        expectClose(client, CloseCode.PROTOCOL_ERROR);
    }

    @Test
    void aBinaryFrameEndsTheConnection() throws Exception {
        RawClient client = open("/ws");
        client.send(RawClient.frame(0x82, new byte[1]));
        expectClose(client, CloseCode.NOT_ACCEPTABLE);
    }

    @Test
    void anOversizeFrameEndsTheConnection() throws Exception {
        RawClient client = open("/ws");
        client.send(RawClient.frame(0x81, new byte[4097]));
        expectClose(client, CloseCode.TOO_BIG);
    }

    @Test
    void textThatIsNotUtf8EndsTheConnection() throws Exception {
        RawClient client = open("/ws");
        client.send(RawClient.frame(0x81, new byte[] {(byte) 0xC3, 0x28}));
        expectClose(client, CloseCode.BAD_DATA);
    }

    @Test
    void theClientsCloseFrameIsEchoed() throws Exception {
        RawClient client = open("/ws?user=1");
        client.send(RawClient.frame(0x88, new byte[] {3, (byte) 0xE8}));
        RawClient.Received close = client.receive();
        assertThat(close.opcode()).isEqualTo(8);
        assertThat(close.closeCode()).isEqualTo(1000);
        assertThat(client.readToEnd()).isZero();
        await(() -> session(0).closed.get() == 1);
        assertThat(server().ended()).containsEntry("client", 1L);
    }

    @Test
    void gatheredWritesKeepTheOrderWhileAnotherThreadReplies() throws Exception {
        plainConfirm = PlainConfirm.WRITTEN;
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        Thread loop = new Thread(() -> {
            for (int i = 1; i <= 20_000; ) {
                if (session.sink.offer(envelope("m" + i))) {
                    i++;
                }
                if (i % 10 == 0) {
                    session.sink.flush();
                }
            }
            session.sink.flush();
        });
        loop.start();
        int pongs = 0;
        for (int expected = 1; expected <= 20_000 || pongs < 20; ) {
            if (expected % 1000 == 0 && expected / 1000 > pongs) {
                client.sendText("{\"type\":\"ping\"}");
                pongs++;
                client.sendText("{\"type\":\"ping\"}");
            }
            String text = client.receiveText();
            if (text.startsWith("m")) {
                assertThat(text).isEqualTo("m" + expected);
                expected++;
            }
        }
        loop.join();
        await(() -> session.lastConfirmed() == 20_000);
        await(() -> server().pendingBytes() == 0);
        assertThat(session.confirmed).isSorted();
    }

    // Deadlines and ends --------------------------------------------------------------------------------------------

    @Test
    void aClientThatNeverReadsIsEvictedAndItsMemoryReleased() throws Exception {
        RawClient client = connectWithSmallBuffer().upgrade("/ws?user=1");
        Opened session = session(0);
        fill(session);
        assertThat(session.sink.offer(envelope("x".repeat(1000)))).isFalse();
        assertThat(server().pendingBytes()).isPositive();

        clock.advance(Duration.ofSeconds(14));
        server().sweep();
        assertThat(session.closed.get()).isZero();
        clock.advance(Duration.ofSeconds(2));
        server().sweep();

        await(() -> session.closed.get() == 1 && server().connections() == 0);
        assertThat(server().pendingBytes()).isZero(); // I5
        assertThat(server().ended()).containsEntry("stalled", 1L);
        client.readToEnd();
    }

    @Test
    void aSlowClientThatStillReadsIsNotStalled() throws Exception {
        RawClient client = connectWithSmallBuffer().upgrade("/ws?user=1");
        Opened session = session(0);
        fill(session);
        for (int i = 0; i < 5; i++) {
            clock.advance(Duration.ofSeconds(10));
            long before = session.sink.written();
            while (session.sink.written() == before) {
                RawClient.Received frame = client.receive();
                if (frame.opcode() == 9) {
                    client.sendPong(frame.payload());
                }
            }
            server().sweep();
        }
        assertThat(session.closed.get()).isZero();
        assertThat(session.progressed.get()).isPositive();
    }

    @Test
    void anotherClientIsNotDelayedByOneThatNeverReads() throws Exception {
        selectors = 1;
        connectWithSmallBuffer().upgrade("/ws?user=1");
        fill(session(0));
        RawClient other = open("/ws?user=2");
        send(session(1), envelope("through"));
        assertThat(other.receiveText()).isEqualTo("through");
    }

    @Test
    void aSlowClientIsClosedWithItsCodeBehindWhatIsAlreadyWritten() throws Exception {
        RawClient client = connectWithSmallBuffer().upgrade("/ws?user=1");
        Opened session = session(0);
        fill(session);

        session.sink.close(CloseCode.SLOW);
        assertThat(session.closed.get()).isEqualTo(1);
        assertThat(session.sink.offer(envelope("late"))).isFalse();

        RawClient.Received frame = client.receive();
        int envelopes = 0;
        while (frame.opcode() != 8) {
            envelopes += frame.opcode() == 1 ? 1 : 0;
            frame = client.receive();
        }
        assertThat(frame.closeCode()).isEqualTo(4100);
        assertThat(frame.closeReason()).isEqualTo("slow");
        assertThat(client.readToEnd()).isZero();
        assertThat((long) envelopes).isEqualTo(session.sink.written());
        client.close();
        await(() -> server().connections() == 0);
        assertThat(server().pendingBytes()).isZero();
    }

    @Test
    void aClosedClientThatDoesNotCloseItsSideIsCutOff() throws Exception {
        RawClient client = open("/ws?user=1");
        session(0).sink.close(CloseCode.KICKED);
        expectClose(client, CloseCode.KICKED);
        client.sendText("{\"type\":\"ping\"}"); // discarded
        assertThat(server().connections()).isEqualTo(1);

        clock.advance(Duration.ofSeconds(3));
        server().sweep();
        await(() -> server().connections() == 0);
    }

    @Test
    void closingNeverWaitsForAClientThatDoesNotRead() throws Exception {
        connectWithSmallBuffer().upgrade("/ws?user=1");
        Opened session = session(0);
        fill(session);
        session.sink.close(CloseCode.SLOW);
        clock.advance(Duration.ofSeconds(16));
        server().sweep();
        await(() -> server().connections() == 0);
        assertThat(server().pendingBytes()).isZero();
        assertThat(session.closed.get()).isEqualTo(1);
        assertThat(server().ended()).containsExactly(java.util.Map.entry("slow", 1L));
    }

    @Test
    void aDeadPeerIsFoundByItsSilence() throws Exception {
        RawClient dead = open("/ws?user=1");
        RawClient alive = open("/ws?user=2");
        clock.advance(Duration.ofSeconds(26));
        server().sweep();
        assertThat(dead.receive().opcode()).isEqualTo(9);
        // One write at a time: when this arrives, the ping is known to have left, and the clock may move.
        assertThat(session(0).sink.reply(Frame.text("{}"))).isTrue();
        session(0).sink.flush();
        dead.receive();
        RawClient.Received ping = alive.receive();
        alive.sendPong(ping.payload());
        alive.sendText("{\"type\":\"ping\"}");
        alive.receiveText();

        clock.advance(Duration.ofSeconds(9));
        server().sweep();
        assertThat(session(0).closed.get()).isZero();
        clock.advance(Duration.ofSeconds(2));
        server().sweep();

        await(() -> session(0).closed.get() == 1 && server().connections() == 1);
        assertThat(dead.readToEnd()).isZero();
        assertThat(session(1).closed.get()).isZero();
        assertThat(server().ended()).containsEntry("unresponsive", 1L);
    }

    @Test
    void aPageThatAcknowledgesNothingIsClosed() throws Exception {
        RawClient client = open("/ws?user=1", V1);
        client.receiveText();
        Opened session = session(0);
        send(session, envelope("1"));
        client.receiveText();
        await(() -> session.sink.written() == 1);
        clock.advance(Duration.ofSeconds(29));
        server().sweep();
        client.sendText("{\"type\":\"ping\"}"); // alive, and yet it does not handle what it gets
        client.receive();
        assertThat(session.closed.get()).isZero();

        clock.advance(Duration.ofSeconds(2));
        server().sweep();
        RawClient.Received frame = client.receive();
        while (frame.opcode() != 8) {
            frame = client.receive();
        }
        assertThat(frame.closeReason()).isEqualTo("ack-timeout");
        assertThat(session.closed.get()).isEqualTo(1);
    }

    @Test
    void aClientThatTalksButNeverPongsIsClosed() throws Exception { // it would keep its messages in doubt for ever
        RawClient client = open("/ws?user=1");
        Opened session = session(0);
        send(session, envelope("1"));
        client.receiveText();
        assertThat(client.receive().opcode()).isEqualTo(9);
        await(() -> session.sink.written() == 1);
        server().sweep();
        clock.advance(Duration.ofSeconds(29));
        client.sendText("{\"type\":\"ping\"}");
        client.receive();
        server().sweep();
        assertThat(session.closed.get()).isZero();

        clock.advance(Duration.ofSeconds(2));
        client.sendText("{\"type\":\"ping\"}");
        client.receive();
        server().sweep();
        assertThat(client.receive().closeReason()).isEqualTo("ack-timeout");
        assertThat(session.closed.get()).isEqualTo(1);
    }

    @Test
    void aPageThatAcknowledgesInTimeStaysHoweverLittleThatIs() throws Exception {
        RawClient client = open("/ws?user=1", V1);
        client.receiveText();
        Opened session = session(0);
        for (int i = 1; i <= 5; i++) {
            send(session, envelope("m"));
            client.receiveText();
            clock.advance(Duration.ofSeconds(24));
            client.sendText("{\"type\":\"ack\",\"count\":" + i + "}");
            int count = i;
            await(() -> session.lastConfirmed() == count);
            server().sweep();
        }
        assertThat(session.closed.get()).isZero();
    }

    @Test
    void aPageThatHasHandledEverythingBeforeTheBatchWasWrittenOwesNothing() throws Exception {
        RawClient client = connectWithSmallBuffer().upgrade("/ws?user=1", V1);
        client.receiveText();
        Opened session = session(0);
        send(session, envelope("1"), Frame.text("x".repeat(64_000)));
        client.receiveText();
        client.sendText("{\"type\":\"ack\",\"count\":1}");
        await(() -> session.lastConfirmed() == 1);
        client.receiveText();
        await(() -> session.sink.written() == 1);

        clock.advance(Duration.ofSeconds(31));
        server().sweep();
        assertThat(session.closed.get()).isZero();
    }

    @Test
    void goingAwayIsAnnouncedToV1OnlyAndThenTheCloseFollows() throws Exception {
        RawClient v1 = open("/ws", V1);
        RawClient plain = open("/ws");
        v1.receiveText();

        server().announceGoingAway(Duration.ofSeconds(3));
        assertThat(v1.receiveText()).contains("bridge.going-away");
        server().stopAccepting();
        for (Opened session : sessions.opened) {
            session.sink.close(CloseCode.SERVICE_RESTART);
        }
        expectClose(v1, CloseCode.SERVICE_RESTART);
        expectClose(plain, CloseCode.SERVICE_RESTART);
    }

    @Test
    void whoIsClosedAtOnceHasHeardBeforeWhenToComeBack() throws Exception {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            clients.add(open("/ws?user=" + i, V1));
            clients.get(i).receiveText();
        }
        server().announceGoingAway(Duration.ofSeconds(3));
        for (Opened session : sessions.opened) {
            session.sink.close(CloseCode.SERVICE_RESTART);
        }
        for (RawClient client : clients) {
            assertThat(client.receiveText()).contains("bridge.going-away");
            expectClose(client, CloseCode.SERVICE_RESTART);
        }
    }

    @Test
    void stoppingReportsEverySessionClosed() throws Exception {
        open("/ws?user=1");
        open("/ws?user=2");
        server().stop();
        await(() -> sessions.opened.stream().allMatch(session -> session.closed.get() == 1));
        assertThat(server().pendingBytes()).isZero();
    }

    // ---------------------------------------------------------------------------------------------------------------

    private SocketServer server() {
        SocketServer server = started;
        if (server == null) {
            SocketConfig config = new SocketConfig(
                    "127.0.0.1",
                    0,
                    "/ws",
                    plainConfirm,
                    maxConnections,
                    maxPerUser,
                    Duration.ofSeconds(10),
                    8_192,
                    4_096,
                    Duration.ofSeconds(25),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(15),
                    16_384,
                    0,
                    selectors,
                    Plain.LIMITS,
                    Plain.PROXIES,
                    null);
            server = new SocketServer(
                    config,
                    new OutboxConfig(1_024, 1 << 20, 25),
                    new OutboxTotals(Long.MAX_VALUE),
                    new DevGate(config, 10),
                    () -> standby,
                    sessions,
                    clock,
                    null);
            try {
                server.start();
            } catch (IOException e) {
                throw new AssertionError("no port to listen on", e);
            }
            started = server;
        }
        return server;
    }

    private RawClient connect() throws IOException {
        RawClient client = RawClient.connect(server().port());
        closeables.add(client);
        return client;
    }

    private RawClient connectWithSmallBuffer() throws IOException {
        RawClient client = RawClient.connect(server().port(), 8_192);
        closeables.add(client);
        return client;
    }

    private RawClient open(String pathAndQuery, String... headers) throws IOException {
        int before = sessions.opened.size();
        RawClient client = connect().upgrade(pathAndQuery, headers);
        await(() -> sessions.opened.size() > before);
        return client;
    }

    /** A refusal is complete: a response, then the end of the connection. */
    private RawClient.Response refused(String pathAndQuery, String... headers) throws IOException {
        int before = sessions.opened.size();
        RawClient client = connect();
        RawClient.Response response = client.handshake(pathAndQuery, headers);
        assertThat(response.headers()).containsEntry("connection", "close").containsKey("content-length");
        assertThat(response.body()).endsWith(".\n");
        assertThat(client.readToEnd()).isZero();
        assertThat(sessions.opened).hasSize(before);
        client.close();
        return response;
    }

    private Opened session(int index) {
        await(() -> sessions.opened.size() > index);
        return sessions.opened.get(index);
    }

    /** Offers until nothing more is taken and nothing more is written. */
    private static void fill(Opened session) {
        Frame frame = envelope("x".repeat(1000));
        long[] seen = {-1};
        await(() -> {
            boolean taken = false;
            while (session.sink.offer(frame)) {
                taken = true;
            }
            session.sink.flush();
            boolean quiet = !taken && session.sink.written() == seen[0];
            seen[0] = session.sink.written();
            return quiet;
        });
    }

    private static void send(Opened session, Frame... frames) {
        for (Frame frame : frames) {
            assertThat(session.sink.offer(frame)).isTrue();
        }
        session.sink.flush();
    }

    private void expectClose(RawClient client, CloseCode code) throws IOException {
        RawClient.Received close = client.receive();
        assertThat(close.opcode()).isEqualTo(8);
        assertThat(close.closeCode()).isEqualTo(code.number());
        assertThat(close.closeReason()).isEqualTo(code.slug());
        assertThat(client.readToEnd()).isZero();
        assertThat(server().ended()).containsKey(code.slug());
        await(() -> sessions.opened.stream().anyMatch(session -> session.closed.get() == 1));
    }

    private static Frame envelope(String text) {
        return Frame.envelope(text.getBytes(UTF_8), true);
    }

    private static byte[] number(long number) {
        return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(10))
                .until(condition);
    }
}
