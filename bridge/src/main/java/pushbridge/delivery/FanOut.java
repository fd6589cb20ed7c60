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

    private final Instruction instruction;
    private final long startedAtNanos;
    private final int subscribers;
    private final List<Waiting> waiting = new ArrayList<>();

    private record Waiting(Session session, long writtenAtStart) {}

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

    /** Notes that a connection's outbox was full. */
    void add(Session session) {
        waiting.add(new Waiting(session, session.sink().written()));
    }

    /** Whether it waits for a small part of its subscribers only. */
    boolean waitsForFew() {
        return Pacing.areFew(waiting.size(), subscribers);
    }

    boolean isDone() {
        return waiting.isEmpty();
    }

    /**
     * Offers the message again to those that wait.
     *
     * @param patienceNanos how long one that reads may take; one that reads nothing has a quarter of it
     * @param pacing whether the few may still hold up the many
     */
    void retry(DeliveryCore core, long nowNanos, long patienceNanos, Pacing pacing) {
        long waited = nowNanos - startedAtNanos;
        boolean enough = pacing.isUsedUp() && waitsForFew();
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
            Waiting one = each.next();
            Session session = one.session();
            if (!session.present || session.isClosed()) {
                session.skipped = true;
                each.remove();
            } else if (core.offerTo(session, instruction)) {
                each.remove();
            } else {
                boolean reads = session.sink().written() > one.writtenAtStart();
                if (enough || waited >= (reads ? patienceNanos : patienceNanos / 4)) {
                    session.skipped = true;
                    session.sink().close(reads ? CloseCode.SLOW : CloseCode.STALLED);
                    each.remove();
                }
            }
        }
    }
}
