package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Date;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;

/**
 * Appends records to the held log, in the order of the calls. A confirm carries no offset, so nothing is reported: a
 * record is in the log when a {@link LogTail} hands it over (I1).
 *
 * <p>What the log then holds is that of a go-back-N sender. Whenever anything is in doubt (the connection was lost, a
 * record was refused, a confirm did not come) everything from the first unconfirmed record on goes out again, in order,
 * before anything new. So records can repeat, and after a refusal one can be missing before others that were taken; but
 * a reader that accepts only the next number, and ignores every other, gets each record once and in order (I2, I3).
 *
 * <p>All state belongs to one thread, {@code pushbridge-amqp-held-append}. Callers bound what waits here (I5): at most one
 * unconfirmed record a lane.
 */
public final class LogAppender {

    private static final Logger log = LoggerFactory.getLogger(LogAppender.class);

    /** Events handled before publishing goes on. */
    private static final int TURN = 1_024;

    private final AmqpConfig config;
    private final LogSettings settings;
    private final Connector connector;
    private final HeldStream stream;
    private final BrokerStatus status;
    private final String alarm;
    private final IntervalFunction backoff;
    private final Thread thread = new Thread(this::run, "pushbridge-amqp-held-append");
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();

    /** Everything not known to be in the log, in order. Guards itself and the bytes; a leaf. */
    private final Deque<byte[]> unconfirmed = new ArrayDeque<>();

    private long unconfirmedBytes;

    private volatile boolean stopping;
    private volatile long stopAtNanos;

    // Appender thread only, from here on.
    /** The end of {@link #unconfirmed}: what has not been published on this channel. */
    private final Deque<byte[]> ready = new ArrayDeque<>();

    private @Nullable ConfirmChannel channel;
    /** Published on this channel, from the first that is not confirmed on, without gaps. */
    private final Deque<Sent> inFlight = new ArrayDeque<>();

    private long inFlightBytes;
    /** Confirmed out of turn; they count once everything before them is confirmed. */
    private final Set<Long> confirmedAhead = new HashSet<>();

    private long connectAtNanos = System.nanoTime();
    private int failures;
    private @Nullable String trouble;

    /** @param node the bridge's name, shown by the broker */
    public LogAppender(AmqpConfig config, LogSettings settings, String node, BrokerStatus status) {
        this.config = config;
        this.settings = settings;
        this.connector = new Connector(config, node, "held-append", status.meters());
        this.stream = new HeldStream(config, settings);
        this.status = status;
        this.alarm = "appends to " + stream.name();
        this.backoff = Connector.backoff(config);
        this.thread.setDaemon(true);
    }

    /** Starts to connect. */
    public void start() {
        thread.start();
    }

    /**
     * Appends; returns at once. Any thread. After {@link #stop} a record goes nowhere, which is as safe as any other that
     * does not come back through the tail.
     *
     * @param record never changed afterwards
     * @throws IllegalArgumentException when it is larger than {@code amqp.max-inbound-bytes}: no reader could ever pass
     *     it
     */
    public void append(byte[] record) {
        if (record.length > config.maxInboundBytes()) {
            throw new IllegalArgumentException(
                    "A record of %d bytes is more than the %d that are ever read from RabbitMQ; write smaller ones"
                            .formatted(record.length, config.maxInboundBytes()));
        }
        synchronized (unconfirmed) {
            unconfirmed.add(record);
            unconfirmedBytes += record.length;
            events.add(() -> ready.add(record)); // under the lock, so that both have the same order
        }
    }

    /** Records not confirmed. Any thread. */
    public int waiting() {
        synchronized (unconfirmed) {
            return unconfirmed.size();
        }
    }

    /** Bytes not confirmed. Any thread. */
    public long waitingBytes() {
        synchronized (unconfirmed) {
            return unconfirmedBytes;
        }
    }

    /**
     * Appends what is waiting, for at most this long, then leaves.
     *
     * @return what was not confirmed, in order: it may be in the log or not
     */
    public List<byte[]> stop(Duration patience) throws InterruptedException {
        stopAtNanos = System.nanoTime() + patience.toNanos();
        stopping = true;
        events.add(() -> {}); // wakes it
        thread.join(patience.toMillis() + 2L * connector.stepMillis());
        synchronized (unconfirmed) {
            return new ArrayList<>(unconfirmed);
        }
    }

    private boolean over() {
        return stopping && (stopAtNanos - System.nanoTime() <= 0 || waiting() == 0);
    }

