package pushbridge.amqp;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Something that does not work and is tried again. What passes by itself within moments is not worth a word: a stream that
 * was just declared has no replica yet, a node that has restarted no leader. What lasts is an alarm, and is logged once
 * for each kind, since each attempt may put it differently; and once when it is over. For one thread at a time.
 */
final class Trouble {

    /** A new stream takes 0.7 s, an election some seconds; what lasts longer may need an operator. */
    static final Duration PASSING = Duration.ofSeconds(3);

    private final Logger log;
    private final BrokerStatus status;
    private final String alarm;
    private final LongSupplier nanos;
    private final Set<String> said = new HashSet<>();
    private boolean lasts;
    private long sinceNanos;

    Trouble(Logger log, BrokerStatus status, String alarm) {
        this(log, status, alarm, System::nanoTime);
    }

    /** @param nanos a monotonic clock */
    Trouble(Logger log, BrokerStatus status, String alarm, LongSupplier nanos) {
        this.log = log;
        this.status = status;
        this.alarm = alarm;
        this.nanos = nanos;
    }

    /**
     * An attempt failed.
     *
     * @param kind the same for what is the same to an operator, however the sentence puts it
     * @param sentence without a full stop
     */
    void is(String kind, String sentence) {
        long now = nanos.getAsLong();
        if (!lasts) {
            lasts = true;
            sinceNanos = now;
        }
        if (now - sinceNanos < PASSING.toNanos()) {
            log.debug("{}; trying again", sentence);
            return;
        }
        status.raise(alarm, sentence);
        if (said.add(kind)) {
            log.warn("{}; trying again until it works", sentence);
        } else {
            log.debug("{}; trying again", sentence);
        }
    }

    /** It works; the sentence is only for who heard of the trouble. */
    void over(String sentence) {
        if (lasts) {
            lasts = false;
            if (!said.isEmpty()) {
                said.clear();
                log.info("{}", sentence);
                status.clear(alarm);
            }
        }
    }
}
