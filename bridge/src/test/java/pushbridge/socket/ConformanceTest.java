package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * The cases of the Autobahn test suite that apply to a server which takes text only and offers no compression, under their
 * numbers there. What Autobahn sees echoed is here what follows: a ping frame that is answered shows that the connection
 * has survived. Not here: 9 (performance), what only binary messages can show, and 12 and 13: see {@link CompressionTest}.
 */
class ConformanceTest {

    /** How a case ends: with this close code, or, when it is {@link #STAYS}, not at all. */
    private static final int STAYS = 0;

    private static final int MAX = 4_096;

    private static final TestListener LISTENER = new TestListener();
    private static final ListAppender<ILoggingEvent> LOG = new ListAppender<>();

    record Case(String number, String what, int end, List<byte[]> pieces) {
        @Override
        public String toString() {
            return number + " " + what;
        }
    }

    @BeforeAll
    static void listen() {
        LISTENER.maxFrameBytes = MAX;
        LISTENER.port();
        LOG.start();
        root().addAppender(LOG);
    }

    @AfterAll
    static void stop() {
        root().detachAppender(LOG);
        LISTENER.close();
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    static Stream<Case> cases() {
        byte[] goodUtf8 = "Hello-µ@ßöäüàá-UTF-8!!".getBytes(UTF_8);
        byte[] cutUtf8 = HexFormat.of().parseHex("cebae1bdb9cf83cebcceb5eda080656469746564"); // a surrogate: 6.3, 6.4
        return Stream.of(
                // 1 Framing
                of("1.1.1", "empty text", STAYS, text("")),
                of("1.1.2", "125 bytes", STAYS, text("*".repeat(125))),
                of("1.1.3", "126 bytes", STAYS, text("*".repeat(126))),
                of("1.1.4", "127 bytes", STAYS, text("*".repeat(127))),
                of("1.1.5", "128 bytes", STAYS, text("*".repeat(128))),
                of("1.1.6", "as many bytes as may be", STAYS, text("*".repeat(MAX))),
                of("1.1.7", "65,536 bytes, more than may be", 1009, text("*".repeat(65_536))),
                of("1.1.8", "one byte more than may be", 1009, text("*".repeat(MAX + 1))),
                of("1.2.1", "binary", 1003, frame(0x82, "")),
                // 2 Pings and pongs
                of("2.1", "ping without payload", STAYS, frame(0x89, "")),
                of("2.2", "ping with payload", STAYS, frame(0x89, "Hello, world!")),
                of("2.3", "ping that is no text", STAYS, RawClient.frame(0x89, new byte[] {0, (byte) 0xFF, (byte) 0xFE
                })),
                of("2.4", "ping of 125 bytes", STAYS, RawClient.frame(0x89, new byte[125])),
                of("2.5", "ping of 126 bytes", 1002, RawClient.frame(0x89, new byte[126])),
                of("2.6", "ping of 125 bytes, byte by byte", STAYS, bytewise(RawClient.frame(0x89, new byte[125]))),
                of("2.7", "unsolicited pong without payload", STAYS, frame(0x8A, "")),
                of("2.8", "unsolicited pong", STAYS, frame(0x8A, "unsolicited")),
                of("2.9", "unsolicited pong, then a ping", STAYS, frame(0x8A, "unsolicited"), frame(0x89, "ping")),
                of("2.10", "ten pings", STAYS, pings(10)),
                of("2.11", "ten pings, byte by byte", STAYS, bytewise(pings(10))),
                // 3 Reserved bits
                of("3.1", "RSV3", 1002, frame(0x91, "Hello")),
                of("3.2", "RSV2 behind a good frame", 1002, text("Hello"), frame(0xA1, "Hello"), frame(0x89, "")),
                of("3.3", "RSV2 and RSV3", 1002, frame(0xB1, "Hello")),
                of("3.4", "RSV1, byte by byte", 1002, bytewise(frame(0xC1, "Hello"))),
                of("3.5", "RSV1 and RSV3 on binary", 1002, frame(0xD2, "Hello")),
                of("3.6", "RSV1 and RSV2 on a ping", 1002, frame(0xE9, "Hello")),
                of("3.7", "all on a close", 1002, frame(0xF8, "")),
                // 4 Opcodes
                of("4.1.1", "opcode 3", 1002, frame(0x83, "")),
                of("4.1.2", "opcode 4", 1002, frame(0x84, "payload")),
                of("4.1.3", "opcode 5 behind a good frame", 1002, text("Hello"), frame(0x85, ""), frame(0x89, "")),
                of("4.1.4", "opcode 6", 1002, text("Hello"), frame(0x86, "payload")),
                of("4.1.5", "opcode 7, byte by byte", 1002, bytewise(frame(0x87, "payload"))),
                of("4.2.1", "opcode 11", 1002, frame(0x8B, "")),
                of("4.2.2", "opcode 12", 1002, frame(0x8C, "payload")),
                of("4.2.3", "opcode 13", 1002, text("Hello"), frame(0x8D, "")),
                of("4.2.4", "opcode 14", 1002, text("Hello"), frame(0x8E, "payload")),
                of("4.2.5", "opcode 15", 1002, bytewise(frame(0x8F, "payload"))),
                // 5 Fragmentation
                of("5.1", "ping in fragments", 1002, frame(0x09, "frag"), frame(0x80, "ment")),
                of("5.2", "pong in fragments", 1002, frame(0x0A, "frag"), frame(0x80, "ment")),
                of("5.3", "text in two fragments", STAYS, frame(0x01, "frag"), frame(0x80, "ment")),
                of("5.4", "in one write", STAYS, together(frame(0x01, "frag"), frame(0x80, "ment"))),
                of("5.5", "byte by byte", STAYS, bytewise(frame(0x01, "frag"), frame(0x80, "ment"))),
                of("5.6", "a ping between", STAYS, frame(0x01, "frag"), frame(0x89, "ping"), frame(0x80, "ment")),
                of("5.7", "in one write", STAYS, together(frame(0x01, "f"), frame(0x89, "p"), frame(0x80, "m"))),
                of("5.8", "byte by byte", STAYS, bytewise(frame(0x01, "f"), frame(0x89, "p"), frame(0x80, "m"))),
                of("5.9", "a continuation of nothing, whole", 1002, frame(0x80, "non"), text("Hello")),
                of("5.10", "in one write", 1002, together(frame(0x80, "non"), text("Hello"))),
                of("5.11", "byte by byte", 1002, bytewise(frame(0x80, "non"), text("Hello"))),
                of("5.12", "a continuation of nothing, not whole", 1002, frame(0x00, "non"), text("Hello")),
                of("5.13", "in one write", 1002, together(frame(0x00, "non"), text("Hello"))),
                of("5.14", "byte by byte", 1002, bytewise(frame(0x00, "non"), text("Hello"))),
                of("5.15", "a continuation behind the end", 1002, frame(0x01, "a"), frame(0x80, "b"), frame(0x00, "c")),
                of("5.16", "a continuation before a text", 1002, frame(0x00, "a"), frame(0x01, "b"), frame(0x80, "c")),
                of("5.17", "a whole one before a text", 1002, frame(0x80, "a"), frame(0x01, "b"), frame(0x80, "c")),
                of("5.18", "two texts in fragments", 1002, frame(0x01, "a"), frame(0x81, "b")),
                of("5.19", "five fragments, pings between", STAYS, manyFragments()),
                of("5.20", "in one write", STAYS, together(manyFragments())),
                // 6 UTF-8
                of("6.1.1", "empty text", STAYS, text("")),
                of("6.1.2", "three empty fragments", STAYS, frame(0x01, ""), frame(0x00, ""), frame(0x80, "")),
                of("6.1.3", "text between empty fragments", STAYS, frame(0x01, ""), frame(0x00, "m"), frame(0x80, "")),
                of("6.2.1", "valid", STAYS, RawClient.frame(0x81, goodUtf8)),
                of("6.2.2", "cut within the text", STAYS, fragments(goodUtf8, 12)),
                of("6.2.3", "a fragment for each byte", STAYS, fragments(goodUtf8, 1)),
                of("6.2.4", "a fragment for each byte of four", STAYS, fragments("κόσμε😀".getBytes(UTF_8), 1)),
                of("6.3.1", "invalid", 1007, RawClient.frame(0x81, cutUtf8)),
                of("6.3.2", "invalid, a fragment for each byte", 1007, fragments(cutUtf8, 1)),
                of("6.4.1", "invalid in the second fragment, which is not the last", 1007, failFast("f4", "90")),
                of("6.4.2", "invalid, cut elsewhere", 1007, failFast("", "f490")),
                of("6.4.3", "invalid within a frame that is not whole", 1007, notWhole("cebaf490808065")),
                of("6.4.4", "invalid at the last byte there is", 1007, notWhole("cebaf490")),
                of("6.5.1", "the lowest of two bytes", STAYS, utf8("c280")),
                of("6.5.2", "the highest of four bytes", STAYS, utf8("f48fbfbf")),
                of("6.6", "cut off at its end", 1007, utf8("cebae1bd")),
                of("6.6.2", "cut off behind the first byte", 1007, utf8("ce")),
                of("6.8", "a byte that never comes", 1007, utf8("fe")),
                of("6.9", "four bytes for too high a number", 1007, utf8("f4908080")),
                of("6.10", "five bytes", 1007, utf8("f888808080")),
                of("6.12", "a continuation alone", 1007, utf8("80")),
                of("6.14", "a lead byte before a blank", 1007, utf8("c020")),
                of("6.17", "overlong slash", 1007, utf8("c0af")),
                of("6.18", "overlong of four bytes", 1007, utf8("f08fbfbf")),
                of("6.19", "overlong zero", 1007, utf8("c080")),
                of("6.20", "lone surrogate", 1007, utf8("eda080")),
                of("6.21", "pair of surrogates", 1007, utf8("eda080edb080")),
                of("6.22", "non-characters", STAYS, utf8("efbfbeefbfbff09fbfbe")),
                of("6.23", "replacement character", STAYS, utf8("efbfbd")),
                // 7 Closing
                of("7.1.2", "two closes", 1000, together(close(1000, ""), close(1000, ""))),
                of("7.1.3", "a ping behind the close", 1000, together(close(1000, ""), frame(0x89, ""))),
                of("7.1.4", "a text behind the close", 1000, together(close(1000, ""), text("late"))),
                of("7.1.5", "a close between fragments", 1000, frame(0x01, "frag"), close(1000, "")),
                of("7.3.1", "without a code", 1000, frame(0x88, "")),
                of("7.3.2", "of one byte", 1002, frame(0x88, "a")),
                of("7.3.3", "of two bytes", 1000, close(1000, "")),
                of("7.3.4", "with a reason", 1000, close(1000, "Hello World!")),
                of("7.3.5", "with the longest reason", 1000, close(1000, "*".repeat(123))),
                of("7.3.6", "with too long a reason", 1002, close(1000, "*".repeat(124))),
                of("7.5.1", "with a reason that is not UTF-8", 1007, closeBytes("03e8cebaf490")));
    }

    static Stream<Case> closeCodes() {
        Stream<Case> valid = Stream.of(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
                .map(code -> of("7.7", "valid close code " + code, code, close(code, "")));
        Stream<Case> invalid = Stream.of(0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535)
                .map(code -> of("7.9", "invalid close code " + code, 1002, close(code, "")));
        return Stream.concat(valid, invalid);
    }

    @ParameterizedTest
    @MethodSource({"cases", "closeCodes"})
    void endsAsTheRfcSays(Case it) throws Exception {
        try (RawClient client = LISTENER.open("/ws?user=1")) {
            for (byte[] piece : it.pieces()) {
                try {
                    client.send(piece);
                } catch (IOException e) {
                    break; // it has had enough; why is in what came before
                }
            }
            if (it.end() == STAYS) {
                client.send(RawClient.frame(0x89, "still here".getBytes(UTF_8)));
                RawClient.Received frame = client.receive();
                while (!(frame.opcode() == 0xA && frame.text().equals("still here"))) {
                    assertThat(frame.opcode()).as("opcode").isIn(0x1, 0xA);
                    frame = client.receive();
                }
            } else {
                RawClient.Received frame = client.receive();
                while (frame.opcode() != 0x8) {
                    frame = client.receive();
                }
                // A close without a code may be answered without one.
                int code = frame.payload().length == 0 ? 1000 : frame.closeCode();
                assertThat(code).isEqualTo(it.end());
                assertThat(client.readToEnd()).isZero();
            }
        }
    }

    @Test
    void pongsCarryWhatTheirPingsDid() throws Exception { // 2.10
        try (RawClient client = LISTENER.open("/ws?user=1")) {
            for (int i = 0; i < 10; i++) {
                client.send(frame(0x89, "payload " + i));
            }
            for (int i = 0; i < 10; i++) {
                RawClient.Received pong = client.receive();
                assertThat(pong.opcode()).isEqualTo(0xA);
                assertThat(pong.text()).isEqualTo("payload " + i);
            }
        }
    }

    @Test
    void aBadFrameIsOneLineInTheLogWithoutAlarmOrTrace() throws Exception {
        for (byte[] bad : List.of(
                frame(0xC1, "x"),
                frame(0x83, ""),
                text("x".repeat(MAX + 1)),
                utf8("ff"),
                close(1006, ""),
                frame(0x80, ""))) {
            try (RawClient client = LISTENER.open("/ws?user=1")) {
                client.send(bad);
                client.readToEnd();
            }
        }
        assertThat(List.copyOf(LOG.list))
                .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.INFO))
                .allSatisfy(event -> {
                    assertThat(event.getLevel()).isEqualTo(Level.INFO);
                    assertThat(event.getFormattedMessage())
                            .startsWith("Connection ")
                            .contains(" ends: ");
                    assertThat(event.getThrowableProxy()).isNull();
                });
    }

