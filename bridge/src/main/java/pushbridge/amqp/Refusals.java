package pushbridge.amqp;

import io.github.resilience4j.core.IntervalFunction;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Suspects a channel that only refuses. A quorum queue that is full refuses, and so does, for as long as the channel lives, a
 * channel of RabbitMQ 3.10 that asked for the queue's leader while there was none: it goes on to ask a node that is away.
 * The two look the same, and a new channel tells; when that refuses as well, the next one comes after a longer time.
 *
 * <p>By queue, since one that takes everything says nothing about another. One thread only.
 */
final class Refusals {

    /** The first suspicion comes after so many pauses' time: a copy is refused more than once in it. */
    private static final int FIRST_PAUSE = 4;

    private final IntervalFunction pauses;
    /** When a channel that has refused everything for the queue until then is suspect; of {@link System#nanoTime}. */
    private final Map<String, Long> suspectAt = new HashMap<>();
    /** Channels given up in vain. */
    private final Map<String, Integer> renewals = new HashMap<>();

    /** @param pauses in milliseconds, growing up to some bound */
    Refusals(IntervalFunction pauses) {
        this.pauses = pauses;
    }

    void refused(String queue, long nowNanos) {
        suspectAt.computeIfAbsent(queue, name -> {
            long pause = pauses.apply(FIRST_PAUSE + renewals.getOrDefault(name, 0));
            return nowNanos + TimeUnit.MILLISECONDS.toNanos(pause);
        });
    }

    void taken(String queue) {
        suspectAt.remove(queue);
        renewals.remove(queue);
    }

    /** Whether a new channel should be tried. */
    boolean suspectChannel(long nowNanos) {
        return suspectAt.values().stream().anyMatch(at -> at - nowNanos <= 0);
    }

    /** There is a new channel, for that reason or another. */
    void newChannel(long nowNanos) {
        suspectAt.forEach((queue, at) -> {
            if (at - nowNanos <= 0) {
                renewals.merge(queue, 1, Integer::sum);
            }
        });
        suspectAt.clear();
    }
}
