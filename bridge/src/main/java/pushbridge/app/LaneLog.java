package pushbridge.app;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.delivery.LaneWatch;

/**
 * Logs which lanes are held although their users are connected. Clients can bring that about at will, and many at once do
 * whenever a network is slow: so each one is only told at DEBUG, and at INFO the first after a quiet minute, then one line
 * about all of each minute. The loop writes no log itself, since that may block; what it says waits here, bounded, for a thread of
 * this class.
 */
final class LaneLog implements LaneWatch {

    private static final Logger log = LoggerFactory.getLogger(LaneLog.class);

    private static final long SUMMARY_NANOS = 60_000_000_000L;

    /** What waits to be told at DEBUG (I5). */
    private static final int MOST = 1_000;

    /** @param why null for one that is over */
    private record Change(
            String address,
            int messages,
            long millis,
            @Nullable String why) {
        /** Null for a connection's own lane. */
        @Nullable
        String user() {
            return address.startsWith("user.") ? address.substring("user.".length()) : null;
        }
    }

    private final ConcurrentLinkedQueue<Change> changes = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong left = new AtomicLong();
    private volatile @Nullable Change latest;
    private final Thread thread = new Thread(this::run, "pushbridge-lane-log");
    private volatile boolean stopped;

    // The thread's own.
    private boolean told;
    private long toldNanos;

    LaneLog() {
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Idempotent; what waits is not told any more. */
    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    @Override
    public void held(String address, int messages, String why) {
        Change change = new Change(address, messages, 0, why);
        held.incrementAndGet();
        latest = change;
        add(change);
    }

    @Override
    public void over(String address, long millis, boolean deserted) {
        if (deserted) {
            left.incrementAndGet();
        } else {
            live.incrementAndGet();
            add(new Change(address, 0, millis, null));
        }
    }

    private void add(Change change) {
        if (waiting.get() >= MOST) {
            return; // it is counted
        }
        changes.add(change);
        if (waiting.getAndIncrement() == 0) {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        while (!stopped) {
            tell(System.nanoTime());
            LockSupport.parkNanos(this, told ? SUMMARY_NANOS / 60 : SUMMARY_NANOS);
        }
    }

    /** Tells what has happened since the last time. */
    void tell(long nowNanos) {
        for (Change change = changes.poll(); change != null; change = changes.poll()) {
            waiting.decrementAndGet();
            tell(change);
        }
        summarize(nowNanos);
    }

    private void tell(Change change) {
        String why = change.why();
        if (why == null) {
            log.atDebug()
                    .addKeyValue("address", change.address())
                    .addKeyValue("user", change.user())
                    .log("The lane of {} is live again after {} ms", change.address(), change.millis());
        } else {
            log.atDebug()
                    .addKeyValue("address", change.address())
                    .addKeyValue("user", change.user())
                    .addKeyValue("messages", change.messages())
                    .addKeyValue("reason", why)
                    .log(
                            "The lane of {} is held, with {} messages, though somebody is connected: {}",
                            change.address(),
                            change.messages(),
                            why);
        }
    }

    /** At INFO. */
    private void summarize(long nowNanos) {
        if (told && nowNanos - toldNanos < SUMMARY_NANOS) {
            return;
        }
        Change example = latest;
        long turned = held.getAndSet(0);
        long back = live.getAndSet(0);
        long gone = left.getAndSet(0);
        if (turned + back + gone == 0 || example == null) {
            told = false;
            return;
        }
        told = true;
        toldNanos = nowNanos;
        log.atInfo()
                .addKeyValue("address", example.address())
                .addKeyValue("user", example.user())
                .log(
                        "Lanes of connected users: {} turned to held, the latest {} with {} messages ({}); {} are live again,"
                                + " {} were left by their users",
                        turned,
                        example.address(),
                        example.messages(),
                        example.why(),
                        back,
                        gone);
    }
}
