package pushbridge.delivery;

/**
 * How long the many may wait for the few, in all: a connection that fills its outbox, is closed and comes back at once
 * would otherwise get the whole patience again and again, and everybody else would go at its pace (I4). The patience is
 * an account: waiting for few takes from it, and a tenth of the time comes back. What may be spent on the next who are
 * slow is a part of what is left, so patience wears thin gradually, and one that reads is not cut off for what others did
 * before. When most are full the burst is larger than the outboxes, and waiting for them takes nothing. Loop thread only.
 */
final class Pacing {

    /** So many percent of the subscribers, at most, are few. */
    private static final int FEW_PERCENT = 20;

    /** So many percent of the time the few may hold up the many in the long run. */
    private static final int REFILL_PERCENT = 10;

    private final long patienceNanos;
    /** Below zero when a wait took longer than there was: time passes in steps. */
    private long leftNanos;

    private long lastNanos;

    Pacing(long patienceNanos) {
        this.patienceNanos = patienceNanos;
        this.leftNanos = patienceNanos;
    }

    static boolean areFew(int waiting, int subscribers) {
        return waiting * 100L <= (long) FEW_PERCENT * subscribers;
    }

    /** Time has passed, waiting for few or not. */
    void pass(long nowNanos, boolean waitingForFew) {
        long passed = nowNanos - lastNanos;
        lastNanos = nowNanos;
        leftNanos = waitingForFew
                ? Math.max(-patienceNanos, leftNanos - passed)
                : Math.min(patienceNanos, leftNanos + passed / 100 * REFILL_PERCENT);
    }

    /** How long a message may wait for those that have no room for it. */
    long patienceNanos(boolean withFew) {
        return withFew ? Math.max(0, leftNanos) : patienceNanos;
    }
}
