package pushbridge.socket;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.CloseCode;

/**
 * Turns the compressed messages of one client (RFC 7692) into plain ones before anybody else looks: what leaves here is
 * the same stream without the extension, so every rule about frames, sizes and UTF-8 is kept in one place, by {@link
 * FrameGuard}. One thread at a time. It keeps at most one message that is not whole, never longer than a message may be
 * (I5), and nothing between messages.
 */
final class Inflation {

    private static final int FIN = 0x80;
    /** The bits that extensions may use. */
    private static final int EXTENSIONS = 0x70;

    private static final int COMPRESSED = 0x40;
    private static final int OPCODE = 0x0F;
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int CONTROL = 0x8;
    private static final int MASKED = 0x80;
    private static final int LONGEST_HEADER = 14;
    /** The mask of a frame that is made here: none, since what it hides is known. */
    private static final int NO_MASK = 0;

    /** What each message leaves out at its end. */
    private static final byte[] TAIL = {0, 0, (byte) 0xFF, (byte) 0xFF};

    /** One a thread: the selectors are few, and each takes 40 kB outside the heap. */
    private static final ThreadLocal<Inflater> INFLATER = ThreadLocal.withInitial(() -> new Inflater(true));

    private final int maxBytes;

    /** The header of the frame that is being read; its length so far. */
    private final byte[] header = new byte[LONGEST_HEADER];

    private int headerBytes;
    /** Payload of that frame which is still to come. */
    private long missing;
    /** Whether that frame is part of a compressed message. */
    private boolean collects;

    private int mask;
    private int maskAt;
    /** Whether a compressed message has begun and its last frame has not. */
    private boolean insideCompressed;

    private boolean last;
    /** The compressed message so far; null between messages. */
    private byte @Nullable [] collected;

    private int collectedBytes;
    private int unseenFrames;
    private @Nullable CloseCode violation;

