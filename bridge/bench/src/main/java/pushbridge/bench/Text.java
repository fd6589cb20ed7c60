package pushbridge.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The messages of the benchmarks: made once, and read where they lie, because parsing them would cost more than sending. */
final class Text {

    private static final byte[] SEQ = "\"seq\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] AT = "\"at\":".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] OWN = "{\"type\":\"bridge.".getBytes(StandardCharsets.US_ASCII);

    private Text() {}

    /**
     * An envelope.
     *
     * @param at when it should be sent, by {@link System#nanoTime}; 0 when nobody wants to know
     * @param bytes how long it is; a little more when that is too short for what it says
     */
    static byte[] envelope(long seq, long at, int bytes) {
        String start = "{\"type\":\"bench\",\"seq\":" + seq + ",\"payload\":{\"at\":" + at + ",\"text\":\"";
        String end = "\"}}";
        return (start + "x".repeat(Math.max(0, bytes - start.length() - end.length())) + end)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** "I have handled so many." */
    static byte[] ack(int count) {
        return ("{\"type\":\"ack\",\"count\":" + count + "}").getBytes(StandardCharsets.US_ASCII);
    }

    /** Whether a frame is one of the bridge's own, as the welcome is. */
    static boolean isNoMessage(ByteBuffer text, int from, int to) {
        if (to - from < OWN.length) {
            return false;
        }
        for (int i = 0; i < OWN.length; i++) {
            if (text.get(from + i) != OWN[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether a text is an envelope, or STOMP's MESSAGE with one in it; not STOMP's CONNECTED. */
    static boolean startsAsMessage(ByteBuffer text, int from) {
        byte first = text.get(from);
        return first == '{' || first == 'M';
    }

    static long seq(ByteBuffer text, int from, int to) {
        return number(text, from, to, SEQ);
    }

    static long at(ByteBuffer text, int from, int to) {
        return number(text, from, to, AT);
    }

    /** The number behind this key; -1 when there is none. */
    private static long number(ByteBuffer text, int from, int to, byte[] key) {
        next:
        for (int i = from; i < to - key.length; i++) {
            for (int k = 0; k < key.length; k++) {
                if (text.get(i + k) != key[k]) {
                    continue next;
                }
            }
            long value = 0;
            for (int d = i + key.length; d < to && text.get(d) >= '0' && text.get(d) <= '9'; d++) {
                value = value * 10 + (text.get(d) - '0');
            }
            return value;
        }
        return -1;
    }
}
