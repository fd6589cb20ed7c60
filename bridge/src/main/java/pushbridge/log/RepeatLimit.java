package pushbridge.log;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * Lets events pass, but of those that say the same only the first few of each minute; how many more there were is one line
 * at its end. The same is what one call says, whatever the values in it. Thread-safe.
 */
public final class RepeatLimit extends Filter<ILoggingEvent> {

    /** So many alike are enough to see what it is about. */
    static final int SHOWN = 10;

    static final long WINDOW_SECONDS = 60;

    /** Kinds of events remembered at a time (I5); there are some hundred in the code. */
    private static final int MOST_KINDS = 1_000;

    /** What operators do is told in full; the listener itself bounds it. */
    private static final String UNLIMITED = "pushbridge.admin.Audit";

    private static final class Repeats {
        final long sinceNanos;
        final String logger;
        final Level level;
        final String message;
        int seen = 1;

        Repeats(long sinceNanos, ILoggingEvent event, String message) {
            this.sinceNanos = sinceNanos;
            this.logger = event.getLoggerName();
            this.level = Level.valueOf(event.getLevel().toString());
            this.message = message;
        }
    }

    private final LongSupplier nanos;
    /** The kind seen first is the first. Guarded by this. */
    private final Map<String, Repeats> kinds = new LinkedHashMap<>();

    private @Nullable ScheduledFuture<?> timer;

    /** For the configuration of the log. */
    public RepeatLimit() {
        this(System::nanoTime);
    }

    /** @param nanos the clock */
    RepeatLimit(LongSupplier nanos) {
        this.nanos = nanos;
    }

    @Override
    public void start() {
        super.start();
        timer = getContext().getScheduledExecutorService().scheduleAtFixedRate(this::tell, 1, 1, TimeUnit.SECONDS);
    }

    @Override
    public void stop() {
        if (timer != null) {
            timer.cancel(false);
        }
        super.stop();
    }

    @Override
    public FilterReply decide(ILoggingEvent event) {
        return event.getLoggerName().equals(UNLIMITED) || isShown(event) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }

    private boolean isShown(ILoggingEvent event) {
        // A call that logs sentences made elsewhere has no words of its own.
        String message = event.getMessage() == null || event.getMessage().equals("{}")
                ? event.getFormattedMessage()
                : event.getMessage();
        String kind = event.getLoggerName() + ' ' + event.getLevel() + ' ' + message;
        synchronized (this) {
            Repeats repeats = kinds.get(kind);
            if (repeats == null) {
                if (kinds.size() < MOST_KINDS) {
                    kinds.put(kind, new Repeats(nanos.getAsLong(), event, message));
                }
                return true;
            }
            return ++repeats.seen <= SHOWN;
        }
    }

    /** Tells of the repeats in windows that are over, and forgets them. Never while an event passes: it would be dropped. */
    void tell() {
        long beganNanos = nanos.getAsLong() - TimeUnit.SECONDS.toNanos(WINDOW_SECONDS);
        List<Repeats> over = new ArrayList<>();
        synchronized (this) {
            Iterator<Repeats> all = kinds.values().iterator();
            while (all.hasNext()) {
                Repeats repeats = all.next();
                if (repeats.sinceNanos - beganNanos > 0) {
                    break; // so are those behind it
                }
                all.remove();
                if (repeats.seen > SHOWN) {
                    over.add(repeats);
                }
            }
        }
        over.forEach(this::tell);
    }

    private void tell(Repeats repeats) {
        ((LoggerContext) getContext())
                .getLogger(repeats.logger)
                .atLevel(repeats.level)
                .log(
                        "{}",
                        "… " + (repeats.seen - SHOWN) + " more like this in the last " + WINDOW_SECONDS + " s: "
                                + repeats.message);
    }
}
