package pushbridge.socket;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.nio.NIOConnection;
import org.glassfish.grizzly.nio.NIOTransport;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Clock;

/**
 * The TCP connections that are no WebSockets (yet): each has a deadline, also one that sends nothing or a byte a second,
 * for only a complete request moves it. Any thread.
 */
final class Arrivals {

    /** One of them. */
    static final class Arrival {
        volatile long deadlineNanos;
        /** Answered with a refusal: whatever else it sends is discarded. */
        volatile boolean refused;
        /** Has asked for something over plain HTTP: it is idle now, and no handshake. */
        volatile boolean requested;

        Arrival(long deadlineNanos) {
            this.deadlineNanos = deadlineNanos;
        }
    }

    private final Map<Connection<?>, Arrival> arrivals = new ConcurrentHashMap<>();
    private final Clock clock;
    private final long timeoutNanos;
    private final RefusalCounts refusals;

    Arrivals(Clock clock, long timeoutNanos, RefusalCounts refusals) {
        this.clock = clock;
        this.refusals = refusals;
        this.timeoutNanos = timeoutNanos;
    }

    void accepted(Connection<?> connection) {
        arrivals.put(connection, new Arrival(clock.nanoTime() + timeoutNanos));
    }

    /** Null when the deadline has taken it, or it was upgraded. */
    @Nullable
    Arrival of(Connection<?> connection) {
        return arrivals.get(connection);
    }

    /** A plain HTTP request came in whole: its connection may be idle for another while. */
    void requested(Arrival arrival) {
        arrival.requested = true;
        arrival.deadlineNanos = clock.nanoTime() + timeoutNanos;
    }

    /** A refusal was written: the client may take so long to read it. */
    void refused(Arrival arrival, long lingerNanos) {
        arrival.deadlineNanos = clock.nanoTime() + lingerNanos;
    }

    void remove(Connection<?> connection) {
        arrivals.remove(connection);
    }

    int count() {
        return arrivals.size();
    }

    /** Ends those whose time is over. */
    void sweep(long now) {
        arrivals.forEach((connection, arrival) -> {
            if (now - arrival.deadlineNanos > 0) {
                // On its selector, so that it cannot be in the middle of its upgrade.
                NIOConnection nio = (NIOConnection) connection;
                ((NIOTransport) nio.getTransport())
                        .getSelectorHandler()
                        .enque(nio.getSelectorRunner(), () -> terminateIfStillHere(nio, arrival), null);
            }
        });
    }

    private boolean terminateIfStillHere(NIOConnection connection, Arrival arrival) {
        if (arrivals.get(connection) == arrival && clock.nanoTime() - arrival.deadlineNanos > 0) {
            if (!arrival.refused && !arrival.requested) {
                refusals.add(Refusal.TIMEOUT);
            }
            connection.terminateSilently();
        }
        return true;
    }
}
