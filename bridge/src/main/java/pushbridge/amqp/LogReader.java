package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;

/**
 * Reads records of the held log by their offsets. A read is a consumer that begins at an offset and is cancelled when it has
 * what is needed. That costs the broker milliseconds, whatever comes with it; so the {@link Elevator} merges what all
 * have asked for, and few consumers serve many.
 *
 * <p>Threads: {@code pushbridge-amqp-held-read-<n>}, each with a channel of its own on one shared connection. The first
 * serves the newest requests, the others scan. What is asked for is answered exactly once, also when the connection is
 * lost in between: then a read goes on where it was. What is in hand is the prefetch and the rest of one chunk for each
 * thread (I5).
 */
public final class LogReader implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LogReader.class);

    /** The kind of trouble that another node may not have. */
    private static final String NO_REPLICA = "replica";

    private final LogSettings settings;
    private final Connector connector;
    private final HeldStream stream;
    private final LogBodies bodies;
    private final BrokerStatus status;
    private final String alarm;
    private final IntervalFunction backoff;
    private final Elevator elevator = new Elevator();
    private final LongAdder scans = new LongAdder();
    private final LongAdder wanted = new LongAdder();
    private final LongAdder passed = new LongAdder();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();

    // Guarded by this.
    private @Nullable Connection connection;
    private int skipAddresses;
    private final Trouble trouble;

    private final Set<Worker> failing = new HashSet<>();

    /**
     * @param node the bridge's name, shown by the broker
     * @param bodies gets what was asked for
     */
    public LogReader(AmqpConfig config, LogSettings settings, String node, LogBodies bodies, BrokerStatus status) {
        this.settings = settings;
        this.connector = new Connector(config, node, "held-read", status.meters());
        this.stream = new HeldStream(config, settings);
        this.bodies = bodies;
        this.status = status;
        this.alarm = "cold reads of " + stream.name();
        this.trouble = new Trouble(log, status, alarm);
        this.backoff = Connector.backoff(config);
        for (int i = 1; i <= settings.readers(); i++) {
            Thread thread = new Thread(new Worker(i > 1), "pushbridge-amqp-held-read-" + i);
            thread.setDaemon(true);
            threads.add(thread);
        }
    }

    /** Starts the threads; the first read connects. */
    public void start() {
        threads.forEach(Thread::start);
    }

    /**
     * Asks for a message; read after the next {@link #go}. Any thread.
     *
     * @param id given back with the record; answered once for each call
     * @param offset of a record that was in the log
     */
    public void ask(long id, long offset) {
        elevator.add(id, offset);
    }

    /** Lets what was asked for be read. Any thread. */
    public void go() {
        elevator.go();
    }

    /** The message is not waited for any more; it may come all the same, when it is being read just now. Any thread. */
    public void forget(long id, long offset) {
        elevator.forget(id, offset);
    }

    /** Messages asked for and not read. Any thread. */
    public int waiting() {
        return elevator.waiting();
    }

    /** Messages read since the start, missing ones not counted. Any thread. */
    public long messagesRead() {
        return wanted.sum();
    }

    /** Records read since the start only because they stood between others, or came with them. Any thread. */
    public long recordsPassed() {
        return passed.sum();
    }

    /** How often reading was begun at some offset since the start. Any thread. */
    public long scans() {
        return scans.sum();
    }

    /** Stops; what is not read yet is given up without a word. A callback that blocks is interrupted. Idempotent. */
    @Override
    public void close() throws InterruptedException {
        stopped.countDown();
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            thread.join(connector.stepMillis());
        }
        synchronized (this) {
            if (connection != null) {
                Connector.abort(connection);
                connection = null;
            }
        }
        status.clear(alarm);
    }

    private boolean stopping() {
        return stopped.getCount() == 0;
    }

    /** Connecting is done under the lock on purpose: the others need the same connection. */
    private synchronized Connection connection() throws BrokerException, IOException {
        if (stopping()) {
            throw new IOException("stopping");
        }
        if (connection == null || !connection.isOpen()) {
            connection = connector.connect(skipAddresses);
        }
        return connection;
    }

    private synchronized void failed(Worker worker, @Nullable Connection used, String kind, String sentence) {
        if (used != null && used == connection) {
            Connector.abort(used);
            connection = null;
            if (kind.equals(NO_REPLICA)) {
                skipAddresses++;
            }
        }
        if (!stopping()) {
            failing.add(worker);
            trouble.is(kind, sentence);
        }
    }

    /** Another node may have a replica that is further. */
    private synchronized void skipAddress() {
        skipAddresses++;
    }

    /** It has read something, or has nothing to read: that others can read does not help the one that cannot. */
    private synchronized void works(Worker worker) {
        if (failing.remove(worker) && failing.isEmpty()) {
            trouble.over("The held log " + stream.name() + " can be read again");
        }
    }

    /** One thread with its channel. */
    private final class Worker implements Runnable {
        private final boolean scanning;
        private @Nullable Channel channel;
        private int prefetch;
        private int failures;

        /** @param scanning or else takes the newest */
        Worker(boolean scanning) {
            this.scanning = scanning;
        }

        @Override
        public void run() {
            try {
                while (!stopping()) {
                    try {
                        serveNext();
                    } catch (RuntimeException e) {
                        // A reader that ends unnoticed is a lane that waits for ever.
                        log.error("A reader of the held log {} failed", stream.name(), e);
                        again(null, "failure", "Reading the held log %s failed (%s)".formatted(stream.name(), e));
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // we stop
            }
        }

        private void serveNext() throws InterruptedException {
            Elevator.Run run = elevator.await(scanning);
            try {
                for (long target = elevator.target(run);
                        target != Elevator.NONE && !stopping();
                        target = elevator.target(run)) {
                    attempt(run, target);
                    elevator.beginAgain(run);
                }
            } finally {
                elevator.release(run);
                works(this);
            }
        }

        private void attempt(Elevator.Run run, long target) throws InterruptedException {
            Connection used = null;
            try {
                used = connection();
                serve(run, target, channel(used, elevator.isWide(run) ? settings.readPrefetch() : 1));
                failures = 0;
                works(this);
            } catch (BrokerException e) {
                again(used, "connect", e.sentence());
            } catch (IOException | ShutdownSignalException e) {
                String reason = Connector.describe(e);
                String sentence = used == null ? "The reader is stopping" : stream.unreadable(used, reason);
                again(used, HeldStream.needsOtherNode(reason) ? NO_REPLICA : "read", sentence);
            } catch (RuntimeException e) {
                log.error("Reading the held log {} failed", stream.name(), e);
                again(used, "failure", "Reading the held log %s failed (%s)".formatted(stream.name(), e));
            }
        }

        private void again(@Nullable Connection used, String kind, String sentence) throws InterruptedException {
            channel = null;
            failed(this, used, kind, sentence);
            failures++;
            stopped.await(backoff.apply(failures), TimeUnit.MILLISECONDS);
        }

        private Channel channel(Connection on, int wantedPrefetch) throws IOException {
            Channel open = channel;
            if (open == null || !open.isOpen() || open.getConnection() != on) {
                open = on.createChannel();
                channel = open;
                prefetch = 0;
            }
            if (prefetch != wantedPrefetch) {
                open.basicQos(wantedPrefetch);
                prefetch = wantedPrefetch;
            }
            return open;
        }

        private void serve(Elevator.Run run, long first, Channel open) throws IOException, InterruptedException {
            int millis = connector.stepMillis();
            BlockingQueue<StreamConsumer.Item> items = new LinkedBlockingQueue<>(); // bounded by credit
            scans.increment();
            StreamConsumer consumer = StreamConsumer.open(open, stream.name(), first, items::add);
            long unackedTag = 0;
            int unacked = 0;
            boolean silent = false;
            long target = first;
            while (target != Elevator.NONE && !silent) {
                StreamConsumer.Item item = items.poll(millis, TimeUnit.MILLISECONDS);
                if (item instanceof StreamConsumer.Entry entry) {
                    take(run, entry);
                    target = elevator.target(run);
                    unackedTag = entry.tag();
                    if (++unacked >= Math.max(1, prefetch / 2) && target != Elevator.NONE) {
                        open.basicAck(unackedTag, true);
                        unackedTag = 0;
                        unacked = 0;
                    }
                } else if (item instanceof StreamConsumer.Over over) {
                    throw new IOException(over.reason());
                } else {
                    silent = true;
                }
            }
            passed.add(consumer.cancel(items, unackedTag, millis).entries());
            if (silent) {
                silent(target, open.getConnection(), millis);
            }
        }

        private void take(Elevator.Run run, StreamConsumer.Entry entry) throws InterruptedException {
            boolean asked = false;
            for (Elevator.Demand demand : elevator.arrived(run, entry.offset(), entry.body().length)) {
                if (demand.offset() == entry.offset()) {
                    asked = true;
                    long[] ids = demand.ids();
                    wanted.add(ids.length);
                    answer(() -> bodies.body(entry.offset(), ids, entry.body()));
                } else {
                    // Truncated: the broker begins later without a word.
                    answer(() -> bodies.missing(demand.offset(), demand.ids()));
                }
            }
            if (!asked) {
                passed.increment();
            }
        }

        /**
         * Nothing came: the broker is slow, or this replica ends before what was asked for. It is behind then, and others
         * may not be; to give the record up would be to lose it. A stream that really has lost its end is the tail's affair.
         */
        private void silent(long target, Connection used, int millis) throws IOException, InterruptedException {
            OptionalLong last = StreamEnd.find(used, stream.name(), millis);
            if (last.isPresent() && last.getAsLong() < target) {
                skipAddress();
                throw new IOException("it ends at " + last.getAsLong() + ", before offset " + target);
            }
            throw new IOException("no answer in time");
        }

        /** A receiver that fails was told all the same: what it makes of that is its affair, and the others go on. */
        private void answer(Answer answer) throws InterruptedException {
            try {
                answer.give();
            } catch (RuntimeException e) {
                log.error("What was read from the held log {} could not be taken", stream.name(), e);
            }
        }
    }

    /** One call of the receiver. */
    @FunctionalInterface
    private interface Answer {
        void give() throws InterruptedException;
    }
}
