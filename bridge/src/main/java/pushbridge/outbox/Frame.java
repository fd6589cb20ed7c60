package pushbridge.outbox;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.AskedReceipt;

/**
 * One WebSocket frame from the server, encoded once (RFC 6455 section 5.2: final, not masked) and shared by every
 * connection it goes to.
 */
public final class Frame {

    private static final int FIN_TEXT = 0x81;
    private static final int FIN_TEXT_COMPRESSED = 0xC1;
    private static final int FIN_CLOSE = 0x88;
    private static final int FIN_PING = 0x89;

    private static final byte[] NOT_SHORTER = {};

    private final byte[] encoded;
    private final Kind kind;
    /** The same compressed; null while nobody wanted it. Not counted by outboxes: it is shorter, and there once. */
    private volatile byte @Nullable [] compressed;

    private final long publishedMillis;
    private final @Nullable AskedReceipt asked;

    private enum Kind {
        CONFIRMED_ENVELOPE,
        ENVELOPE,
        OTHER
    }

    private Frame(byte[] encoded, Kind kind) {
        this(encoded, kind, 0, null);
    }

    private Frame(byte[] encoded, Kind kind, long publishedMillis, @Nullable AskedReceipt asked) {
        this.encoded = encoded;
        this.kind = kind;
        this.publishedMillis = publishedMillis;
        this.asked = asked;
    }

    /**
     * An envelope of the application.
     *
     * @param body its text in UTF-8
     * @param confirm whether somebody waits to learn that the client has it; fan-outs are not confirmed
     */
    public static Frame envelope(byte[] body, boolean confirm) {
        return envelope(body, confirm, 0, null);
    }

    /**
     * The same.
     *
     * @param publishedMillis when it was published, in milliseconds since 1970; 0 when that is not known
     * @param asked what its publisher wants to be told; null when that is nothing
     */
    public static Frame envelope(byte[] body, boolean confirm, long publishedMillis, @Nullable AskedReceipt asked) {
        return new Frame(
                encode(FIN_TEXT, body), confirm ? Kind.CONFIRMED_ENVELOPE : Kind.ENVELOPE, publishedMillis, asked);
    }

    /** What its publisher wants to be told; null when that is nothing. It stays with the frame, wherever that waits. */
    public @Nullable AskedReceipt asked() {
        return asked;
    }

    /** A text frame of the protocol itself: {@code pong} or {@code bridge.*}. */
    public static Frame text(String json) {
        return new Frame(encode(FIN_TEXT, json.getBytes(StandardCharsets.UTF_8)), Kind.OTHER);
    }

    /**
     * A WebSocket ping that carries a number, to be found again in the pong (RFC 6455 section 5.5.3).
     */
    public static Frame ping(long number) {
        return new Frame(
                encode(FIN_PING, ByteBuffer.allocate(Long.BYTES).putLong(number).array()), Kind.OTHER);
    }

    /**
     * A WebSocket close frame (RFC 6455 section 5.5.1).
     *
     * @param reason at most 123 bytes of UTF-8
     */
    public static Frame close(int code, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        if (text.length > 123) {
            throw new IllegalArgumentException("a close reason has at most 123 bytes, this one " + text.length);
        }
        ByteBuffer payload = ByteBuffer.allocate(Short.BYTES + text.length);
        payload.putShort((short) code).put(text);
        return new Frame(encode(FIN_CLOSE, payload.array()), Kind.OTHER);
    }

    /**
     * A frame that somebody else has encoded already; no envelope.
     *
     * @param bytes header and payload; read from, not kept
     */
    public static Frame encoded(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return new Frame(copy, Kind.OTHER);
    }

    /** The number a {@link #ping} carried, read from the payload of its pong; -1 when it is none of ours. */
    public static long pongNumber(ByteBuffer payload) {
        return payload.remaining() == Long.BYTES ? payload.getLong(payload.position()) : -1;
    }

    /** Whether a client that acknowledges by counting counts this frame. */
    public boolean isEnvelope() {
        return kind != Kind.OTHER;
    }

    /** Whether somebody waits to learn that the client has it. */
    public boolean wantsConfirmation() {
        return kind == Kind.CONFIRMED_ENVELOPE;
    }

    /** When the envelope was published, in milliseconds since 1970; 0 when that is not known, or it is none. */
    public long publishedMillis() {
        return publishedMillis;
    }

    /** Header and payload in bytes. */
    public int size() {
        return encoded.length;
    }

    /** The bytes to write; a view of its own position, over shared bytes that must not be modified. */
    public ByteBuffer bytes() {
        return ByteBuffer.wrap(encoded);
    }

    /** What it carries, without the header; a copy. */
    public byte[] payload() {
        return Arrays.copyOfRange(encoded, headerBytes(encoded[1]), encoded.length);
    }

    /** Appends the bytes to a buffer with enough room. */
    public void copyTo(ByteBuffer target) {
        target.put(encoded);
    }

    /**
     * The frame for a client that understands permessage-deflate (RFC 7692): compressed once, at the first call, and shared.
     * Control frames are never compressed, and what would not be shorter goes out as it is.
     */
    public ByteBuffer compressed() {
        byte[] bytes = compressed;
        if (bytes == null) {
            synchronized (this) {
                bytes = compressed;
                if (bytes == null) {
                    bytes = compress();
                    compressed = bytes;
                }
            }
        }
        return ByteBuffer.wrap(bytes.length == 0 ? encoded : bytes);
    }

    private byte[] compress() {
        if ((encoded[0] & 0xFF) != FIN_TEXT) {
            return NOT_SHORTER;
        }
        int header = headerBytes(encoded[1]);
        byte[] shorter = Deflation.compress(encoded, header, encoded.length - header);
        return shorter == null ? NOT_SHORTER : encode(FIN_TEXT_COMPRESSED, shorter);
    }

    /** By the second byte of a frame without a mask. */
    private static int headerBytes(byte second) {
        return switch (second) {
            case 126 -> 4;
            case 127 -> 10;
            default -> 2;
        };
    }

    private static byte[] encode(int firstByte, byte[] payload) {
        int length = payload.length;
        ByteBuffer frame;
        if (length < 126) {
            frame = ByteBuffer.allocate(2 + length).put((byte) firstByte).put((byte) length);
        } else if (length < 65_536) {
            frame = ByteBuffer.allocate(4 + length)
                    .put((byte) firstByte)
                    .put((byte) 126)
                    .putShort((short) length);
        } else {
            frame = ByteBuffer.allocate(10 + length)
                    .put((byte) firstByte)
                    .put((byte) 127)
                    .putLong(length);
        }
        return frame.put(payload).array();
    }
}
