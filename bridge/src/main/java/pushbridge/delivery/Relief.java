package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Ends a shortage of memory for outboxes. While all of them together hold more than they may (I5), no instruction is
 * taken; a few connections that take much and read little would stop everybody's messages that way (I4). So after a
 * quarter of the patience those go that have read nothing since the shortage began, and after all of it those with the
 * most waiting, until a quarter of the memory is free again. Loop thread only.
 */
final class Relief {

    private final long patienceNanos;
    /** What had left for each connection with something waiting when the shortage began; empty while there is none. */
    private final Map<Session, Long> writtenAtStart = new HashMap<>();

    private boolean shortage;
    private long beganNanos;

    Relief(long patienceNanos) {
        this.patienceNanos = patienceNanos;
    }

    /**
     * Looks whether there is a shortage, and ends one that lasts.
     *
     * @param bytes what waits in all outboxes
     * @param maxBytes above so many is a shortage
     */
    void look(long bytes, long maxBytes, Collection<Session> sessions, long nowNanos) {
        if (bytes <= maxBytes) {
            end();
            return;
        }
        if (!shortage) {
            shortage = true;
            beganNanos = nowNanos;
            for (Session session : sessions) {
                if (session.sink().pendingBytes() > 0) {
                    writtenAtStart.put(session, session.sink().written());
                }
            }
        }
        long waited = nowNanos - beganNanos;
        if (waited >= patienceNanos / 4) {
            closeStalled();
        }
        if (waited >= patienceNanos) {
            closeSlow(bytes - maxBytes / 4 * 3, sessions);
            end(); // if it was not enough the next one begins
        }
    }

    private void end() {
        shortage = false;
        writtenAtStart.clear();
    }

    private void closeStalled() {
        writtenAtStart.forEach((session, before) -> {
            FrameSink sink = session.sink();
            if (!session.isClosed() && sink.isBlocked() && sink.written() == before) {
                sink.close(CloseCode.STALLED);
            }
        });
        writtenAtStart.clear(); // looked at once: who reads a little from now on is slow, not stalled
    }

    private static void closeSlow(long excess, Collection<Session> sessions) {
        record Waiting(Session session, long bytes) {}
        List<Waiting> waiting = new ArrayList<>();
        for (Session session : sessions) {
            long bytes = session.isClosed() ? 0 : session.sink().pendingBytes();
            if (bytes > 0) {
                waiting.add(new Waiting(session, bytes));
            }
        }
        waiting.sort(Comparator.comparingLong(Waiting::bytes).reversed());
        long left = excess;
        for (Waiting each : waiting) {
            if (left <= 0) {
                return;
            }
            left -= each.bytes();
            each.session().sink().close(CloseCode.SLOW);
        }
    }
}
