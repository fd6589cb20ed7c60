package pushbridge.hold;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Records to bytes and back. Big endian: version, type, epoch, ordinal, then what the type needs. There is no checksum:
 * the broker keeps one for every chunk of a stream. Any thread.
 */
public final class RecordCodec {

    static final byte VERSION = 2;
    static final byte HOLD = 1;
    static final byte RELEASE = 2;
    static final byte EPOCH = 3;
    static final byte CHECKPOINT = 4;

    /** Version, type, epoch and ordinal. */
    private static final int HEADER = 2 + 2 * Long.BYTES;

    /** What a message takes besides its properties and body: id, deadline, hash and the two lengths. */
    private static final int MESSAGE = 3 * Long.BYTES + 2 * Integer.BYTES;

    /** What a part of a hold record takes at least: the address with its length, the count, and one message. */
    private static final int SMALLEST_PART = 2 + Short.BYTES + MESSAGE;

    private static final int CHECKPOINT_BODY = 8 * Long.BYTES;

    private RecordCodec() {}

    /**
     * What a message takes in the log, in bytes, when it has a record of its own; more than its share of a larger record,
     * so the sum over many messages is never less than what they take together, however they are put into records.
     *
     * @param addressBytes the length of the address in UTF-8
     */
    public static long recordBytes(int addressBytes, int propertiesBytes, int bodyBytes) {
        return HEADER + Short.BYTES + 1L + addressBytes + Short.BYTES + MESSAGE + propertiesBytes + bodyBytes;
    }

    /**
     * The bytes of a record, a new array.
     *
     * @throws IllegalArgumentException when a record would be longer than an array can be
     */
    public static byte[] encode(LogRecord record) {
        if (record instanceof LogRecord.Hold hold) {
            return encode(hold);
        }
        if (record instanceof LogRecord.Release release) {
            byte[] bytes = room(Integer.BYTES + (long) Long.BYTES * release.ids().length);
            ByteBuffer out = begin(bytes, RELEASE, release).putInt(release.ids().length);
            for (long id : release.ids()) {
                out.putLong(id);
            }
            return bytes;
        }
        if (record instanceof LogRecord.Epoch epoch) {
            byte[] node = epoch.node().getBytes(StandardCharsets.UTF_8);
            byte[] bytes = room(1 + node.length);
            begin(bytes, EPOCH, epoch).put((byte) node.length).put(node);
            return bytes;
        }
        LogRecord.Checkpoint checkpoint = (LogRecord.Checkpoint) record;
        byte[] bytes = room(CHECKPOINT_BODY);
        begin(bytes, CHECKPOINT, checkpoint)
                .putLong(checkpoint.lowestLiveOffset())
                .putLong(checkpoint.startEpoch())
                .putLong(checkpoint.startOrdinal())
                .putLong(checkpoint.asOfOrdinal())
                .putLong(checkpoint.highestId())
                .putLong(checkpoint.messages())
                .putLong(checkpoint.bytes())
                .putLong(checkpoint.fingerprint());
        return bytes;
    }

    private static byte[] encode(LogRecord.Hold hold) {
        byte[][] addresses = new byte[hold.parts().size()][];
        long length = Short.BYTES;
        for (int i = 0; i < addresses.length; i++) {
            LogRecord.Part part = hold.parts().get(i);
            addresses[i] = part.address().getBytes(StandardCharsets.UTF_8);
            length += 1L + addresses[i].length + Short.BYTES;
            for (HeldMessage message : part.messages()) {
                length += (long) MESSAGE + message.properties().length + message.body().length;
            }
        }
        byte[] bytes = room(length);
        ByteBuffer out = begin(bytes, HOLD, hold).putShort((short) addresses.length);
        for (int i = 0; i < addresses.length; i++) {
            List<HeldMessage> messages = hold.parts().get(i).messages();
            out.put((byte) addresses[i].length).put(addresses[i]).putShort((short) messages.size());
            for (HeldMessage message : messages) {
                out.putLong(message.id())
                        .putLong(message.deadlineMillis())
                        .putLong(message.contentHash())
                        .putInt(message.properties().length)
                        .putInt(message.body().length)
                        .put(message.properties())
                        .put(message.body());
            }
        }
        return bytes;
    }

    private static byte[] room(long afterHeader) {
        if (afterHeader > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException("a record of " + afterHeader + " bytes is too long: split it");
        }
        return new byte[HEADER + (int) afterHeader];
    }

    private static ByteBuffer begin(byte[] bytes, byte type, LogRecord record) {
        return ByteBuffer.wrap(bytes)
                .put(VERSION)
                .put(type)
                .putLong(record.epoch())
                .putLong(record.ordinal());
    }

    /** Reads a record. Never throws, and allocates no more than in proportion to the bytes. */
    public static Decoded decode(byte[] bytes) {
        if (bytes.length == 0) {
            return new Decoded.Corrupt("the record is empty");
        }
        if (bytes[0] != VERSION || bytes.length == 1) {
            return bytes[0] != VERSION
                    ? new Decoded.Foreign(bytes[0] & 0xFF, bytes.length == 1 ? -1 : bytes[1] & 0xFF)
                    : new Decoded.Corrupt("the record ends behind its version");
        }
        byte type = bytes[1];
        if (type < HOLD || type > CHECKPOINT) {
            return new Decoded.Foreign(VERSION, type & 0xFF);
        }
        Reader in = new Reader(ByteBuffer.wrap(bytes, 2, bytes.length - 2));
        try {
            LogRecord record = switch (type) {
                case HOLD -> in.hold();
                case RELEASE -> in.release();
                case EPOCH -> new LogRecord.Epoch(in.number("epoch"), in.number("ordinal"), in.name("node"));
                default -> in.checkpoint();
            };
            in.end();
            return new Decoded.Known(record);
        } catch (CorruptRecordException e) {
            return new Decoded.Corrupt(e.getMessage());
        }
    }

