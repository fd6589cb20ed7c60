package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pushbridge.config.SocketLimits;
import pushbridge.outbox.Frame;
import pushbridge.socket.RecordingSessions.Opened;

/**
 * What hostile clients cost (I5), and that a decent one is served meanwhile (I4). Heap is what is left after a full
 * collection; a bound is bytes for each attacker, its own socket object in this process included.
 */
class AbuseTest {

    private static final int KIB = 1024;

    /** Who is answered each time and reads no answer may show first that he is slow. */
    private static final Set<String> ANY = Set.of("slow", "too-many");

    private final TestListener listener = new TestListener();
    private final List<AutoCloseable> closeables = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : closeables) {
            closeable.close();
        }
        listener.close();
    }

    // Reading -------------------------------------------------------------------------------------------------------

    @Test
    void whoNeverReadsCostsAnOutboxAndIsCutOff() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        List<SocketChannel> attackers = attackers(50);
        List<Opened> sessions = listener.sessions.opened.subList(1, 51);
        for (Opened session : sessions) {
            fill(session);
        }
        // Its outbox, the batch being written, and what Grizzly wraps them in.
        assertHeapPerAttacker(before, 50, listener.outboxBytes + 64 * KIB + 32 * KIB);
        decent.isServed();

        listener.clock.advance(Duration.ofSeconds(1));
        listener.server().sweep();
        listener.clock.advance(Duration.ofSeconds(16));
        decent.answersPings();
        listener.server().sweep();
        TestListener.await(() -> sessions.stream().allMatch(session -> session.closed.get() == 1));
        TestListener.await(() -> listener.server().connections() == 1);
        assertThat(listener.server().pendingBytes()).isZero();
        assertThat(attackers).hasSize(50);
        decent.isServed();
    }

    @Test
    void whoReadsAByteAtATimeCostsAnOutboxToo() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        List<SocketChannel> attackers = attackers(50);
        List<Opened> sessions = listener.sessions.opened.subList(1, 51);
        for (Opened session : sessions) {
            fill(session);
        }
        ByteBuffer one = ByteBuffer.allocate(1);
        for (int round = 0; round < 100; round++) {
            for (SocketChannel attacker : attackers) {
                attacker.read(one.clear());
            }
        }
        assertHeapPerAttacker(before, 50, listener.outboxBytes + 64 * KIB + 32 * KIB);
        decent.isServed();
    }

    // Handshakes ----------------------------------------------------------------------------------------------------

    @Test
    void handshakesThatStopHalfWayCostLittleAndEndInTime() throws Exception {
        Decent decent = new Decent();
        int count = 10_000;
        long files = mayBeOpen();
        assumeTrue(files > count + 500, "this process may have " + files + " files open only (ulimit -n)");
        long before = heap();
        closeables.add(HalfWayClients.start(listener.port(), count));
        TestListener.await(() -> listener.server().arrivals() == count);
        assertHeapPerAttacker(before, count, 32 * KIB);
        decent.isServed();
        new Decent().isServed(); // and a new one comes in

        listener.clock.advance(Duration.ofSeconds(11));
        decent.answersPings();
        listener.server().sweep();
        TestListener.await(() -> listener.server().arrivals() == 0);
        decent.isServed();
    }

    @Test
    void slowWritersOfHeadersCostNoMoreThanTheirHeadersMay() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        List<SocketChannel> attackers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            attackers.add(connect());
        }
        for (int part = 0; part < 70; part++) { // 7,000 bytes of 8,192, never an end
            for (SocketChannel attacker : attackers) {
                attacker.write(ByteBuffer.wrap(
                        (part == 0 ? "GET /ws HTTP/1.1\r\n" : "X-" + part + ": " + "x".repeat(90) + "\r\n")
                                .getBytes(UTF_8)));
            }
        }
        TestListener.await(() -> listener.server().arrivals() == 200);
        assertHeapPerAttacker(before, 200, 96 * KIB);
        decent.isServed();

        listener.clock.advance(Duration.ofSeconds(11)); // their bytes have moved nothing
        decent.answersPings();
        listener.server().sweep();
        TestListener.await(() -> listener.server().arrivals() == 0);
    }

    // Frames --------------------------------------------------------------------------------------------------------

    @Test
    void aHugeFrameIsRefusedAtItsLength() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        for (int i = 0; i < 100; i++) {
            RawClient attacker = open();
            attacker.send(
                    new byte[] {(byte) 0x81, (byte) 0xFF, 0, 0, 0, 0, 0x7F, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF});
            assertThat(attacker.receive().closeCode()).isEqualTo(1009);
        }
        assertHeapPerAttacker(before, 100, 32 * KIB);
        decent.isServed();
    }

    @Test
    void framesThatNeverEndCostOneFrame() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        for (int i = 0; i < 100; i++) {
            RawClient attacker = open();
            byte[] frame = RawClient.frame(0x81, new byte[listener.maxFrameBytes]);
            attacker.send(Arrays.copyOf(frame, frame.length - 1));
        }
        // Tyrus' buffer for the rest of a frame, rounded up.
        assertHeapPerAttacker(before, 100, listener.maxFrameBytes + 48 * KIB);
        decent.isServed();
    }

    @Test
    void endlessFragmentsEndWithTheMessageSize() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        for (int i = 0; i < 20; i++) {
            RawClient attacker = open();
            attacker.send(RawClient.frame(0x01, new byte[100]));
            byte[] fragment = RawClient.frame(0x00, new byte[100]);
            floodUntilEnded(decent, attacker, fragment, i + 1);
        }
        assertThat(listener.server().ended()).containsEntry("too-big", 20L);
        assertHeapPerAttacker(before, 20, 32 * KIB);
        decent.isServed();
    }

    @Test
    void endlessEmptyFragmentsCostNothingAndAreTooMany() throws Exception {
        Decent decent = new Decent();
        RawClient attacker = open();
        attacker.send(RawClient.frame(0x01, new byte[0]));
        byte[] fragments = repeat(RawClient.frame(0x00, new byte[0]), 1_000);
        long before = heap();
        for (int i = 0; i < 500; i++) { // as many as could come within the limit in an hour and more
            attacker.send(fragments);
        }
        attacker.send(RawClient.frame(0x89, "end".getBytes(UTF_8)));
        assertThat(attacker.receive().text()).isEqualTo("end");
        assertHeapPerAttacker(before, 1, 256 * KIB);
        decent.isServed();
        attacker.close();
    }

    @Test
    void manyTinyFramesEndTheConnection() throws Exception {
        flood(ANY, RawClient.frame(0x81, "x".getBytes(UTF_8)));
    }

    @Test
    void aFloodOfPingsIsTooMany() throws Exception {
        flood(Set.of("too-many"), RawClient.frame(0x89, new byte[125]));
    }

    @Test
    void aFloodOfPongsIsTooMany() throws Exception {
        flood(Set.of("too-many"), RawClient.frame(0x8A, new byte[8]));
    }

    @Test
    void aFloodOfAcksEndsTheConnection() throws Exception {
        flood(ANY, RawClient.frame(0x81, "{\"type\":\"ack\",\"count\":0}".getBytes(UTF_8)));
    }

    @Test
    void aFloodOfSubscriptionsIsTooMany() throws Exception {
        flood(
                Set.of("too-many"),
                RawClient.frame(0x81, "{\"type\":\"subscribe\",\"payload\":{\"channel\":\"c\"}}".getBytes(UTF_8)));
    }

    @Test
    void aFloodOfEmptyFragmentsIsTooMany() throws Exception {
        flood(Set.of("too-many"), RawClient.frame(0x01, new byte[0]), RawClient.frame(0x00, new byte[0]));
    }

    @Test
    void whoPingsAndNeverReadsCostsNoMoreThanTheReserveForAnswers() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        List<SocketChannel> attackers = attackers(20);
        byte[] pings = repeat(RawClient.frame(0x89, new byte[125]), 500);
        for (SocketChannel attacker : attackers) {
            attacker.configureBlocking(false);
            for (int i = 0; i < 20; i++) {
                attacker.write(ByteBuffer.wrap(pings)); // what the kernel takes
            }
        }
        decent.isServed();
        assertHeapPerAttacker(before, 20, listener.outboxBytes + 128 * KIB);
    }

    @Test
    void aCompressedFrameIsNeverInflated() throws Exception {
        Decent decent = new Decent();
        byte[] bomb = deflated(new byte[1 << 20]);
        long before = heap();
        for (int i = 0; i < 50; i++) {
            RawClient attacker = RawClient.connect(listener.port());
            closeables.add(attacker);
            RawClient.Response response =
                    attacker.handshake("/ws", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
            assertThat(response.headers()).doesNotContainKey("sec-websocket-extensions");
            attacker.send(RawClient.frame(0xC1, bomb));
            assertThat(attacker.receive().closeCode()).isEqualTo(1002);
        }
        assertHeapPerAttacker(before, 50, 32 * KIB);
        decent.isServed();
    }

    /** A megabyte of zeros in a good kilobyte, as permessage-deflate would have it. */
    private static byte[] deflated(byte[] text) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        deflater.setInput(text);
        deflater.finish();
        byte[] room = new byte[4_000];
        int length = deflater.deflate(room);
        assertThat(deflater.finished()).isTrue();
        deflater.end();
        return Arrays.copyOf(room, length);
    }

    @Test
    void halfOpenConnectionsAreFoundByTheirSilence() throws Exception {
        Decent decent = new Decent();
        long before = heap();
        attackers(100);
        assertHeapPerAttacker(before, 100, 32 * KIB);
        assertThat(listener.server().connections()).isEqualTo(101);
        listener.clock.advance(Duration.ofSeconds(26));
        listener.server().sweep();
        decent.answersPings();
        TestListener.await(() -> {
            listener.clock.advance(Duration.ofSeconds(11)); // a ping may have gone out only after the last advance
            decent.answersPings();
            listener.server().sweep();
            return listener.server().connections() == 1;
        });
        assertThat(listener.server().ended()).containsEntry("unresponsive", 100L);
        decent.isServed();
    }

    /** @param how the connections may end */
    private void flood(Set<String> how, byte[]... frames) throws Exception {
        listener.limits = new SocketLimits(1_000_000, 1_000_000, 1_000_000, 100);
        Decent decent = new Decent();
        long before = heap();
        for (int i = 0; i < 10; i++) {
            RawClient attacker = open();
            attacker.send(frames[0]);
            floodUntilEnded(decent, attacker, frames[frames.length - 1], i + 1);
            decent.isServed();
        }
        assertThat(how).containsAll(listener.server().ended().keySet());
        assertThat(listener.server().ended().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(10);
        assertHeapPerAttacker(before, 10, 256 * KIB);
    }

    // ---------------------------------------------------------------------------------------------------------------

    /** A client that does nothing wrong. */
    private final class Decent {
        private final RawClient client;
        private final Opened session;
        private int sent;

        Decent() throws IOException {
            client = listener.open("/ws?user=decent");
            closeables.add(client);
            session = listener.sessions.opened.get(listener.sessions.opened.size() - 1);
        }

        /** It gets an answer, and what is pushed to it. */
        void isServed() throws IOException {
            client.sendText("{\"type\":\"ping\",\"seq\":" + ++sent + "}");
            assertThat(textBehindPings()).contains("pong").contains(String.valueOf(sent));
            assertThat(session.sink.offer(Frame.envelope(("pushed " + sent).getBytes(UTF_8), false)))
                    .isTrue();
            session.sink.flush();
            assertThat(textBehindPings()).isEqualTo("pushed " + sent);
        }

        /** Is alive at this time of the clock. */
        void answersPings() throws IOException {
            isServed();
        }

        private String textBehindPings() throws IOException {
            RawClient.Received frame = client.receive();
            while (frame.opcode() == 9) {
                client.sendPong(frame.payload());
                frame = client.receive();
            }
            return frame.text();
        }
    }

    private RawClient open() throws IOException {
        RawClient client = listener.open("/ws?user=attacker");
        closeables.add(client);
        return client;
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_RCVBUF, 8_192);
        channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.port()));
        closeables.add(channel);
        return channel;
    }

    /** Open WebSockets of which nothing is read but the answer to the handshake. */
    private List<SocketChannel> attackers(int count) throws IOException {
        int before = listener.sessions.opened.size();
        List<SocketChannel> attackers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SocketChannel attacker = connect();
            attacker.write(ByteBuffer.wrap("""
                    GET /ws?user=attacker HTTP/1.1
                    Host: localhost
                    Upgrade: websocket
                    Connection: Upgrade
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
                    Sec-WebSocket-Version: 13

                    """.replace("\n", "\r\n").getBytes(UTF_8)));
            attackers.add(attacker);
        }
        TestListener.await(() -> listener.sessions.opened.size() == before + count);
        return attackers;
    }

    /** Offers until nothing more is taken and nothing more is written; every frame its own. */
    private static void fill(Opened session) {
        long[] seen = {-1};
        TestListener.await(() -> {
            boolean taken = false;
            while (session.sink.offer(Frame.envelope("x".repeat(1000).getBytes(UTF_8), true))) {
                taken = true;
            }
            session.sink.flush();
            boolean quiet = !taken && session.sink.written() == seen[0];
            seen[0] = session.sink.written();
            return quiet;
        });
    }

    /** Sends until the server has had enough, and on until it ends the connection. */
    private void floodUntilEnded(Decent decent, RawClient attacker, byte[] frame, int connectionsBefore)
            throws IOException {
        byte[] many = repeat(frame, 100);
        try {
            for (int i = 0; i < 100_000; i++) {
                attacker.send(many);
                if (i % 100 == 99
                        && listener.sessions
                                        .opened
                                        .get(connectionsBefore)
                                        .closed
                                        .get()
                                == 1) {
                    listener.clock.advance(Duration.ofSeconds(3)); // it need not read the close frame
                    listener.server().sweep();
                    decent.isServed();
                }
            }
        } catch (SocketException e) {
            return; // cut off
        }
        throw new AssertionError("ten million frames, and still connected");
    }

    private static long mayBeOpen() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getMaxFileDescriptorCount()
                : Long.MAX_VALUE;
    }

    private static byte[] repeat(byte[] frame, int times) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < times; i++) {
            all.writeBytes(frame);
        }
        return all.toByteArray();
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static void assertHeapPerAttacker(long before, int attackers, long most) {
        long each = (heap() - before) / attackers;
        assertThat(each).as("bytes of heap for each attacker").isLessThanOrEqualTo(most);
        System.getLogger(AbuseTest.class.getName()).log(System.Logger.Level.INFO, "{0} bytes each", each);
    }
}
