package pushbridge.delivery;

/** Time as the bridge sees it: monotonic, so that a jump of the wall clock neither expires nor revives anything. */
public interface Clock {

    /** Nanoseconds from an arbitrary origin; never goes back. */
    long nanoTime();

    /** Milliseconds since the epoch: the wall time at start plus the monotonic time since. */
    long wallMillis();

    /**
     * Milliseconds since the epoch as the machine has it: may jump, and goes on while the machine sleeps, which {@link
     * #nanoTime} need not. Good only for finding out that it slept.
     */
    long machineMillis();

    /** The process' clock. */
    static Clock system() {
        return new Clock() {
            private final long baseMillis = System.currentTimeMillis();
            private final long baseNanos = System.nanoTime();

            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public long wallMillis() {
                return baseMillis + (System.nanoTime() - baseNanos) / 1_000_000;
            }

            @Override
            public long machineMillis() {
                return System.currentTimeMillis();
            }
        };
    }
}