    private static final class CorruptRecordException extends Exception {
        private final String sentence;

        CorruptRecordException(String sentence) {
            // Without a stack trace: it is an answer about bad input.
            super(sentence, null, false, false);
            this.sentence = sentence;
        }

        @Override
        public String getMessage() {
            return sentence;
        }
    }

    /** Checks every length against what is left before anything is allocated for it. */
    private record Reader(ByteBuffer in) {

        LogRecord hold() throws CorruptRecordException {
            long epoch = number("epoch");
            long ordinal = number("ordinal");
            int count = count("parts");
            need("parts", (long) count * SMALLEST_PART);
            List<LogRecord.Part> parts = new ArrayList<>(count);
            int messages = 0;
            for (int i = 0; i < count; i++) {
                LogRecord.Part part = part();
                messages += part.messages().size();
                if (messages > LogRecord.MAX_MESSAGES) {
                    throw new CorruptRecordException(
                            "a hold record has more than " + LogRecord.MAX_MESSAGES + " messages");
                }
                parts.add(part);
            }
            return new LogRecord.Hold(epoch, ordinal, parts);
        }

        private LogRecord.Part part() throws CorruptRecordException {
            String address = name("address");
            int count = count("messages");
            need("messages", (long) count * MESSAGE);
            List<HeldMessage> messages = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                long id = number("id");
                need("message", MESSAGE - Long.BYTES);
                long deadline = in.getLong();
                long hash = in.getLong();
                int propertiesBytes = in.getInt();
                int bodyBytes = in.getInt();
                messages.add(new HeldMessage(
                        id, deadline, hash, bytes("properties", propertiesBytes), bytes("body", bodyBytes)));
            }
            return new LogRecord.Part(address, messages);
        }

        private int count(String what) throws CorruptRecordException {
            need("count of " + what, Short.BYTES);
            int count = Short.toUnsignedInt(in.getShort());
            if (count == 0) {
                throw new CorruptRecordException("a hold record has no " + what);
            }
            return count;
        }

        LogRecord release() throws CorruptRecordException {
            long epoch = number("epoch");
            long ordinal = number("ordinal");
            need("count of ids", Integer.BYTES);
            int count = in.getInt();
            if (count <= 0) {
                throw new CorruptRecordException("a release record has " + count + " ids");
            }
            need("ids", (long) count * Long.BYTES);
            long[] ids = new long[count];
            for (int i = 0; i < count; i++) {
                ids[i] = in.getLong();
            }
            return new LogRecord.Release(epoch, ordinal, ids);
        }

        LogRecord checkpoint() throws CorruptRecordException {
            long epoch = number("epoch");
            long ordinal = number("ordinal");
            need("checkpoint", CHECKPOINT_BODY);
            try {
                return new LogRecord.Checkpoint(
                        epoch,
                        ordinal,
                        in.getLong(),
                        in.getLong(),
                        in.getLong(),
                        in.getLong(),
                        in.getLong(),
                        in.getLong(),
                        in.getLong(),
                        in.getLong());
            } catch (IllegalArgumentException e) {
                throw new CorruptRecordException(String.valueOf(e.getMessage()));
            }
        }

        /** An eight byte number that cannot be negative. */
        long number(String what) throws CorruptRecordException {
            need(what, Long.BYTES);
            long value = in.getLong();
            if (value < 0) {
                throw new CorruptRecordException("its " + what + " is negative: " + value);
            }
            return value;
        }

        String name(String what) throws CorruptRecordException {
            need("length of the " + what, 1);
            int length = Byte.toUnsignedInt(in.get());
            byte[] utf8 = bytes(what, length);
            String name = utf8(utf8);
            if (name == null || name.isEmpty()) {
                throw new CorruptRecordException("its " + what + " is empty or no UTF-8");
            }
            return name;
        }

        private static @Nullable String utf8(byte[] bytes) {
            // Much cheaper than a decoder that reports; what is malformed becomes a replacement character.
            String name = new String(bytes, StandardCharsets.UTF_8);
            if (name.indexOf('\uFFFD') < 0) {
                return name;
            }
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                return null;
            }
        }

        byte[] bytes(String what, int length) throws CorruptRecordException {
            if (length < 0) {
                throw new CorruptRecordException("the length of its " + what + " is negative: " + length);
            }
            need(what, length);
            byte[] bytes = new byte[length];
            in.get(bytes);
            return bytes;
        }

        void end() throws CorruptRecordException {
            if (in.hasRemaining()) {
                throw new CorruptRecordException(in.remaining() + " bytes follow its end");
            }
        }

        private void need(String what, long length) throws CorruptRecordException {
            if (length > in.remaining()) {
                throw new CorruptRecordException(
                        "it ends within its " + what + ": " + length + " bytes needed, " + in.remaining() + " left");
            }
        }
    }
}