    /** @param maxBytes the longest message, compressed or not */
    Inflation(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** The same stream without compression; what is behind a {@link #violation()} is left out. */
    ByteBuffer plain(ByteBuffer bytes) {
        Output out = new Output(bytes.remaining() + LONGEST_HEADER);
        while (bytes.hasRemaining() && violation == null) {
            if (missing > 0) {
                payload(bytes, out);
            } else {
                header(bytes, out);
            }
        }
        return out.written();
    }

    private void header(ByteBuffer bytes, Output out) {
        header[headerBytes++] = bytes.get();
        if (headerBytes < 2 || headerBytes < headerLength()) {
            return;
        }
        int first = header[0] & 0xFF;
        int opcode = first & OPCODE;
        int extensions = first & EXTENSIONS;
        boolean begins = opcode == TEXT && extensions == COMPRESSED && !insideCompressed;
        boolean goesOn = opcode == CONTINUATION && extensions == 0 && insideCompressed;
        long length = payloadLength();
        if (insideCompressed && opcode < CONTROL && !goesOn) {
            violation = CloseCode.PROTOCOL_ERROR; // the guard does not know that a message has begun
            return;
        }
        collects = begins || goesOn;
        if (!collects) {
            out.put(header, 0, headerBytes);
        } else if ((header[1] & MASKED) == 0 || length < 0) {
            violation = CloseCode.PROTOCOL_ERROR;
            return;
        } else if (length > maxBytes - collectedBytes) {
            violation = CloseCode.TOO_BIG;
            return;
        } else {
            collect((first & FIN) != 0);
        }
        headerBytes = 0;
        missing = Math.max(0, length);
        if (missing == 0 && collects) {
            endOfFrame(out);
        }
    }

    private void collect(boolean lastFrame) {
        last = lastFrame;
        insideCompressed = !lastFrame;
        if (!lastFrame) {
            unseenFrames++; // for the last one the guard sees the whole message
        }
        mask = ByteBuffer.wrap(header, headerBytes - Integer.BYTES, Integer.BYTES)
                .getInt();
        maskAt = 0;
    }

    private int headerLength() {
        int maskBytes = (header[1] & MASKED) == 0 ? 0 : Integer.BYTES;
        return switch (header[1] & 0x7F) {
            case 126 -> 2 + Short.BYTES + maskBytes;
            case 127 -> 2 + Long.BYTES + maskBytes;
            default -> 2 + maskBytes;
        };
    }

    /** Below zero when it is no length. */
    private long payloadLength() {
        ByteBuffer read = ByteBuffer.wrap(header);
        return switch (header[1] & 0x7F) {
            case 126 -> read.getShort(2) & 0xFFFF;
            case 127 -> read.getLong(2);
            default -> header[1] & 0x7F;
        };
    }

    private void payload(ByteBuffer bytes, Output out) {
        int step = (int) Math.min(missing, bytes.remaining());
        missing -= step;
        if (!collects) {
            out.put(bytes, step);
            return;
        }
        byte[] into = roomFor(step);
        for (int i = 0; i < step; i++) {
            int shift = (Integer.BYTES - 1 - (maskAt++ & 3)) * Byte.SIZE;
            into[collectedBytes++] = (byte) (bytes.get() ^ (mask >> shift));
        }
        if (missing == 0) {
            endOfFrame(out);
        }
    }

    private byte[] roomFor(int more) {
        byte[] old = collected;
        int needed = collectedBytes + more;
        if (old != null && old.length >= needed) {
            return old;
        }
        byte[] larger = old == null
                ? new byte[needed]
                : Arrays.copyOf(old, Math.max(needed, (int) Math.min(maxBytes, 2L * old.length)));
        collected = larger;
        return larger;
    }

    private void endOfFrame(Output out) {
        if (!last) {
            return;
        }
        byte[] message = collected == null ? new byte[0] : collected;
        int length = collectedBytes;
        collected = null;
        collectedBytes = 0;
        try {
            inflate(message, length, out);
        } catch (DataFormatException e) {
            violation = CloseCode.BAD_DATA;
        }
    }

    /** Writes the message as one frame; as one that is too large when it is larger than a message may be. */
    private void inflate(byte[] message, int length, Output out) throws DataFormatException {
        Inflater inflater = INFLATER.get();
        inflater.reset();
        byte[] text = new byte[Math.min(maxBytes + 1, Math.max(256, 4 * length))];
        int size = 0;
        boolean tail = false;
        inflater.setInput(message, 0, length);
        while (size <= maxBytes) {
            if (size == text.length) {
                text = Arrays.copyOf(text, Math.min(maxBytes + 1, 2 * text.length));
            }
            int more = inflater.inflate(text, size, text.length - size);
            size += more;
            if (more > 0) {
                continue;
            }
            int rest = inflater.getRemaining();
            if (inflater.needsDictionary()) {
                throw new DataFormatException("a dictionary was never agreed on");
            } else if (inflater.finished() && rest > 0 && !tail) {
                // A stream may end before the message does (RFC 7692 section 7.2.3.4): another one begins.
                inflater.reset();
                inflater.setInput(message, length - rest, rest);
            } else if (!inflater.finished() && !tail) {
                tail = true;
                inflater.setInput(TAIL);
            } else {
                break;
            }
        }
        out.frame(text, size);
    }

    /** How many frames were collected since this was asked last, which nobody else sees. */
    int framesSince() {
        int since = unseenFrames;
        unseenFrames = 0;
        return since;
    }

    /** What the client did wrong; null while it behaves. */
    @Nullable
    CloseCode violation() {
        return violation;
    }

    /** Grows as needed: as much as was read, and one message. */
    private static final class Output {
        private byte[] bytes;
        private int size;

        Output(int expected) {
            bytes = new byte[expected];
        }

        private void room(int more) {
            if (bytes.length - size < more) {
                bytes = Arrays.copyOf(bytes, Math.max(size + more, 2 * bytes.length));
            }
        }

        void put(byte[] from, int offset, int count) {
            room(count);
            System.arraycopy(from, offset, bytes, size, count);
            size += count;
        }

        void put(ByteBuffer from, int count) {
            room(count);
            from.get(bytes, size, count);
            size += count;
        }

        /** A text frame as a client would send it. */
        void frame(byte[] text, int length) {
            room(LONGEST_HEADER + length);
            ByteBuffer target = ByteBuffer.wrap(bytes).position(size);
            target.put((byte) (FIN | TEXT));
            if (length < 126) {
                target.put((byte) (MASKED | length));
            } else if (length < 65_536) {
                target.put((byte) (MASKED | 126)).putShort((short) length);
            } else {
                target.put((byte) (MASKED | 127)).putLong(length);
            }
            target.putInt(NO_MASK).put(text, 0, length);
            size = target.position();
        }

        ByteBuffer written() {
            return ByteBuffer.wrap(bytes, 0, size);
        }
    }
}
