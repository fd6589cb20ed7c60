package pushbridge.amqp;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.config.LettersConfig;
import pushbridge.delivery.Clock;
import pushbridge.envelope.Reading;
import pushbridge.letters.Entry;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterQueue;
import pushbridge.letters.Outgoing;
import pushbridge.letters.Sender;
import pushbridge.letters.Shelf;
import pushbridge.letters.Shelves;

/**
 * Reads letters on a connection that exists only while somebody looks: it is opened by the first question, goes on for the
 * next ones, and gives everything back after a while without any. It must end before RabbitMQ's consumer timeout (30 min)
 * would end its channels. Thread-safe.
 */
public final class LetterShelves implements Shelves, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LetterShelves.class);

    /** How often it is looked whether anybody still looks. */
    private static final long WATCH_MILLIS = 1_000;

    private final AmqpConfig amqp;
    private final LettersConfig config;
    private final String node;
    private final String holder;
    private final Topology topology;
    private final InstructionReader reader;
    private final Connector connector;

    // Guarded by this.
    private @Nullable Connection connection;
    private final Map<LetterQueue, LetterShelf> open = new EnumMap<>(LetterQueue.class);
    private long openedNanos;
    private long usedNanos;
    /** Shelves that somebody has not closed. */
    private int users;

    private @Nullable Thread watcher;
    private boolean closed;

    /**
     * Connects to nothing yet.
     *
     * @param node shown by the broker
     * @param holder who we are, for somebody who finds the letters being read: a noun, as in "the bridge web-1"
     * @param bodies decides what a bridge would take
     */
    public LetterShelves(
            AmqpConfig amqp, LettersConfig config, String node, String holder, BodyReader bodies, Clock clock) {
        this.amqp = amqp;
        this.config = config;
        this.node = node;
        this.holder = holder;
        this.topology = new Topology(amqp);
        this.reader = new InstructionReader(bodies, clock);
        this.connector = new Connector(amqp, node, "letters");
    }

    @Override
    public synchronized Shelf open(LetterQueue queue) throws LetterException, InterruptedException {
        if (closed) {
            throw LetterException.unavailable("the bridge is stopping");
        }
        long now = System.nanoTime();
        LetterShelf known = open.get(queue);
        if ((known != null && known.isOver())
                || (connection != null && (!connection.isOpen() || (users == 0 && isOlder(openedNanos, now))))) {
            giveBack();
        }
        try {
            LetterShelf shelf = open.get(queue);
            if (shelf == null) {
                Connection current = connection == null ? connect() : connection;
                shelf = new LetterShelf(queue, name(queue), config, current, connector.stepMillis());
                open.put(queue, shelf);
            }
            shelf.catchUp();
            users++;
            return new Used(shelf);
        } catch (BrokerException e) {
            giveBack();
            throw LetterException.unavailable(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            giveBack();
            throw LetterException.unavailable("the letters cannot be read (" + Connector.describe(e) + ")");
        } catch (LetterException e) {
            giveBack();
            throw e;
        }
    }

    private String name(LetterQueue queue) {
        return queue == LetterQueue.DEAD ? topology.dead() : topology.expired();
    }

    private boolean isOlder(long sinceNanos, long now) {
        return now - sinceNanos > config.sessionMax().toNanos();
    }

    private Connection connect() throws BrokerException, LetterException, InterruptedException {
        Connection fresh = connector.connect();
        try {
            ReaderLock.take(
                    fresh,
                    topology.reader(),
                    holder + ", since " + Instant.now().truncatedTo(ChronoUnit.SECONDS),
                    () -> Connector.abort(fresh));
        } catch (BrokerException | LetterException | InterruptedException | RuntimeException e) {
            Connector.abort(fresh);
            throw e;
        }
        connection = fresh;
        openedNanos = System.nanoTime();
        if (watcher == null) {
            watcher = new Thread(this::watch, "pushbridge-letters");
            watcher.setDaemon(true);
            watcher.start();
        }
        return fresh;
    }

    /** Nobody who has gone keeps letters from others, or from RabbitMQ's own count of what is ready. */
    private void watch() {
        try {
            while (true) {
                Thread.sleep(WATCH_MILLIS);
                synchronized (this) {
                    long now = System.nanoTime();
                    if (connection == null
                            || (users == 0
                                    && now - usedNanos > config.idleClose().toNanos())) {
                        giveBack();
                        watcher = null;
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        }
    }

    private void giveBack() {
        open.values().forEach(LetterShelf::close);
        open.clear();
        if (connection != null) {
            log.debug("Giving the letters back");
            Connector.abort(connection);
            connection = null;
        }
    }

    @Override
    public Sender sender() throws LetterException {
        try {
            return new LetterSender(amqp, node);
        } catch (BrokerException e) {
            throw LetterException.unavailable(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            throw LetterException.unavailable(
                    "RabbitMQ refuses a channel for publishing (" + Connector.describe(e) + ")");
        }
    }

    @Override
    public Reading.@Nullable Refusal refusal(Outgoing outgoing) {
        boolean toAddress = outgoing.target() == Outgoing.Target.ADDRESS;
        return reader.refusal(new AmqpOriginal(
                toAddress ? topology.exchange() : "",
                toAddress ? outgoing.key() : topology.instructions(),
                false,
                LetterCodec.properties(outgoing),
                outgoing.body()));
    }

    /** For tests: the connection ends as if the process did. */
    synchronized void kill() {
        if (connection != null) {
            connection.abort();
        }
    }

    /** Gives all letters back, in order. Idempotent. */
    @Override
    public synchronized void close() {
        closed = true;
        giveBack();
        if (watcher != null) {
            watcher.interrupt();
        }
    }

    /** Remembers that somebody uses it. */
    private final class Used implements Shelf {
        private final LetterShelf shelf;
        private boolean over; // guarded by LetterShelves.this

        Used(LetterShelf shelf) {
            this.shelf = shelf;
        }

        @Override
        public List<Entry> entries() {
            return shelf.entries();
        }

        @Override
        public long beyond() {
            return shelf.beyond();
        }

        @Override
        public Letter read(Entry entry) throws LetterException {
            return shelf.read(entry);
        }

        @Override
        public void remove(Entry entry) throws LetterException {
            shelf.remove(entry);
        }

        @Override
        public void settle() throws LetterException {
            shelf.settle();
        }

        @Override
        public void close() {
            synchronized (LetterShelves.this) {
                if (!over) {
                    over = true;
                    users--;
                    usedNanos = System.nanoTime();
                }
            }
        }
    }
}
