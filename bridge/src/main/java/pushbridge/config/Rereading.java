package pushbridge.config;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks every ten seconds, on a thread of its own, whether files have changed that are used without a restart. */
public final class Rereading {

    /** Certificates and keys change a few times a year, and whoever changes one waits for it to be used. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(Rereading.class);

    private final String thread;
    private final Runnable look;
    private final CountDownLatch stopped = new CountDownLatch(1);

    /**
     * Starts nothing yet.
     *
     * @param thread its name
     * @param look finds out what has changed and takes it; says itself what cannot be taken
     */
    public Rereading(String thread, Runnable look) {
        this.thread = thread;
        this.look = look;
    }

    /** Begins to look; once only. */
    public void start() {
        Thread started = new Thread(this::untilStopped, thread);
        started.setDaemon(true);
        started.start();
    }

    private void untilStopped() {
        try {
            while (!stopped.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    look.run();
                } catch (RuntimeException e) {
                    log.error("What was read before stays in use, since {} has failed", thread, e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends what {@link #start} began. Idempotent. */
    public void stop() {
        stopped.countDown();
    }
}
