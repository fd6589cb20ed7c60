package pushbridge.timing;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts durations by size. Thread-safe; to record one is two increments without contention, so that it can be done for
 * every message.
 */
public final class Durations {

    /**
     * Upper bounds of the sizes in milliseconds, inclusive: 1-2-5 steps where a person would notice a difference, up to
     * the ten minutes after which only "far too late" is left. Whatever is longer counts as the last one.
     */
    private static final long[] BOUNDS_MILLIS = {
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 600_000
    };

    private final LongAdder[] counts = new LongAdder[BOUNDS_MILLIS.length + 1];
    private final LongAdder sumMillis = new LongAdder();
    private final LongAdder negative = new LongAdder();

    /** Without any yet. */
    public Durations() {
        Arrays.setAll(counts, i -> new LongAdder());
    }

    /**
     * Counts one.
     *
     * @param millis a negative one, which only two clocks that differ can make, counts as 0 and is {@link #negative()}
     */
    public void record(long millis) {
        if (millis < 0) {
            negative.increment();
            counts[0].increment();
            return;
        }
        int i = 0;
        while (i < BOUNDS_MILLIS.length && millis > BOUNDS_MILLIS[i]) {
            i++;
        }
        counts[i].increment();
        sumMillis.add(millis);
    }

    /** The upper bounds in milliseconds, ascending; what is beyond the last has none. */
    public static long[] boundsMillis() {
        return BOUNDS_MILLIS.clone();
    }

    /** How many there were up to each bound and beyond the one before, and at last beyond all. */
    public long[] counts() {
        return Arrays.stream(counts).mapToLong(LongAdder::sum).toArray();
    }

    /** All together, in milliseconds. */
    public long sumMillis() {
        return sumMillis.sum();
    }

    /** How many were negative. */
    public long negative() {
        return negative.sum();
    }
}
