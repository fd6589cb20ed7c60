package pushbridge.testing;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import pushbridge.delivery.Clock;

/** A clock that moves only when told to. */
public final class ManualClock implements Clock {

    private static final long EPOCH_MILLIS = 1_800_000_000_000L;

    private final AtomicLong nanos = new AtomicLong();

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public long wallMillis() {
        return EPOCH_MILLIS + nanos.get() / 1_000_000;
    }

    @Override
    public long machineMillis() {
        return wallMillis();
    }

    /** Moves time forward. */
    public void advance(Duration time) {
        nanos.addAndGet(time.toNanos());
    }
}
