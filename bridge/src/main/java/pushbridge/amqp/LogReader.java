package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;

/**
 * Reads records of the held log by their offsets: a few scattered ones, or everything in a range. A read is a consumer
 * that begins at the offset and is cancelled when it has what is needed. That costs the broker milliseconds, whatever
 * comes with it, so offsets that are close are read as one range.
 *
 * <p>Threads: {@code pushbridge-amqp-held-read-<n>}, each with a channel of its own on one shared connection. A read that
 * is interrupted by a lost connection goes on where it was, so no offset is handed over twice. Callers bound what waits
 * (I5); what is in hand is the prefetch and the rest of one chunk for each thread.
 */
public final class LogReader implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LogReader.class);

    /** So often in a row an offset must be beyond the end: a replica may be behind for a while. */
    private static final int ABSENCES = 2;

    private final LogSettings settings;
    private final Connector connector;
    private final HeldStream stream;
    private final BrokerStatus status;
    private final String alarm;
    private final IntervalFunction backoff;
    private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong reads = new AtomicLong();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();

    // Guarded by this.
    private @Nullable Connection connection;
    private int skipAddresses;
    private @Nullable String trouble;

    /** @param node the bridge's name, shown by the broker */
    public LogReader(AmqpConfig config, LogSettings settings, String node, BrokerStatus status) {
        this.settings = settings;
        this.connector = new Connector(config, node, "held-read");
        this.stream = new HeldStream(config, settings);
        this.status = status;
        this.alarm = "cold reads of " + stream.name();
        this.backoff = Connector.backoff(config);
        for (int i = 1; i <= settings.readers(); i++) {
            Thread thread = new Thread(new Worker(), "pushbridge-amqp-held-read-" + i);
            thread.setDaemon(true);
            threads.add(thread);
        }
    }

    /** Starts the threads; the first read connects. */
    public void start() {
        threads.forEach(Thread::start);
    }

    /**
     * Reads records, each once; close ones together. In order within such a range, ranges at the same time. Returns at
     * once. Any thread.
     *
     * @param offsets of records that were in the log; in any order
     * @param bodies gets one call for each different offset, then {@link LogBodies#done()}
     */
    public void read(List<Long> offsets, LogBodies bodies) {
        long[] sorted =
                offsets.stream().mapToLong(Long::longValue).sorted().distinct().toArray();
        List<long[]> ranges = ranges(sorted, settings.readGap());
        if (ranges.isEmpty()) {
            bodies.done();
            return;
        }
        Request request = new Request(bodies, ranges.size());
        for (long[] range : ranges) {
            add(new Scattered(request, range));
        }
    }

    /**
     * Reads forward from one record to another and hands over everything between, both included, in order. Returns at
     * once. Any thread.
     *
     * @param from the offset of a record that was in the log
     * @param to the offset of a record that was in the log, not below {@code from}
     */
    public void sweep(long from, long to, LogBodies bodies) {
        if (to < from) {
            throw new IllegalArgumentException("a sweep from " + from + " cannot end at " + to);
        }
        add(new Sweep(new Request(bodies, 1), from, to));
    }

    /** Ranges asked for and not yet read. Any thread. */
    public int waiting() {
        return waiting.get();
    }

    /** Ranges read since the start. Any thread. */
    public long reads() {
        return reads.get();
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

    /** Cuts sorted offsets where the gap is larger. */
    static List<long[]> ranges(long[] sorted, int gap) {
        List<long[]> ranges = new ArrayList<>();
        int begin = 0;
        for (int i = 1; i <= sorted.length; i++) {
            if (i == sorted.length || sorted[i] - sorted[i - 1] > gap) {
                ranges.add(Arrays.copyOfRange(sorted, begin, i));
                begin = i;
            }
        }
        return ranges;
    }

    private void add(Task task) {
        waiting.incrementAndGet();
        tasks.add(task);
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

    private synchronized void failed(@Nullable Connection used, String sentence, boolean otherNode) {
        if (used != null && used == connection) {
            Connector.abort(used);
            connection = null;
            if (otherNode) {
                skipAddresses++;
            }
        }
        if (!stopping() && !sentence.equals(trouble)) {
            trouble = sentence;
            log.warn("{}; trying again until it works", sentence);
            status.raise(alarm, sentence);
        }
    }

    private synchronized void works() {
        if (trouble != null) {
            trouble = null;
            log.info("The held log {} can be read again", stream.name());
            status.clear(alarm);
        }
    }

    /** What one call has asked for; read in one or more parts. */
    private static final class Request {
        private final LogBodies bodies;
        private final AtomicInteger parts;

        Request(LogBodies bodies, int parts) {
            this.bodies = bodies;
            this.parts = new AtomicInteger(parts);
        }

        void partDone() {
            if (parts.decrementAndGet() == 0) {
                bodies.done();
            }
        }
    }

    /** One range. Belongs to the thread that has taken it. */
    private abstract static class Task {
        final Request request;
        int absences;

        Task(Request request) {
            this.request = request;
        }

        /** The offset to begin, or to go on, with. */
        abstract long next();

        /** Whether more than one record is needed from here on. */
        abstract boolean wide();

        abstract boolean finished();

        /** What the stream has; offsets grow. */
        abstract void take(long offset, byte[] body);

        /** The stream ends before {@link #next}. */
        abstract void absent();
    }

    private static final class Scattered extends Task {
        private final long[] offsets;
        private int done;

        Scattered(Request request, long[] offsets) {
            super(request);
            this.offsets = offsets;
        }

        @Override
        long next() {
            return offsets[done];
        }

        @Override
        boolean wide() {
            return offsets.length - done > 1;
        }

        @Override
        boolean finished() {
            return done == offsets.length;
        }

        @Override
        void take(long offset, byte[] body) {
            while (!finished() && offsets[done] < offset) {
                request.bodies.missing(offsets[done++]); // truncated: the broker begins later without a word
            }
            if (!finished() && offsets[done] == offset) {
                done++;
                request.bodies.body(offset, body);
            }
        }

        @Override
        void absent() {
            while (!finished()) {
                request.bodies.missing(offsets[done++]);
            }
        }
    }

    private static final class Sweep extends Task {
        private final long to;
        private long next;
        private boolean begun;

        Sweep(Request request, long from, long to) {
            super(request);
            this.next = from;
            this.to = to;
        }

        @Override
        long next() {
            return next;
        }

        @Override
        boolean wide() {
            return to > next;
        }

        @Override
        boolean finished() {
            return next > to;
        }

        @Override
        void take(long offset, byte[] body) {
            if (finished() || offset < next) {
                return;
            }
            if (!begun && offset > next) {
                request.bodies.missing(next);
            }
            begun = true;
            next = offset + 1;
            if (offset <= to) {
                request.bodies.body(offset, body);
            }
        }

        @Override
        void absent() {
            if (!begun) {
                request.bodies.missing(next);
            }
            next = to + 1;
        }
    }

    /** One thread with its channel. */
    private final class Worker implements Runnable {
        private @Nullable Channel channel;
        private int prefetch;
        private int failures;
        private boolean telling;

        @Override
        public void run() {
            try {
                while (!stopping()) {
                    Task task = tasks.take();
                    finish(task);
                    waiting.decrementAndGet();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // we stop
            }
        }

        private void finish(Task task) throws InterruptedException {
            try {
                while (!task.finished() && !stopping()) {
                    attempt(task);
                }
                if (task.finished()) {
                    reads.incrementAndGet();
                    tell(task.request::partDone);
                }
            } catch (RuntimeException e) {
                // A callback failed: what it was given is its affair, and the other requests go on.
                log.error("A read of the held log {} was given up, since its receiver failed", stream.name(), e);
                telling = false;
                abandonChannel();
            }
        }

        /** With its consumer, which may still be sending. */
        private void abandonChannel() {
            Channel open = channel;
            channel = null;
            if (open != null) {
                try {
                    open.abort();
                } catch (IOException e) {
                    log.debug("A channel was gone before it was closed", e);
                }
            }
        }

        private void attempt(Task task) throws InterruptedException {
            Connection used = null;
            try {
                used = connection();
                serve(task, channel(used, task.wide() ? settings.readPrefetch() : 1));
                failures = 0;
                works();
            } catch (BrokerException e) {
                again(used, e.sentence(), false);
            } catch (IOException | ShutdownSignalException e) {
                String reason = Connector.describe(e);
                String sentence = used == null ? "The reader is stopping" : stream.unreadable(used, reason);
                again(used, sentence, HeldStream.needsOtherNode(reason));
            } catch (RuntimeException e) {
                if (telling) {
                    throw e;
                }
                log.error("Reading the held log {} failed", stream.name(), e);
                again(used, "Reading the held log %s failed (%s)".formatted(stream.name(), e), false);
            }
        }

        private void tell(Runnable call) {
            telling = true;
            call.run();
            telling = false;
        }

        private void again(@Nullable Connection used, String sentence, boolean otherNode) throws InterruptedException {
            channel = null;
            failed(used, sentence, otherNode);
            failures++;
            stopped.await(backoff.apply(failures), TimeUnit.MILLISECONDS);
        }

        private Channel channel(Connection on, int wanted) throws IOException {
            Channel open = channel;
            if (open == null || !open.isOpen() || open.getConnection() != on) {
                open = on.createChannel();
                channel = open;
                prefetch = 0;
            }
            if (prefetch != wanted) {
                open.basicQos(wanted);
                prefetch = wanted;
            }
            return open;
        }

        private void serve(Task task, Channel open) throws IOException, InterruptedException {
            int millis = connector.stepMillis();
            BlockingQueue<StreamConsumer.Item> items = new LinkedBlockingQueue<>(); // bounded by credit
            StreamConsumer consumer = StreamConsumer.open(open, stream.name(), task.next(), items::add);
            long unackedTag = 0;
            int unacked = 0;
            boolean silent = false;
            while (!task.finished() && !silent) {
                StreamConsumer.Item item = items.poll(millis, TimeUnit.MILLISECONDS);
                if (item instanceof StreamConsumer.Entry entry) {
                    tell(() -> task.take(entry.offset(), entry.body()));
                    unackedTag = entry.tag();
                    if (++unacked >= Math.max(1, prefetch / 2) && !task.finished()) {
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
            consumer.cancel(items, unackedTag, millis);
            if (silent) {
                silent(task, open.getConnection(), millis);
            }
        }

        /** Nothing came: asked beyond the end, or the broker is slow. Only the former is an answer. */
        private void silent(Task task, Connection used, int millis) throws IOException, InterruptedException {
            OptionalLong last = StreamEnd.find(used, stream.name(), millis);
            if (last.isEmpty() || last.getAsLong() >= task.next()) {
                throw new IOException("no answer in time");
            }
            task.absences++;
            if (task.absences >= ABSENCES) {
                tell(task::absent);
            }
        }
    }
}
