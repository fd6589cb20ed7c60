package pushbridge.bench;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for what other processes do: there is nothing but looking again. */
final class Waiting {

    private static final long LOOK_NANOS = 20_000_000;

    private Waiting() {}

    /** Whether it is so by now. */
    interface Condition {
        boolean holds() throws BenchException;
    }

    /** How far it is by now: any number that grows. */
    interface Progress {
        double reached() throws BenchException;
    }

    /**
     * Waits.
     *
     * @param what completes "waited in vain for …"
     */
    static void until(String what, Duration patience, Condition condition) throws BenchException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - deadline > 0) {
                throw new BenchException("waited " + patience.toSeconds() + " s in vain for " + what);
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Waits for as long as there is progress, looking every {@code every}; says how far it is from time to time. */
    static void progress(String what, double goal, Duration every, Duration patience, Progress progress)
            throws BenchException {
        double best = Double.NEGATIVE_INFINITY;
        long moved = System.nanoTime();
        long told = moved;
        while (true) {
            double now = progress.reached();
            long at = System.nanoTime();
            if (now >= goal) {
                return;
            }
            if (now > best) {
                best = now;
                moved = at;
            } else if (at - moved > patience.toNanos()) {
                throw new BenchException("waited for " + Figures.number(goal) + " " + what + ", but for "
                        + patience.toSeconds() + " s they stay at " + Figures.number(now));
            }
            if (at - told > 10_000_000_000L) {
                told = at;
                Console.say("    " + Figures.number(now) + " of " + Figures.number(goal) + " " + what);
            }
            LockSupport.parkNanos(every.toNanos());
        }
    }

    static void pause(Duration time) {
        long until = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    static double seconds(long nanos) {
        return nanos / 1e9;
    }
}
