package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A message to many that some outboxes had no room for. While one is pending the intake waits, so that a burst does not
 * evict clients that are reading; it waits for a bounded patience, and hardly for those that read nothing, so that
 * they do not pace the rest. Nothing is skipped: a connection that cannot take the message in time is closed and comes
 * back, instead of missing one silently. Loop thread only.
 */
final class FanOut {

    /** Envelopes after which a client is known to read. */
    private static final int PROVEN_ENVELOPES = 1_000;

    /** However little patience is left, one that is known to read has this long since it last did. */
    private static final long PROVEN_PATIENCE_NANOS = 100_000_000;

    private final Instruction instruction;
    private final long startedAtNanos;
    private final int subscribers;
    private final List<Waiting> waiting = new ArrayList<>();
    /** Those that left, or were closed, without it. */
    private int gone;

    /** One without room; what it had written when it was last seen to make progress, and when that was. */
    private static final class Waiting {
        final Session session;
        long written;
        long progressNanos;

        Waiting(Session session, long nowNanos) {
            this.session = session;
            this.written = session.sink().written();
            this.progressNanos = nowNanos;
        }

        boolean isProven() {
            return written >= PROVEN_ENVELOPES;
        }

        /** For how long it has read nothing, as far as is known; not at all while it is the bridge that is late. */
        long idleNanos(long nowNanos) {
            long now = session.sink().written();
            if (now > written || !session.sink().isBlocked()) {
                written = now;
                progressNanos = nowNanos;
            }
            return nowNanos - progressNanos;
        }
    }

    /** @param subscribers how many it is for, those that have it included */
    FanOut(Instruction instruction, int subscribers, long startedAtNanos) {
        this.instruction = instruction;
        this.subscribers = subscribers;
        this.startedAtNanos = startedAtNanos;
    }

    Instruction instruction() {
        return instruction;
    }

    long startedAtNanos() {
        return startedAtNanos;
    }

    /** Notes that a connection's outbox was full when this began. */
    void add(Session session) {
        waiting.add(new Waiting(session, startedAtNanos));
    }

    /** Whether it waits for a small part of its subscribers only. */
    boolean waitsForFew() {
        return Pacing.areFew(waiting.size(), subscribers);
    }

    /** Whether all it waits for is a small part of its subscribers, and each of these waits for its client. */
    boolean isHeldUpByFew() {
        return waitsForFew()
                && waiting.stream().allMatch(one -> one.session.sink().isBlocked());
    }

    /** How many have not got it yet. */
    int left() {
        return waiting.size();
    }

    /** How many have it. */
    int taken() {
        return subscribers - waiting.size() - gone;
    }

    boolean isDone() {
        return waiting.isEmpty();
    }

    /**
     * Offers the message again to those that wait.
     *
     * @param pacing how long those may take that read; those that read nothing have a quarter of it
     */
    void retry(DeliveryCore core, long nowNanos, Pacing pacing) {
        long patienceNanos = pacing.patienceNanos(waitsForFew());
        long provenNanos = Math.min(PROVEN_PATIENCE_NANOS, pacing.patienceNanos(false));
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
            Waiting one = each.next();
            Session session = one.session;
            if (!session.present || session.isClosed()) {
                session.skipped = true;
                gone++;
                each.remove();
            } else if (core.offerTo(session, instruction)) {
                each.remove();
            } else {
                long least = one.isProven() ? provenNanos : 0;
                boolean stalled = one.idleNanos(nowNanos) >= Math.max(patienceNanos / 4, least);
                boolean slow = nowNanos - startedAtNanos >= Math.max(patienceNanos, least);
                // I4: the turn of one that is not blocked comes, whatever its client does
                if (session.sink().isBlocked() && (stalled || slow)) {
                    session.skipped = true;
                    session.sink().close(stalled ? CloseCode.STALLED : CloseCode.SLOW);
                    gone++;
                    each.remove();
                }
            }
        }
    }
}