    private void run() {
        try {
            while (!over()) {
                Runnable event = events.poll(nanosToNextDeadline(), TimeUnit.NANOSECONDS);
                try {
                    for (int i = 0; event != null; event = ++i < TURN ? events.poll() : null) {
                        event.run();
                    }
                    advance();
                } catch (RuntimeException e) {
                    log.error("Appending to the held log failed; what is in doubt goes out again", e);
                    drop("Appending to %s failed (%s)".formatted(stream.name(), Connector.describe(e)));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        } finally {
            if (channel != null) {
                channel.abandon();
            }
            status.clear(alarm);
        }
    }

    /** Does whatever can be done now. */
    private void advance() {
        long now = System.nanoTime();
        if (channel == null && connectAtNanos - now <= 0) {
            connect();
        }
        if (channel == null || channel.isBlocked()) {
            return;
        }
        if (!inFlight.isEmpty() && deadlineNanos(channel) - now <= 0) {
            drop(lost("a confirm did not come in time"));
            return;
        }
        for (ConfirmChannel current = channel;
                current != null && hasRoom(current) && !ready.isEmpty();
                current = channel) {
            publish(current, ready.remove());
        }
    }

    private boolean hasRoom(ConfirmChannel current) {
        return !current.isBlocked()
                && inFlight.size() < settings.appendRecords()
                && (inFlight.isEmpty() || inFlightBytes < settings.appendBytes());
    }

    private void publish(ConfirmChannel current, byte[] record) {
        inFlight.add(new Sent(current.nextNumber(), record, System.nanoTime()));
        inFlightBytes += record.length;
        try {
            current.publish(stream.name(), writtenNow(), record);
        } catch (IOException | ShutdownSignalException e) {
            drop(lost(Connector.describe(e)));
        }
    }

    /** The time tells later readers how long something has been held. */
    private static BasicProperties writtenNow() {
        return new BasicProperties.Builder()
                .deliveryMode(2)
                .timestamp(Date.from(Instant.now()))
                .build();
    }

    private void connect() {
        Connection connection = null;
        try {
            connection = connector.connect();
            stream.declare(connection);
            channel = ConfirmChannel.open(connection, config.confirmTimeout(), events::add, new Heard());
            status.connected("held-append");
        } catch (BrokerException e) {
            abort(connection);
            failed(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            abort(connection);
            failed(lost(Connector.describe(e)));
        } catch (RuntimeException e) {
            abort(connection);
            throw e;
        }
    }

    private static void abort(@Nullable Connection connection) {
        if (connection != null) {
            Connector.abort(connection);
        }
    }

    /** Gives the channel up: everything from the first unconfirmed record on goes out again, in order (I2). */
    private void drop(String why) {
        for (Iterator<Sent> last = inFlight.descendingIterator(); last.hasNext(); ) {
            ready.addFirst(last.next().record());
        }
        inFlight.clear();
        inFlightBytes = 0;
        confirmedAhead.clear();
        ConfirmChannel dropped = channel;
        channel = null;
        failed(why);
        if (dropped != null) {
            dropped.abandon();
        }
    }

    private String lost(String reason) {
        return "The connection to RabbitMQ for the held log %s was lost (%s)".formatted(stream.name(), reason);
    }

    private void failed(String why) {
        failures++;
        connectAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.apply(failures));
        raise(why + "; messages for absent users stay unsettled meanwhile, trying again until it works");
    }

    private void raise(String sentence) {
        if (!stopping && !sentence.equals(trouble)) {
            trouble = sentence;
            log.warn("{}", sentence);
            status.raise(alarm, sentence);
        }
    }

    /** Something was confirmed: whatever it was is over. */
    private void works() {
        failures = 0;
        if (trouble != null) {
            trouble = null;
            log.info("The held log {} takes records again", stream.name());
            status.clear(alarm);
        }
    }

    private long nanosToNextDeadline() {
        long now = System.nanoTime();
        long wait = TimeUnit.SECONDS.toNanos(1); // an idle look around costs nothing
        if (channel == null) {
            wait = Math.min(wait, connectAtNanos - now);
        } else if (!channel.isBlocked() && !inFlight.isEmpty()) {
            wait = Math.min(wait, deadlineNanos(channel) - now);
        }
        if (stopping) {
            wait = Math.min(wait, stopAtNanos - now);
        }
        return Math.max(0, wait);
    }

    /** Until when the oldest in flight may wait for its confirm. */
    private long deadlineNanos(ConfirmChannel current) {
        return current.deadlineNanos(inFlight.element().atNanos());
    }

    /** A record on its way, with its number on the channel. */
    private record Sent(long number, byte[] record, long atNanos) {}

    /** What the broker says, on the appender's thread. */
    private final class Heard implements ConfirmChannel.Answers {
        @Override
        public void settled(long number, boolean multiple, boolean taken) {
            if (taken) {
                confirmed(number, multiple);
            } else {
                // Others behind it may have been taken. A new channel follows, which also cures one that only refuses.
                drop("RabbitMQ refuses records for the held log %s: its leader is unavailable"
                        .formatted(stream.name()));
            }
        }

        @Override
        public void returned(BasicProperties properties) {
            drop(
                    "The stream %s of the held log is gone: somebody has deleted it with all that was held, and a new one is"
                                    .formatted(stream.name())
                            + " declared");
        }

        @Override
        public void blocked(@Nullable String reason) {
            if (reason == null) {
                works();
            } else {
                raise("RabbitMQ takes no records for the held log %s (%s): free memory or disk there; messages for"
                                .formatted(stream.name(), reason)
                        + " absent users stay unsettled meanwhile");
            }
        }

        @Override
        public void ended(ShutdownSignalException signal) {
            drop(lost(Connector.describe(signal)));
        }
    }

    private void confirmed(long number, boolean multiple) {
        long upTo = multiple ? number : 0;
        if (multiple) {
            confirmedAhead.removeIf(ahead -> ahead <= number);
        } else {
            confirmedAhead.add(number);
        }
        boolean any = false;
        for (Sent first = inFlight.peek();
                first != null && (first.number() <= upTo || confirmedAhead.remove(first.number()));
                first = inFlight.peek()) {
            inFlight.remove();
            inFlightBytes -= first.record().length;
            synchronized (unconfirmed) {
                unconfirmed.remove();
                unconfirmedBytes -= first.record().length;
            }
            any = true;
        }
        if (any) {
            works();
        }
    }
}
