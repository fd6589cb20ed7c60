package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;

/**
 * Follows the held log: hands every record from an offset on to a listener, in order and each offset once, however often
 * the connection is lost. Everything happens on its own thread, {@code pushbridge-amqp-held-tail}, on a connection of
 * its own.
 *
 * <p>After each connect it asks for a record it knows: the one handed over last, or at the start the one it was told to
 * begin at. When that comes, and is the same byte for byte, the log is the one it was. Asking for the next one
 * would say nothing: the broker answers a request beyond the end with silence, also when the stream has been deleted and
 * declared again, and it skips what it has truncated without a word.
 *
 * <p>Memory (I5): the broker has at most the prefetch outstanding, beside the rest of one chunk; a listener that blocks
 * stops the acknowledgements, and with them the broker.
 */
public final class LogTail implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LogTail.class);

    /** With nothing new for this long, what is handed over is acknowledged, or the broker would call us stuck. */
    private static final Duration QUIET = Duration.ofMillis(100);

    private static final long UNKNOWN = -2;

    /** So often in a row a known record must be absent: a replica may be behind for a while. */
    private static final int ABSENCES = 2;

    private final AmqpConfig config;
    private final LogSettings settings;
    private final Connector connector;
    private final HeldStream stream;
    private final BrokerStatus status;
    private final String alarm;
    private final IntervalFunction backoff;
    private final LogListener listener;
    private final Beginning beginning;
    private final Thread thread = new Thread(this::run, "pushbridge-amqp-held-tail");
    /** Bounded by the credit of the current link. */
    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();

    private volatile boolean stopping;
    private volatile boolean endWanted = true;
    private volatile boolean rewound;
    private volatile long position = -1;
    /** The record to begin with; -1 for the first there is. */
    private volatile long from = -1;

    private volatile long end = UNKNOWN;

    // Tail thread only, from here on.
    private boolean begun;
    private byte @Nullable [] lastRecord;
    private boolean telling;
    private int skipAddresses;
    private int absences;
    private final Trouble trouble;
    private final String readAgain;

    /** Says where to begin; called by the tail's thread once connected, and again when the connection was lost meanwhile. */
    @FunctionalInterface
    public interface Beginning {
        /**
         * Looks where to begin.
         *
         * @param patienceMillis how long to wait for the broker
         * @return the offset of a record that is in the log; −1 for the first there is
         */
        long find(Connection connection, String stream, long patienceMillis) throws IOException, InterruptedException;
    }

    /** @param node the bridge's name, shown by the broker */
    public LogTail(
            AmqpConfig config,
            LogSettings settings,
            String node,
            Beginning beginning,
            LogListener listener,
            BrokerStatus status) {
        this.config = config;
        this.settings = settings;
        this.connector = new Connector(config, node, "held-tail", status.meters());
        this.stream = new HeldStream(config, settings);
        this.status = status;
        this.alarm = "reading " + stream.name();
        this.trouble = new Trouble(log, status, alarm);
        this.readAgain = "The held log " + stream.name() + " is read again";
        this.backoff = Connector.backoff(config);
        this.beginning = beginning;
        this.listener = listener;
        this.thread.setDaemon(true);
    }

    /** Starts to connect. */
    public void start() {
        thread.start();
    }

    /** The offset of the record handed over last; −1 before the first. Any thread. */
    public long position() {
        return position;
    }

    /**
     * About how many records are still to come, as of the last {@link #askEnd} or connect: offsets, of which the broker
     * uses some itself; −1 while the end is not known. Any thread.
     */
    public long lag() {
        long known = end;
        return known == UNKNOWN ? -1 : Math.max(0, known - Math.max(position, from - 1));
    }

    /** Looks up again where the log ends; {@link LogListener#caughtUp} follows. Any thread. */
    public void askEnd() {
        endWanted = true;
        signals.add(new Wake());
    }

    /** Asks anew where to begin, and hands over everything from there on once more. Any thread. */
    public void rewind() {
        rewound = true;
        signals.add(new Wake());
    }

    /** Records received and not yet handed over. Any thread. */
    public int buffered() {
        return signals.size();
    }

    /**
     * Stops after the record being handed over; a listener that blocks is interrupted. Ends the alarm, too. Not to be
     * called by the listener. Idempotent.
     */
    @Override
    public void close() throws InterruptedException {
        stopping = true;
        signals.add(new Wake());
        thread.join(connector.stepMillis());
        if (thread.isAlive()) {
            thread.interrupt();
            thread.join(connector.stepMillis());
        }
        status.clear(alarm);
    }

    private void run() {
        int failures = 0;
        try {
            while (!stopping) {
                long connectedAt = System.nanoTime();
                try {
                    if (failures > 0) {
                        pause(Duration.ofMillis(backoff.apply(failures)));
                    }
                    Connection connection = connector.connect(skipAddresses);
                    connectedAt = System.nanoTime();
                    status.connected("held-tail");
                    follow(connection);
                } catch (BrokerException e) {
                    trouble("connect", e.sentence());
                } catch (LinkLostException e) {
                    trouble(e.kind, e.sentence);
                } catch (RuntimeException e) {
                    if (telling) {
                        throw e;
                    }
                    log.error("Reading the held log {} failed; connecting again", stream.name(), e);
                    trouble(
                            "failure",
                            "Reading the held log %s failed (%s)".formatted(stream.name(), Connector.describe(e)));
                }
                boolean stable =
                        System.nanoTime() - connectedAt > config.backoffMax().toNanos();
                failures = stable ? 1 : failures + 1;
                if (rewound) {
                    forget();
                    failures = 0;
                }
            }
        } catch (ReplacedException e) {
            log.error("{}", e.sentence);
            status.raise(alarm, e.sentence);
            listener.replaced(e.sentence);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        } catch (RuntimeException e) {
            // The listener has failed, so it has lost a record, and handing over the next one would hide that.
            log.error("What follows the held log {} failed; nothing more is read", stream.name(), e);
            status.raise(
                    alarm, "What follows the held log %s failed (%s): restart the bridge".formatted(stream.name(), e));
            listener.failed(e);
        }
    }

    private void forget() {
        rewound = false;
        begun = false;
        position = -1;
        from = -1;
        end = UNKNOWN;
        lastRecord = null;
        absences = 0;
    }

    private void follow(Connection connection) throws LinkLostException, ReplacedException, InterruptedException {
        try {
            signals.clear(); // of the link before
            endWanted = true;
            stream.declare(connection);
            if (!begun) {
                from = beginning.find(connection, stream.name(), connector.stepMillis());
                begun = true;
            }
            Link link = new Link(connection);
            link.consume();
            while (!stopping && !rewound) {
                Signal signal = signals.poll(link.nanosToNextDeadline(), TimeUnit.NANOSECONDS);
                if (signal instanceof Arrived arrived && arrived.link() == link) {
                    if (arrived.item() instanceof StreamConsumer.Entry entry) {
                        link.take(entry);
                    } else if (arrived.item() instanceof StreamConsumer.Over over) {
                        throw unreadable(link.connection, over.reason());
                    }
                } else if (signal == null) {
                    link.quiet();
                }
                link.lookForEnd();
            }
        } catch (IOException | ShutdownSignalException e) {
            throw unreadable(connection, Connector.describe(e));
        } catch (BrokerException e) {
            throw new LinkLostException("declare", e.sentence());
        } finally {
            Connector.abort(connection);
        }
    }

    private LinkLostException unreadable(Connection connection, String reason) {
        boolean elsewhere = HeldStream.needsOtherNode(reason);
        if (elsewhere) {
            skipAddresses++;
        }
        return new LinkLostException(elsewhere ? "replica" : "read", stream.unreadable(connection, reason));
    }

    /** Waits, unless stopping. */
    private void pause(Duration time) throws InterruptedException {
        long until = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); !stopping && left > 0; left = until - System.nanoTime()) {
            signals.poll(left, TimeUnit.NANOSECONDS);
        }
    }

    private void tell(Runnable call) {
        telling = true;
        call.run();
        telling = false;
    }

    private void trouble(String kind, String sentence) {
        if (!stopping) {
            trouble.is(kind, sentence);
        }
    }

    private void works() {
        trouble.over(readAgain);
    }

    /** What wakes the thread. */
    private sealed interface Signal {}

    private record Arrived(Link link, StreamConsumer.Item item) implements Signal {}

    private record Wake() implements Signal {}

    /** The connection cannot be used any more. */
    private static final class LinkLostException extends Exception {
        private final String kind;
        private final String sentence;

        LinkLostException(String kind, String sentence) {
            super(sentence);
            this.kind = kind;
            this.sentence = sentence;
        }
    }

    /** The log is not the one it was. */
    private static final class ReplacedException extends Exception {
        private final String sentence;

        ReplacedException(String sentence) {
            super(sentence);
            this.sentence = sentence;
        }
    }

    /** One connection with its consumer. */
    private final class Link {
        private final Connection connection;
        /** The record that shows that the log is the same; -1 when any will do. */
        private final long known = position >= 0 ? position : from;

        private final boolean resumed = position >= 0;
        private final long openedNanos = System.nanoTime();
        private @Nullable Channel channel;
        private boolean verified = known < 0;
        private boolean heard;
        private boolean endPending;
        private int unacked;
        private long lastTag;

        Link(Connection connection) {
            this.connection = connection;
        }

        void consume() throws IOException {
            Channel opened = connection.createChannel();
            opened.basicQos(settings.tailPrefetch());
            channel = opened;
            Object offset = known < 0 ? "first" : known;
            StreamConsumer.open(opened, stream.name(), offset, item -> signals.add(new Arrived(this, item)));
        }

        void take(StreamConsumer.Entry entry) throws IOException, ReplacedException {
            heard = true;
            if (!verified && entry.offset() >= known) {
                verify(entry);
            }
            if (verified && entry.offset() > position) {
                works();
                tell(() -> listener.record(entry.offset(), entry.body(), entry.writtenMillis()));
                position = entry.offset();
                lastRecord = entry.body();
            } // else it is below what was asked for: the broker may begin with a whole chunk
            lastTag = entry.tag();
            unacked++;
            if (unacked >= Math.max(1, settings.tailPrefetch() / 4)) {
                ack();
            }
        }

        private void verify(StreamConsumer.Entry entry) throws ReplacedException {
            verified = true;
            absences = 0;
            long due = resumed ? known + 1 : known;
            if (entry.offset() > due) {
                tell(() -> listener.truncated(new LogListener.TruncatedFrom(due, entry.offset())));
            } else if (resumed && entry.offset() == known && !Arrays.equals(entry.body(), lastRecord)) {
                throw new ReplacedException(
                        "The stream %s has another record at offset %d than before: it was deleted and declared again, or"
                                        .formatted(stream.name(), known)
                                + " RabbitMQ lost its end; what was held there is lost");
            }
        }

        /** Nothing came for a while. */
        void quiet() throws IOException, LinkLostException, ReplacedException, InterruptedException {
            if (unacked > 0) {
                ack();
            }
            if (System.nanoTime() - openedNanos < patienceNanos()) {
                return;
            }
            if (!verified) {
                absent();
            } else if (!heard && endWanted) {
                endWanted = false;
                end = -1;
                works();
                tell(() -> listener.caughtUp(-1)); // asked for the first record, and there is none
            }
        }

        /** The record that should be there does not come. */
        private void absent() throws IOException, LinkLostException, ReplacedException, InterruptedException {
            OptionalLong last = StreamEnd.find(connection, stream.name(), connector.stepMillis());
            String found = last.isPresent() ? "ends at " + last.getAsLong() : "sends nothing";
            // Only what was seen counts: silence may be a leader that is just being elected.
            if (last.isPresent() && last.getAsLong() < known && ++absences >= ABSENCES) {
                throw new ReplacedException(
                        "The stream %s %s, although offset %d was in it: it was deleted and declared again, or RabbitMQ"
                                        .formatted(stream.name(), found, known)
                                + " lost its end; what was held there is lost");
            }
            throw new LinkLostException(
                    "absent",
                    "The stream %s does not send its record at offset %d (it %s)"
                            .formatted(stream.name(), known, found));
        }

        /** Once something was heard the log is not empty, so this takes milliseconds. */
        void lookForEnd() throws IOException, LinkLostException, InterruptedException {
            if (endWanted && heard && verified) {
                endWanted = false; // first, so that a request from now on counts
                OptionalLong last = StreamEnd.find(connection, stream.name(), connector.stepMillis());
                if (last.isEmpty()) {
                    throw unreadable(connection, "no answer in time");
                }
                end = last.getAsLong();
                endPending = true;
            }
            if (endPending && position >= end) {
                endPending = false;
                tell(() -> listener.caughtUp(end));
            }
        }

        private void ack() throws IOException {
            Channel open = channel;
            if (open != null) {
                open.basicAck(lastTag, true);
                unacked = 0;
            }
        }

        private long patienceNanos() {
            return TimeUnit.MILLISECONDS.toNanos(connector.stepMillis());
        }

        long nanosToNextDeadline() {
            if (unacked > 0) {
                return QUIET.toNanos();
            }
            long wait = TimeUnit.SECONDS.toNanos(1);
            if (!verified || (!heard && endWanted)) {
                wait = Math.min(wait, patienceNanos() - (System.nanoTime() - openedNanos));
            }
            return Math.max(TimeUnit.MILLISECONDS.toNanos(1), wait);
        }
    }
}
