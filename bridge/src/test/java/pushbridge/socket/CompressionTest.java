package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.delivery.ClientRequest;
import pushbridge.delivery.CloseCode;
import pushbridge.outbox.Frame;

/** permessage-deflate (RFC 7692): what is agreed on, what goes out, and what comes in. */
final class CompressionTest {

    private static final int MAX = 4_096;
    private static final int ABOVE = 100;
    private static final String OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    private static final String SUBSCRIBE = "{\"type\":\"subscribe\",\"payload\":{\"channel\":\"news\"},\"seq\":1}";

    private final TestListener listener = new TestListener();

    CompressionTest() {
        listener.maxFrameBytes = MAX;
        listener.compressAbove = ABOVE;
    }

    @AfterEach
    void stop() {
        listener.close();
    }

    // ---- what is agreed on -------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "permessage-deflate",
                "permessage-deflate; client_max_window_bits",
                "Permessage-Deflate;server_no_context_takeover ; client_no_context_takeover",
                "permessage-deflate; client_max_window_bits=\"9\"",
                "permessage-deflate; server_max_window_bits=15",
                "x-webkit-deflate-frame, permessage-deflate",
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            })
    void anOfferThatCanBeKeptIsTaken(String offer) throws IOException {
        try (RawClient client = RawClient.connect(listener.port())) {
            assertThat(client.handshake("/ws", "Sec-WebSocket-Extensions: " + offer)
                            .headers())
                    .containsEntry(
                            "sec-websocket-extensions",
                            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "permessage-bzip2",
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits",
                "permessage-deflate; client_max_window_bits=7",
                "permessage-deflate; client_max_window_bits=16",
                "permessage-deflate; client_max_window_bits=08",
                "permessage-deflate; client_max_window_bits=9999999999",
                "permessage-deflate; client_no_context_takeover=1",
                "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; unknown",
                "permessage-deflate;",
            })
    void anyOtherOfferIsDeclinedAndTheConnectionOpensAllTheSame(String offer) throws IOException {
        try (RawClient client = RawClient.connect(listener.port())) {
            RawClient.Response response = client.handshake("/ws", "Sec-WebSocket-Extensions: " + offer);
            assertThat(response.status()).isEqualTo(101);
            assertThat(response.headers()).doesNotContainKey("sec-websocket-extensions");
        }
    }

    @Test
    void withoutTheSettingNoOfferIsTaken() throws IOException {
        listener.compressAbove = 0;
        try (RawClient client = RawClient.connect(listener.port())) {
            assertThat(client.handshake("/ws", OFFER).headers()).doesNotContainKey("sec-websocket-extensions");
        }
    }

    // ---- what goes out -----------------------------------------------------------------------------------------

    @Test
    void aLargeMessageGoesOutCompressedToThoseWhoAgreedAndPlainToOthers() throws Exception {
        Frame large = Frame.envelope(
                ("{\"type\":\"n\",\"seq\":1,\"payload\":\"" + "news ".repeat(100) + "\"}").getBytes(UTF_8), true);
        Frame small = Frame.envelope("{\"type\":\"n\",\"seq\":2,\"payload\":\"\"}".getBytes(UTF_8), true);
        try (RawClient one = listener.open("/ws", OFFER);
                RawClient two = listener.open("/ws", OFFER);
                RawClient plain = listener.open("/ws")) {
            for (RecordingSessions.Opened session : listener.sessions.opened) {
                assertThat(session.sink.offer(large)).isTrue();
                assertThat(session.sink.offer(small)).isTrue();
                assertThat(session.sink.offer(large)).isTrue();
                session.sink.flush();
            }
            byte[] text = payloadOf(large);
            for (RawClient client : List.of(one, two)) {
                // The third can be read without the first: nothing is remembered from one message to the next.
                RawClient.Received first = client.receive();
                RawClient.Received second = client.receive();
                RawClient.Received third = client.receive();
                assertThat(first.compressed()).isTrue();
                assertThat(first.payload()).hasSizeLessThan(ABOVE).isEqualTo(third.payload());
                assertThat(inflated(third.payload())).isEqualTo(text);
                assertThat(second.compressed()).isFalse();
                assertThat(second.payload()).isEqualTo(payloadOf(small));
            }
            RawClient.Received first = plain.receive();
            assertThat(first.compressed()).isFalse();
            assertThat(first.payload()).isEqualTo(text);
        }
    }

    @Test
    void whatWouldNotBeShorterGoesOutAsItIs() throws Exception {
        byte[] noise = new byte[150];
        new Random(4).nextBytes(noise);
        Frame frame =
                Frame.envelope(HexFormat.of().formatHex(noise).substring(0, 101).getBytes(UTF_8), false);
        Frame ping = Frame.ping(5);
        assertThat(ping.compressed()).isEqualTo(ping.bytes());
        byte[] random = new byte[500];
        new Random(5).nextBytes(random);
        Frame incompressible = Frame.envelope(random, false);
        assertThat(incompressible.compressed()).isEqualTo(incompressible.bytes());
        assertThat(frame.compressed().remaining()).isLessThanOrEqualTo(frame.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000})
    void anyLengthComesBackWhole(int length) throws Exception {
        byte[] text = new byte[length];
        Random random = new Random(length);
        for (int i = 0; i < length; i++) {
            text[i] = (byte) ('a' + random.nextInt(3));
        }
        ByteBuffer frame = Frame.envelope(text, false).compressed();
        boolean compressed = (frame.get(frame.position()) & 0x40) != 0;
        byte[] payload = payloadOf(frame);
        assertThat(compressed ? inflated(payload) : payload).isEqualTo(text);
        assertThat(compressed).isEqualTo(length > 1);
    }

    // ---- what comes in -----------------------------------------------------------------------------------------

    @Test
    void aCompressedMessageIsUnderstood() throws IOException {
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0xC1, deflated(SUBSCRIBE)));
            awaitRequests(1);
        }
    }

    @Test
    void fragmentsWithAPingInBetweenAreOneMessage() throws IOException {
        byte[] message = deflated(SUBSCRIBE);
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0x41, Arrays.copyOf(message, 10)));
            client.send(RawClient.frame(0x89, "between".getBytes(UTF_8)));
            client.send(RawClient.frame(0x00, Arrays.copyOfRange(message, 10, 11)));
            client.send(RawClient.frame(0x80, Arrays.copyOfRange(message, 11, message.length)));
            awaitRequests(1);
            RawClient.Received pong = client.receive();
            assertThat(pong.opcode()).isEqualTo(0xA);
            assertThat(pong.payload()).isEqualTo("between".getBytes(UTF_8));
        }
    }

    @Test
    void compressedAndPlainMessagesMayAlternate() throws IOException {
        try (RawClient client = listener.open("/ws", OFFER)) {
            for (int i = 0; i < 10; i++) {
                client.send(RawClient.frame(0xC1, deflated(SUBSCRIBE)));
                client.sendText(SUBSCRIBE);
            }
            awaitRequests(20);
        }
    }

    @Test
    void aStreamThatEndsWithinAMessageGoesOnWithTheNext() throws IOException { // RFC 7692 section 7.2.3.4
        ByteArrayOutputStream twice = new ByteArrayOutputStream();
        twice.writeBytes(finished(SUBSCRIBE.substring(0, 12)));
        twice.writeBytes(finished(SUBSCRIBE.substring(12)));
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0xC1, twice.toByteArray()));
            twice.write(0); // as the RFC shows it
            client.send(RawClient.frame(0xC1, twice.toByteArray()));
            awaitRequests(2);
        }
    }

    @Test
    void theExamplesOfTheRfcAreRead() { // section 7.2.3
        for (String example : List.of(
                "f248cdc9c90700", // one block
                "000500faff48656c6c6f00", // without compression
                "f348cdc9c9070000", // the last block is marked so
                "f248050000 00ffff cac9c90700".replace(" ", ""))) { // two blocks
            assertThat(plainOf(RawClient.frame(0xC1, HexFormat.of().parseHex(example))))
                    .as(example)
                    .isEqualTo("Hello");
        }
    }

    @Test
    void anEmptyMessageIsEmpty() {
        assertThat(plainOf(RawClient.frame(0xC1, new byte[] {0}))).isEmpty();
        assertThat(plainOf(RawClient.frame(0xC1, new byte[0]))).isEmpty();
    }

    @Test
    void howTheStreamIsCutDoesNotMatter() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            ByteArrayOutputStream stream = new ByteArrayOutputStream();
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            for (int i = 0; i < 5; i++) {
                String text = "ab".repeat(random.nextInt(300)) + random.nextInt();
                expected.writeBytes(text.getBytes(UTF_8));
                if (random.nextBoolean()) {
                    writeInFragments(stream, deflated(text), random);
                } else {
                    stream.writeBytes(RawClient.frame(0x81, text.getBytes(UTF_8)));
                }
            }
            Inflation inflation = new Inflation(MAX);
            ByteBuffer in = ByteBuffer.wrap(stream.toByteArray());
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            while (in.hasRemaining()) {
                int step = Math.min(in.remaining(), 1 + random.nextInt(round % 2 == 0 ? 3 : 500));
                ByteBuffer piece = in.slice(in.position(), step);
                in.position(in.position() + step);
                ByteBuffer plain = inflation.plain(piece);
                byte[] more = new byte[plain.remaining()];
                plain.get(more);
                out.writeBytes(more);
            }
            assertThat(inflation.violation())
                    .as("seed %d, round %d", seed, round)
                    .isNull();
            assertThat(textsOf(out.toByteArray()))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(expected.toString(UTF_8));
        }
    }

    private static void writeInFragments(ByteArrayOutputStream stream, byte[] message, Random random) {
        int at = 0;
        int first = 0x41;
        while (random.nextInt(3) > 0) {
            int next = at + random.nextInt(message.length - at + 1);
            stream.writeBytes(RawClient.frame(first, Arrays.copyOfRange(message, at, next)));
            at = next;
            first = 0x00;
        }
        stream.writeBytes(RawClient.frame(first | 0x80, Arrays.copyOfRange(message, at, message.length)));
    }

    // ---- what is refused ---------------------------------------------------------------------------------------

    @Test
    void aBombIsRefusedBeforeItGoesOff() throws IOException { // I5
        byte[] bomb = deflated("0".repeat(2_000_000));
        assertThat(bomb).hasSizeLessThan(MAX);
        try (RawClient attacker = listener.open("/ws", OFFER);
                RawClient other = listener.open("/ws", OFFER)) {
            attacker.send(RawClient.frame(0xC1, bomb));
            assertThat(closeCodeOf(attacker)).isEqualTo(1009);
            other.send(RawClient.frame(0xC1, deflated(SUBSCRIBE)));
            awaitRequests(1);
        }
        Inflation inflation = new Inflation(MAX);
        assertThat(inflation.plain(ByteBuffer.wrap(RawClient.frame(0xC1, bomb))).capacity())
                .isLessThan(4 * MAX);
    }

    @Test
    void aMessageOfExactlyTheLimitPassesAndOneMoreByteDoesNot() throws IOException {
        String most = "x".repeat(MAX);
        assertThat(plainOf(RawClient.frame(0xC1, deflated(most)))).isEqualTo(most);
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0xC1, deflated(most + "x")));
            assertThat(closeCodeOf(client)).isEqualTo(1009);
        }
    }

    @Test
    void whatIsNotCompressedAsItSaysIsBadData() throws IOException {
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0xC1, new byte[] {(byte) 0xFF, (byte) 0xFF, 1, 2, 3}));
            assertThat(closeCodeOf(client)).isEqualTo(1007);
        }
    }

    @Test
    void textThatIsNotUtf8IsBadData() throws IOException {
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0xC1, deflated(new byte[] {'a', (byte) 0xC0, 'b'})));
            assertThat(closeCodeOf(client)).isEqualTo(1007);
        }
    }

    @Test
    void framesThatCannotFollowEachOtherAreProtocolErrors() throws IOException {
        byte[] part = Arrays.copyOf(deflated(SUBSCRIBE), 5);
        List<byte[][]> wrong = List.of(
                new byte[][] {RawClient.frame(0x41, part), RawClient.frame(0x81, part)}, // another message within
                new byte[][] {RawClient.frame(0x41, part), RawClient.frame(0xC1, part)},
                new byte[][] {RawClient.frame(0x41, part), RawClient.frame(0xC0, part)}, // said twice
                new byte[][] {RawClient.frame(0xC0, part)},
                new byte[][] {RawClient.frame(0xC9, part)}, // a compressed ping
                new byte[][] {RawClient.frame(0xE1, part)}, // another bit besides
                new byte[][] {{(byte) 0xC1, 1, 0}}); // without a mask
        for (byte[][] frames : wrong) {
            try (RawClient client = listener.open("/ws", OFFER)) {
                for (byte[] frame : frames) {
                    client.send(frame);
                }
                assertThat(closeCodeOf(client))
                        .as(HexFormat.of().formatHex(frames[frames.length - 1]))
                        .isEqualTo(1002);
            }
        }
    }

    @Test
    void fragmentsTogetherMayNotBeLongerThanAMessage() throws IOException { // I5
        try (RawClient client = listener.open("/ws", OFFER)) {
            client.send(RawClient.frame(0x41, new byte[MAX / 2]));
            client.send(RawClient.frame(0x00, new byte[MAX / 2]));
            client.send(RawClient.frame(0x00, new byte[1]));
            assertThat(closeCodeOf(client)).isEqualTo(1009);
        }
    }

    @Test
    void endlessEmptyFragmentsAreCounted() {
        Inflation inflation = new Inflation(MAX);
        inflation.plain(ByteBuffer.wrap(RawClient.frame(0x41, new byte[0])));
        for (int i = 0; i < 99; i++) {
            assertThat(inflation
                            .plain(ByteBuffer.wrap(RawClient.frame(0x00, new byte[0])))
                            .hasRemaining())
                    .isFalse();
        }
        assertThat(inflation.framesSince()).isEqualTo(100);
        assertThat(inflation.framesSince()).isZero();
    }

    // ---- the parts ---------------------------------------------------------------------------------------------

    private void awaitRequests(int count) {
        TestListener.await(() -> listener.sessions.opened.stream()
                        .mapToInt(session -> session.requests.size())
                        .sum()
                == count);
        assertThat(listener.sessions.opened)
                .flatExtracting(session -> session.requests)
                .containsOnly(new ClientRequest.Subscribe("news", 1));
    }

    private static int closeCodeOf(RawClient client) throws IOException {
        RawClient.Received frame = client.receive();
        assertThat(frame.opcode()).isEqualTo(8);
        return frame.closeCode();
    }

    /** The text of the one frame that is left of these bytes. */
    private static String plainOf(byte[] frame) {
        Inflation inflation = new Inflation(MAX);
        ByteBuffer plain = inflation.plain(ByteBuffer.wrap(frame));
        @Nullable CloseCode violation = inflation.violation();
        assertThat(violation).isNull();
        byte[] bytes = new byte[plain.remaining()];
        plain.get(bytes);
        FrameGuard guard = new FrameGuard(MAX);
        assertThat(guard.scan(ByteBuffer.wrap(bytes))).isEqualTo(bytes.length);
        return textsOf(bytes);
    }

    /** The texts of masked frames, one behind the other. */
    private static String textsOf(byte[] stream) {
        ByteArrayOutputStream texts = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.wrap(stream);
        while (in.hasRemaining()) {
            assertThat(in.get() & 0xFF).isEqualTo(0x81);
            int length = in.get() & 0x7F;
            if (length == 126) {
                length = in.getShort() & 0xFFFF;
            }
            byte[] mask = new byte[4];
            in.get(mask);
            for (int i = 0; i < length; i++) {
                texts.write(in.get() ^ mask[i & 3]);
            }
        }
        return texts.toString(UTF_8);
    }

    private static byte[] deflated(String text) {
        return deflated(text.getBytes(UTF_8));
    }

    private static byte[] deflated(byte[] text) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        deflater.setInput(text);
        byte[] target = new byte[text.length + 100];
        int size = deflater.deflate(target, 0, target.length, Deflater.SYNC_FLUSH);
        deflater.end();
        return Arrays.copyOf(target, size - 4);
    }

    /** With the last block marked as the last. */
    private static byte[] finished(String text) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        deflater.setInput(text.getBytes(UTF_8));
        deflater.finish();
        byte[] target = new byte[text.length() + 100];
        int size = deflater.deflate(target);
        deflater.end();
        return Arrays.copyOf(target, size);
    }

    private static byte[] inflated(byte[] payload) throws DataFormatException {
        Inflater inflater = new Inflater(true);
        byte[] input = Arrays.copyOf(payload, payload.length + 4);
        input[input.length - 1] = (byte) 0xFF;
        input[input.length - 2] = (byte) 0xFF;
        inflater.setInput(input);
        byte[] target = new byte[2_000_000];
        int size = inflater.inflate(target);
        inflater.end();
        return Arrays.copyOf(target, size);
    }

    private static byte[] payloadOf(Frame frame) {
        return payloadOf(frame.bytes());
    }

    private static byte[] payloadOf(ByteBuffer frame) {
        int length = frame.get(frame.position() + 1);
        frame.position(frame.position() + (length == 126 ? 4 : length == 127 ? 10 : 2));
        byte[] payload = new byte[frame.remaining()];
        frame.get(payload);
        return payload;
    }
}