    private static Case of(String number, String what, int end, byte[]... pieces) {
        return new Case(number, what, end, Arrays.asList(pieces));
    }

    private static byte[] frame(int firstByte, String payload) {
        return RawClient.frame(firstByte, payload.getBytes(UTF_8));
    }

    private static byte[] text(String text) {
        return frame(0x81, text);
    }

    private static byte[] utf8(String hex) {
        return RawClient.frame(0x81, HexFormat.of().parseHex(hex));
    }

    private static byte[] close(int code, String reason) {
        byte[] text = reason.getBytes(UTF_8);
        byte[] payload = new byte[2 + text.length];
        payload[0] = (byte) (code >> 8);
        payload[1] = (byte) code;
        System.arraycopy(text, 0, payload, 2, text.length);
        return RawClient.frame(0x88, payload);
    }

    private static byte[] closeBytes(String hex) {
        return RawClient.frame(0x88, HexFormat.of().parseHex(hex));
    }

    /** Valid, then these two, each in a fragment of its own; the message never ends. */
    private static byte[][] failFast(String second, String third) {
        return new byte[][] {
            frame(0x01, "κόσμε"),
            RawClient.frame(0x00, HexFormat.of().parseHex(second)),
            RawClient.frame(0x00, HexFormat.of().parseHex(third))
        };
    }

