package pushbridge.delivery;

import java.util.ArrayList;
import java.util.List;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;

/**
 * A hold record that messages are collected in: what a record costs the broker does not depend on how many messages it
 * has. It has its ordinal from the start, so nothing else may be appended before it is. Loop thread only.
 */
final class RecordBuilder {

    /** More make the broker's share of the cost no smaller. */
    private static final int MAX_MESSAGES = 1_000;

    /** Small enough to be read for one message of it, and to bound what readers have in hand (I5). */
    private static final int MAX_BYTES = 64 * 1024;

    private final long ordinal;
    private final List<String> addresses = new ArrayList<>();
    /** For each address. */
    private final List<List<HeldMessage>> messages = new ArrayList<>();

    private int count;
    private long bytes;

    RecordBuilder(long ordinal) {
        this.ordinal = ordinal;
    }

    long ordinal() {
        return ordinal;
    }

    /** Whether so many more messages fit; whatever they are, they do when they are the first. */
    boolean hasRoomFor(int moreMessages, long moreBytes) {
        return count == 0 || (count + moreMessages <= MAX_MESSAGES && bytes + moreBytes <= MAX_BYTES);
    }

    /** @param size its {@link RecordCodec#recordBytes} */
    void add(String address, HeldMessage message, long size) {
        int last = addresses.size() - 1;
        if (last >= 0 && addresses.get(last).equals(address)) {
            messages.get(last).add(message);
        } else {
            addresses.add(address);
            List<HeldMessage> part = new ArrayList<>(1); // mostly: an absent user's next message rarely comes at once
            part.add(message);
            messages.add(part);
        }
        count++;
        bytes += size;
    }

    LogRecord.Hold build(long epoch) {
        List<LogRecord.Part> parts = new ArrayList<>(addresses.size());
        for (int i = 0; i < addresses.size(); i++) {
            parts.add(new LogRecord.Part(addresses.get(i), messages.get(i)));
        }
        return new LogRecord.Hold(epoch, ordinal, parts);
    }
}
