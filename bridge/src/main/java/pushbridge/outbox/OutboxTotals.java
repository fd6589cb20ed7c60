package pushbridge.outbox;

import java.util.concurrent.atomic.LongAdder;

/** What waits in the outboxes of all connections together. Any thread; exact while nobody writes. */
public final class OutboxTotals {

    private final LongAdder bytes = new LongAdder();

    /** Bytes that were offered and that no kernel has taken yet, in all outboxes; a shared frame counts once for each. */
    public long bytes() {
        return bytes.sum();
    }

    void add(long count) {
        bytes.add(count);
    }
}
