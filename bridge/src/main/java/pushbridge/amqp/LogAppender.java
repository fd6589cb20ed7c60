package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Channel;
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
 * <p>All state belongs to one thread, {@code pushbridge-amqp-held-append}, with a connection of its own: under a memory
 * or disk alarm the broker reads nothing from a connection that publishes. Callers bound what waits here (I5): at most
 * one unconfirmed record a lane.
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
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

    /** Everything not known to be in the log, in order. Guards itself and the bytes; a leaf. */
    private final Deque<byte[]> unconfirmed = new ArrayDeque<>();

    private long unconfirmedBytes;

    private volatile boolean stopping;
    private volatile long stopAtNanos;

    // Appender thread only, from here on.
    /** The end of {@link #unconfirmed}: what has not been published on this link. */
    private final Deque<byte[]> ready = new ArrayDeque<>();

    private @Nullable Link link;
    private long connectAtNanos = System.nanoTime();
    private int failures;
    private @Nullable String trouble;

    /** @param node the bridge's name, shown by the broker */
    public LogAppender(AmqpConfig config, LogSettings settings, String node, BrokerStatus status) {
        this.config = config;
        this.settings = settings;
        this.connector = new Connector(config, node, "held-append");
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
            events.add(new Added(record)); // under the lock, so that both have the same order
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
        events.add(new Stop());
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
                Event event = events.poll(nanosToNextDeadline(), TimeUnit.NANOSECONDS);
                try {
                    for (int i = 0; event != null; event = ++i < TURN ? events.poll() : null) {
                        handle(event);
                    }
                    advance();
                } catch (RuntimeException e) {
                    log.error("Appending to the held log failed; what is in doubt goes out again", e);
                    if (link != null) {
                        drop(link, "Appending to %s failed (%s)".formatted(stream.name(), Connector.describe(e)));
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        } finally {
            if (link != null) {
                Connector.abort(link.connection);
            }
            status.clear(alarm);
        }
    }

    private void handle(Event event) {
        if (event instanceof Added added) {
            ready.add(added.record());
        } else if (event instanceof Confirmed confirmed && confirmed.link() == link) {
            confirmed.link().confirm(confirmed.number(), confirmed.multiple());
        } else if (event instanceof Refused refused && refused.link() == link) {
            drop(refused.link(), refused.sentence());
        } else if (event instanceof Blocked blocked && blocked.link() == link) {
            blocked.link().blocked(blocked.reason());
        } else if (event instanceof Ended ended && ended.link() == link) {
            drop(ended.link(), lost(ended.reason()));
        }
    }

    /** Does whatever can be done now. */
    private void advance() {
        long now = System.nanoTime();
        if (link == null && connectAtNanos - now <= 0) {
            connect();
        }
        Link current = link;
        if (current == null || current.blocked) {
            return;
        }
        if (current.overdue(now)) {
            drop(current, lost("a confirm did not come in time"));
            return;
        }
        while (link == current && current.hasRoom() && !ready.isEmpty()) {
            current.publish(ready.remove());
        }
    }

    private void connect() {
        Connection connection = null;
        try {
            connection = connector.connect();
            stream.declare(connection);
            Link opened = new Link(connection);
            link = opened;
            opened.open();
        } catch (BrokerException e) {
            link = null;
            if (connection != null) {
                Connector.abort(connection);
            }
            failed(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            if (link != null) {
                drop(link, lost(Connector.describe(e)));
            }
        }
    }

    /** Gives a connection up: everything from the first unconfirmed record on goes out again, in order (I2). */
    private void drop(Link dropped, String why) {
        link = null;
        for (Iterator<Sent> last = dropped.inFlight.descendingIterator(); last.hasNext(); ) {
            ready.addFirst(last.next().record());
        }
        failed(why);
        Connector.abort(dropped.connection);
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
        if (link == null) {
            wait = Math.min(wait, connectAtNanos - now);
        } else if (!link.blocked && !link.inFlight.isEmpty()) {
            wait = Math.min(wait, link.deadline() - now);
        }
        if (stopping) {
            wait = Math.min(wait, stopAtNanos - now);
        }
        return Math.max(0, wait);
    }

    /** What the thread is told. */
    private sealed interface Event {}

    private record Added(byte[] record) implements Event {}

    /** The broker has one record, or all up to it. */
    private record Confirmed(Link link, long number, boolean multiple) implements Event {}

    /** A record was not taken; others behind it may have been. */
    private record Refused(Link link, String sentence) implements Event {}

    private record Blocked(Link link, @Nullable String reason) implements Event {}

    private record Ended(Link link, String reason) implements Event {}

    private record Stop() implements Event {}

    /** A record on its way, with its number on the channel. */
    private record Sent(long number, byte[] record, long atNanos) {}

    /** One connection with its channel; publish numbers mean something only here. */
    private final class Link {
        private final Connection connection;
        /** From the first that is not confirmed on, without gaps. */
        private final Deque<Sent> inFlight = new ArrayDeque<>();
        /** Confirmed out of turn; they count once everything before them is confirmed. */
        private final Set<Long> confirmedAhead = new HashSet<>();

        private long inFlightBytes;
        private @Nullable Channel channel;
        private boolean blocked;
        private long unblockedNanos = System.nanoTime();

        Link(Connection connection) {
            this.connection = connection;
        }

        void open() throws IOException {
            connection.addBlockedListener(new BlockedListener() {
                @Override
                public void handleBlocked(String reason) {
                    events.add(new Blocked(Link.this, reason));
                }

                @Override
                public void handleUnblocked() {
                    events.add(new Blocked(Link.this, null));
                }
            });
            Channel opened = connection.createChannel();
            opened.confirmSelect();
            // The callbacks run on the connection's reader: they only pass on.
            opened.addConfirmListener(
                    (number, multiple) -> events.add(new Confirmed(this, number, multiple)),
                    (number, multiple) -> events.add(new Refused(
                            this,
                            "RabbitMQ refuses records for the held log %s: its leader is unavailable"
                                    .formatted(stream.name()))));
            // It comes before its confirm: the broker confirms also what no queue took.
            opened.addReturnListener(message -> events.add(new Refused(
                    this,
                    "The stream %s of the held log is gone: somebody has deleted it with all that was held, and a new"
                                    .formatted(stream.name())
                            + " one is declared")));
            opened.addShutdownListener(signal -> events.add(new Ended(this, Connector.describe(signal))));
            channel = opened;
        }

        boolean hasRoom() {
            return !blocked
                    && inFlight.size() < settings.appendRecords()
                    && (inFlight.isEmpty() || inFlightBytes < settings.appendBytes());
        }

        /** The time tells later readers how long something has been held. */
        private BasicProperties writtenNow() {
            return new BasicProperties.Builder()
                    .deliveryMode(2)
                    .timestamp(Date.from(Instant.now()))
                    .build();
        }

        void publish(byte[] record) {
            Channel open = channel;
            if (open == null) {
                throw new IllegalStateException("published before the channel was opened");
            }
            inFlight.add(new Sent(open.getNextPublishSeqNo(), record, System.nanoTime()));
            inFlightBytes += record.length;
            try {
                open.basicPublish("", stream.name(), true, writtenNow(), record);
            } catch (IOException | ShutdownSignalException e) {
                drop(this, lost(Connector.describe(e)));
            }
        }

        void confirm(long number, boolean multiple) {
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

        void blocked(@Nullable String reason) {
            blocked = reason != null;
            if (reason == null) {
                unblockedNanos = System.nanoTime(); // nobody could confirm until now
                works();
            } else {
                raise("RabbitMQ takes no records for the held log %s (%s): free memory or disk there; messages for"
                                .formatted(stream.name(), reason)
                        + " absent users stay unsettled meanwhile");
            }
        }

        long deadline() {
            Sent first = inFlight.element();
            long since = Math.max(first.atNanos() - unblockedNanos, 0) + unblockedNanos;
            return since + config.confirmTimeout().toNanos();
        }

        boolean overdue(long now) {
            return !inFlight.isEmpty() && deadline() - now <= 0;
        }
    }
}
