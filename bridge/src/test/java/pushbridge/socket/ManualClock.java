package pushbridge.socket;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import pushbridge.delivery.Clock;

/** Time that passes when a test says so. */
final class ManualClock implements Clock {

    private final AtomicLong nanos = new AtomicLong(1_000_000_000L);

    void advance(Duration by) {
        nanos.addAndGet(by.toNanos());
    }

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public long wallMillis() {
        return nanos.get() / 1_000_000;
    }
}