    /** The beginning of a text frame that says that it is longer. */
    private static byte[] notWhole(String hex) {
        byte[] begun = HexFormat.of().parseHex(hex);
        byte[] frame = RawClient.frame(0x81, Arrays.copyOf(begun, 100));
        return Arrays.copyOf(frame, 6 + begun.length);
    }

    private static byte[][] fragments(byte[] text, int size) {
        int count = (text.length + size - 1) / size;
        byte[][] fragments = new byte[count][];
        for (int i = 0; i < count; i++) {
            int first = (i == 0 ? 0x01 : 0x00) | (i == count - 1 ? 0x80 : 0);
            fragments[i] =
                    RawClient.frame(first, Arrays.copyOfRange(text, i * size, Math.min(text.length, (i + 1) * size)));
        }
        return fragments;
    }

    private static byte[][] manyFragments() {
        return new byte[][] {
            frame(0x01, "1"),
            frame(0x00, "2"),
            frame(0x89, "ping 1"),
            frame(0x00, "3"),
            frame(0x00, "4"),
            frame(0x89, "ping 2"),
            frame(0x80, "5")
        };
    }

    private static byte[][] pings(int count) {
        byte[][] pings = new byte[count][];
        for (int i = 0; i < count; i++) {
            pings[i] = frame(0x89, "payload " + i);
        }
        return pings;
    }

    private static byte[] together(byte[]... frames) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] frame : frames) {
            all.writeBytes(frame);
        }
        return all.toByteArray();
    }

    private static byte[][] bytewise(byte[]... frames) {
        byte[] all = together(frames);
        byte[][] bytes = new byte[all.length][];
        for (int i = 0; i < all.length; i++) {
            bytes[i] = new byte[] {all[i]};
        }
        return bytes;
    }
}
