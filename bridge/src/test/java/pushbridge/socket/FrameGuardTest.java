package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.delivery.CloseCode;

class FrameGuardTest {

    private static final int MAX = 300;

    @Test
    void wellFormedFramesPass() {
        byte[] stream = bytes(
                RawClient.frame(0x81, "hi".getBytes(UTF_8)), // text
                RawClient.frame(0x89, new byte[125]), // the longest ping
                RawClient.frame(0x8A, new byte[0]),
                RawClient.frame(0x81, new byte[MAX]),
                RawClient.frame(0x01, new byte[100]), // a message in three fragments, with a ping between
                RawClient.frame(0x89, new byte[3]),
                RawClient.frame(0x00, new byte[100]),
                RawClient.frame(0x80, new byte[100]),
                RawClient.frame(0x81, new byte[0]));
        expect(stream, stream.length, null);
    }

    @Test
    void nothingBehindACloseFrameIsHandedOn() {
        byte[] close = RawClient.frame(0x88, new byte[] {3, (byte) 0xE8});
        expect(bytes(close, RawClient.frame(0x81, "late".getBytes(UTF_8))), close.length, null);
    }

    @Test
    void anUnmaskedFrameIsAProtocolError() {
        expect(new byte[] {(byte) 0x81, 2, 'h', 'i'}, 1, CloseCode.PROTOCOL_ERROR);
    }

    @Test
    void reservedBitsAreAProtocolErrorWithoutAnExtension() {
        for (int bit : List.of(0x40, 0x20, 0x10)) {
            expect(RawClient.frame(0x81 | bit, new byte[1]), 0, CloseCode.PROTOCOL_ERROR);
        }
    }

    @Test
    void unknownOpcodesAreAProtocolError() {
        for (int opcode : List.of(3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)) {
            expect(RawClient.frame(0x80 | opcode, new byte[1]), 0, CloseCode.PROTOCOL_ERROR);
        }
    }

    @Test
    void binaryFramesAreNotAcceptable() {
        expect(RawClient.frame(0x82, new byte[1]), 0, CloseCode.NOT_ACCEPTABLE);
    }

    @Test
    void aFrameAboveTheLimitIsTooBigAsSoonAsItsLengthIsKnown() {
        expect(RawClient.frame(0x81, new byte[MAX + 1]), 3, CloseCode.TOO_BIG);
        byte[] eightByteLength = {(byte) 0x81, (byte) 0xFF, 0, 0, 0, 1, 0, 0, 0, 0};
        expect(eightByteLength, 9, CloseCode.TOO_BIG);
    }

    @Test
    void aNegativeLengthIsAProtocolError() {
        byte[] negative = {(byte) 0x81, (byte) 0xFF, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0};
        expect(negative, 9, CloseCode.PROTOCOL_ERROR);
    }

    @Test
    void aMessageInFragmentsCountsAsOne() {
        byte[] first = RawClient.frame(0x01, new byte[100]);
        byte[] second = RawClient.frame(0x00, new byte[100]);
        byte[] third = RawClient.frame(0x80, new byte[101]);
        expect(bytes(first, second, third), first.length + second.length + 1, CloseCode.TOO_BIG);
    }

    @Test
    void controlFramesAreShortAndWhole() {
        expect(RawClient.frame(0x89, new byte[126]), 1, CloseCode.PROTOCOL_ERROR);
        expect(RawClient.frame(0x09, new byte[1]), 0, CloseCode.PROTOCOL_ERROR);
        expect(RawClient.frame(0x08, new byte[0]), 0, CloseCode.PROTOCOL_ERROR);
    }

    @Test
    void aContinuationNeedsAStartAndAMessageAnEnd() {
        expect(RawClient.frame(0x80, new byte[1]), 0, CloseCode.PROTOCOL_ERROR);
        byte[] start = RawClient.frame(0x01, new byte[1]);
        expect(bytes(start, RawClient.frame(0x81, new byte[1])), start.length, CloseCode.PROTOCOL_ERROR);
        byte[] whole = RawClient.frame(0x81, new byte[1]);
        expect(bytes(whole, RawClient.frame(0x80, new byte[1])), whole.length, CloseCode.PROTOCOL_ERROR);
    }

    /** The verdict must not depend on how TCP has cut the stream: tries it whole, byte by byte, and in every two parts. */
    private static void expect(byte[] stream, int passing, @Nullable CloseCode violation) {
        for (int cut = 0; cut <= stream.length; cut++) {
            FrameGuard guard = new FrameGuard(MAX);
            int passed = guard.scan(ByteBuffer.wrap(stream, 0, cut));
            passed += guard.scan(ByteBuffer.wrap(stream, cut, stream.length - cut));
            assertThat(passed).as("bytes passed, cut at %d", cut).isEqualTo(passing);
            assertThat(guard.violation()).as("cut at %d", cut).isEqualTo(violation);
        }
        FrameGuard guard = new FrameGuard(MAX);
        int passed = 0;
        for (int i = 0; i < stream.length; i++) {
            passed += guard.scan(ByteBuffer.wrap(stream, i, 1));
        }
        assertThat(passed).as("bytes passed, one at a time").isEqualTo(passing);
        assertThat(guard.violation()).isEqualTo(violation);
    }

    private static byte[] bytes(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
