package pushbridge.socket;

import java.util.concurrent.TimeUnit;

/**
 * So many a second, and a number of seconds' worth at once: a token bucket kept as one number, the time at which it would
 * be full again (GCRA). One thread at a time; allocates nothing.
 */
final class Allowance {

    private final long nanosEach;
    private final long nanosAtOnce;
    /** When it is full again; before now, it is. */
    private long fullAtNanos;

    /**
     * @param perSecond how many a second; positive
     * @param secondsAtOnce how many seconds' worth may come at once
     */
    Allowance(int perSecond, int secondsAtOnce, long now) {
        nanosEach = TimeUnit.SECONDS.toNanos(1) / perSecond;
        nanosAtOnce = TimeUnit.SECONDS.toNanos(secondsAtOnce);
        fullAtNanos = now;
    }

    /**
     * Takes some.
     *
     * @return false when there are not so many; then none is taken, so that who keeps asking is not locked out for ever
     */
    boolean take(int count, long now) {
        long missing = Math.max(0, fullAtNanos - now) + count * nanosEach;
        if (missing > nanosAtOnce) {
            return false;
        }
        fullAtNanos = now + missing;
        return true;
    }
}
