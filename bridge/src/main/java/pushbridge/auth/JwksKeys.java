package pushbridge.auth;

import com.nimbusds.jose.JWSHeader;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.JwksConfig;

/**
 * Public keys that an identity provider publishes at an address. One thread of its own loads them: every {@code refresh},
 * and earlier when a token names a key that is not known, but never more often than {@code leastInterval}, so that nobody
 * can have the provider asked all the time by making names up. Whoever asks for a key gets an answer at once.
 *
 * <p>A provider that cannot be reached, or answers nonsense, changes nothing for {@code maxAge}. Without keys, and while a
 * name may still turn out to be a new key's, the answer is "not known yet" and not "wrong": a client comes back from that.
 */
final class JwksKeys implements KeySource {

    private static final Logger log = LoggerFactory.getLogger(JwksKeys.class);

    /** Doubled for each failure, up to the refresh. */
    private static final int MOST_DOUBLINGS = 16;

    /** Reads what is at the address; throws IOException with a part of a sentence. */
    interface Load {
        byte[] load() throws IOException, InterruptedException;
    }

    /** @param asOf when they were asked for: what was published later may be missing */
    private record Loaded(KeySet keys, byte[] text, long asOf) {}

    private final JwksConfig config;
    private final Load load;
    private final LongSupplier nanoTime;
    private final long began;

    private volatile @Nullable Loaded loaded;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** The rest is guarded by the lock. */
    private @Nullable String problem;

    private long refreshes;
    private long failures;
    private boolean attempted;

    private long lastAttempt;
    private int failuresInARow;
    private boolean wanted;
    private boolean expiryTold;
    private boolean started;
    private boolean stopped;
    private @Nullable Thread thread;

    JwksKeys(JwksConfig config, Load load, LongSupplier nanoTime) {
        this.config = config;
        this.load = load;
        this.nanoTime = nanoTime;
        began = nanoTime.getAsLong();
    }

    @Override
    public Found find(JWSHeader header) {
        Loaded now = loaded;
        if (now == null || age(now) > config.maxAge().toNanos()) {
            return new NotKnownYet(want());
        }
        String id = header.getKeyID();
        if (id == null
                || now.keys.knows(id)
                || age(now) < config.leastInterval().toNanos()) {
            return now.keys.find(header);
        }
        return new NotKnownYet(want());
    }

    private long age(Loaded from) {
        return nanoTime.getAsLong() - from.asOf;
    }

    /** Has the keys loaded as soon as they may be, and returns in how many seconds to look again. */
    private int want() {
        lock.lock();
        try {
            if (!wanted) {
                wanted = true;
                changed.signal();
            }
            long soonest = attempted ? lastAttempt + config.leastInterval().toNanos() - nanoTime.getAsLong() : 0;
            return 1 + Math.toIntExact(TimeUnit.NANOSECONDS.toSeconds(Math.max(0, soonest)));
        } finally {
            lock.unlock();
        }
    }

    /** Loads the keys now. By one thread at a time. */
    void refresh() throws InterruptedException {
        long asOf = nanoTime.getAsLong();
        lock.lock();
        try {
            attempted = true;
            lastAttempt = asOf;
            wanted = false; // whoever asks from now on is answered by what comes now
        } finally {
            lock.unlock();
        }
        try {
            byte[] text = load.load();
            Loaded before = loaded;
            KeySet keys = KeySet.read(text);
            loaded = new Loaded(keys, text, asOf);
            succeeded(keys, before == null || !Arrays.equals(before.text, text));
        } catch (IOException | ParseException e) {
            failed(String.valueOf(e.getMessage()));
        }
    }

    private void succeeded(KeySet keys, boolean other) {
        lock.lock();
        try {
            refreshes++;
            if (other || failuresInARow > 0) {
                log.info("Tokens are checked with what {} holds: {}", config.url(), keys);
            }
            failuresInARow = 0;
            expiryTold = false;
            problem = null;
        } finally {
            lock.unlock();
        }
    }

    private void failed(String why) {
        Loaded now = loaded;
        boolean usable = now != null && age(now) <= config.maxAge().toNanos();
        lock.lock();
        try {
            failures++;
            failuresInARow = Math.min(failuresInARow + 1, MOST_DOUBLINGS);
            String what = "The keys at " + config.url() + " cannot be loaded (" + why + "). ";
            if (usable) {
                problem = what + "Those loaded before go on for as long as auth.jwks-max-age says.";
                if (failuresInARow == 1) {
                    log.warn("{}", problem);
                }
            } else {
                problem = what + "Until they are, everybody with a token is answered 503.";
                if (!expiryTold) {
                    expiryTold = true;
                    log.error("{}", problem);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** When the next load is due; not positive for now. */
    long nanosUntilDue() {
        lock.lock();
        try {
            if (!attempted) {
                return 0;
            }
            Duration least = config.leastInterval();
            Duration pause = config.refresh();
            if (wanted) {
                pause = least;
            } else if (failuresInARow > 0) {
                Duration grown = least.multipliedBy(1L << (failuresInARow - 1));
                pause = grown.compareTo(pause) < 0 ? grown : pause;
            }
            return lastAttempt + pause.toNanos() - nanoTime.getAsLong();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void start() {
        lock.lock();
        try {
            if (started) {
                return;
            }
            started = true;
            Thread fresh = new Thread(this::untilStopped, "pushbridge-jwks");
            fresh.setDaemon(true);
            fresh.start();
            thread = fresh;
        } finally {
            lock.unlock();
        }
    }

    private void untilStopped() {
        try {
            while (awaitDue()) {
                try {
                    refresh();
                } catch (RuntimeException e) {
                    log.error("Unexpected while loading the keys", e);
                    failed("unexpected: " + e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stopped in the middle of a load
        }
    }

    /** False when it is over. */
    private boolean awaitDue() throws InterruptedException {
        lock.lock();
        try {
            for (long left = nanosUntilDue(); !stopped && left > 0; left = nanosUntilDue()) {
                changed.awaitNanos(left);
            }
            return !stopped;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void stop() {
        lock.lock();
        try {
            stopped = true;
            changed.signal();
            if (thread != null) {
                thread.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public State state() {
        Loaded now = loaded;
        long age = now == null ? nanoTime.getAsLong() - began : age(now);
        lock.lock();
        try {
            return new State(
                    refreshes,
                    failures,
                    (double) age / TimeUnit.SECONDS.toNanos(1),
                    problem,
                    now != null && age <= config.maxAge().toNanos());
        } finally {
            lock.unlock();
        }
    }
}
