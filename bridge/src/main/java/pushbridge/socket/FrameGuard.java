package pushbridge.socket;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.CloseCode;

/**
 * Watches the bytes of one client, frame header by frame header, before Tyrus sees them. Tyrus accepts unmasked frames,
 * answers an oversized one with 1011 and a stack trace in the log, looks at UTF-8 only when a frame is whole, and bounds
 * fragmented messages only by its buffers; RFC 6455 and I5 want otherwise. One thread at a time; keeps a few numbers and no bytes.
 */
final class FrameGuard {

    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int BINARY = 0x2;
    private static final int CLOSE = 0x8;
    private static final int PONG = 0xA;
    private static final int MAX_CONTROL_PAYLOAD = 125;

    /** What the next byte is. */
    private enum Expect {
        FIRST_BYTE,
        SECOND_BYTE,
        LENGTH,
        MASK,
        PAYLOAD,
        /** Behind a close frame or a violation: nothing is looked at any more. */
        NOTHING
    }

    private final int maxBytes;

    private Expect expect = Expect.FIRST_BYTE;
    /** Bytes of the length, the mask or the payload that are still to come. */
    private long missing;

    private long length;
    private int mask;
    private final Utf8Check utf8 = new Utf8Check();
    private byte opcode;
    private boolean fin;
    private boolean insideMessage;
    private int messageBytes;
    private int frames;
    private boolean closeSeen;
    private @Nullable CloseCode violation;

    /**
     * @param maxBytes payload of one frame, and of one message in fragments
     */
    FrameGuard(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /**
     * Looks at more bytes; the buffer's position stays.
     *
     * @return how many of them may be handed on; fewer than there are only behind a close frame or when there is a
     *     {@link #violation()}
     */
    int scan(ByteBuffer bytes) {
        int at = bytes.position();
        int end = bytes.limit();
        while (at < end) {
            switch (expect) {
                case FIRST_BYTE -> {
                    if (!firstByte(bytes.get(at) & 0xFF)) {
                        return at - bytes.position();
                    }
                    at++;
                }
                case SECOND_BYTE -> {
                    if (!secondByte(bytes.get(at) & 0xFF)) {
                        return at - bytes.position();
                    }
                    at++;
                }
                case LENGTH -> {
                    // Eight bytes overflow only into the sign, which is refused with all that is too large.
                    length = length << 8 | (bytes.get(at) & 0xFF);
                    if (--missing == 0 && !lengthKnown()) {
                        return at - bytes.position();
                    }
                    at++;
                }
                case MASK -> {
                    mask = mask << Byte.SIZE | (bytes.get(at) & 0xFF);
                    at++;
                    if (--missing == 0) {
                        missing = length;
                        expect = Expect.PAYLOAD;
                        if (!endOfFrame()) {
                            return at - bytes.position();
                        }
                    }
                }
                case PAYLOAD -> {
                    int step = (int) Math.min(missing, end - at);
                    int good = opcode < CLOSE ? utf8Bytes(bytes, at, step) : step;
                    at += good;
                    if (good < step) {
                        violated(CloseCode.BAD_DATA);
                        return at - bytes.position();
                    }
                    missing -= step;
                    if (!endOfFrame()) {
                        return at - bytes.position();
                    }
                }
                case NOTHING -> {
                    return at - bytes.position();
                }
            }
        }
        return at - bytes.position();
    }

    private boolean firstByte(int first) {
        frames++;
        fin = (first & 0x80) != 0;
        opcode = (byte) (first & 0x0F);
        if ((first & 0x70) != 0) {
            return violated(CloseCode.PROTOCOL_ERROR); // no extension was negotiated
        }
        switch (opcode) {
            case CONTINUATION -> {
                if (!insideMessage) {
                    return violated(CloseCode.PROTOCOL_ERROR);
                }
            }
            case TEXT -> {
                if (insideMessage) {
                    return violated(CloseCode.PROTOCOL_ERROR);
                }
            }
            case BINARY -> {
                return violated(CloseCode.NOT_ACCEPTABLE);
            }
            default -> {
                if (opcode < CLOSE || opcode > PONG || !fin) {
                    return violated(CloseCode.PROTOCOL_ERROR);
                }
            }
        }
        expect = Expect.SECOND_BYTE;
        return true;
    }

    private boolean secondByte(int second) {
        if ((second & 0x80) == 0) {
            return violated(CloseCode.PROTOCOL_ERROR); // a client must mask
        }
        int shortLength = second & 0x7F;
        if (shortLength > MAX_CONTROL_PAYLOAD) {
            if (opcode >= CLOSE) {
                return violated(CloseCode.PROTOCOL_ERROR);
            }
            length = 0;
            missing = shortLength == 126 ? Short.BYTES : Long.BYTES;
            expect = Expect.LENGTH;
            return true;
        }
        length = shortLength;
        return lengthKnown();
    }

    private boolean lengthKnown() {
        if (opcode < CLOSE) {
            if (length < 0 || length > maxBytes - messageBytes) {
                return violated(length < 0 ? CloseCode.PROTOCOL_ERROR : CloseCode.TOO_BIG);
            }
            insideMessage = !fin;
            messageBytes = fin ? 0 : messageBytes + (int) length;
        }
        missing = Integer.BYTES;
        expect = Expect.MASK;
        return true;
    }

    /** How many of these bytes may stand where they do. */
    private int utf8Bytes(ByteBuffer bytes, int from, int count) {
        int into = (int) (length - missing); // of the frame, which says where in the mask
        for (int i = 0; i < count; i++) {
            int shift = (Integer.BYTES - 1 - ((into + i) & 3)) * Byte.SIZE;
            if (!utf8.next((bytes.get(from + i) ^ (mask >> shift)) & 0xFF)) {
                return i;
            }
        }
        return count;
    }

    /** Goes on when a frame has ended; false when it may not end so. */
    private boolean endOfFrame() {
        if (missing > 0) {
            return true;
        }
        if (opcode < CLOSE && fin && !utf8.isWhole()) {
            return violated(CloseCode.BAD_DATA);
        }
        closeSeen = opcode == CLOSE;
        expect = closeSeen ? Expect.NOTHING : Expect.FIRST_BYTE;
        return true;
    }

    private boolean violated(CloseCode code) {
        violation = code;
        expect = Expect.NOTHING;
        return false;
    }

    /** How many frames have begun since this was asked last; fragments and control frames are frames. */
    int framesSince() {
        int since = frames;
        frames = 0;
        return since;
    }

    /** What the client did wrong; null while it behaves. */
    @Nullable
    CloseCode violation() {
        return violation;
    }

    /** Whether the client has sent a close frame. */
    boolean closeSeen() {
        return closeSeen;
    }
}
