package pushbridge.outbox;

import java.util.concurrent.atomic.LongAdder;

/** What waits in the outboxes of all connections together. Any thread; exact while nobody writes. */
public final class OutboxTotals {

    private final LongAdder bytes = new LongAdder();
    private final long maxBytes;

    /** @param maxBytes above so many nothing more should be offered; nobody is refused for it */
    public OutboxTotals(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Whether it is time to let clients read before more is offered (I5). */
    public boolean isFull() {
        return bytes() > maxBytes;
    }

    /** Bytes that were offered and that no kernel has taken yet, in all outboxes; a shared frame counts once for each. */
    public long bytes() {
        return bytes.sum();
    }

    /** Above so many nothing more should be offered. */
    public long maxBytes() {
        return maxBytes;
    }

    void add(long count) {
        bytes.add(count);
    }
}
