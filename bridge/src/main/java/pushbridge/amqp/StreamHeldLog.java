package pushbridge.amqp;

import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.config.HoldConfig;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.HeldLog;
import pushbridge.delivery.Original;
import pushbridge.hold.Decoded;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.KeepingRules;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;

/**
 * The held log on a RabbitMQ stream: turns records into bytes and back. The delivery loop appends and asks; what is in
 * the log comes back to it from the tail's thread, what was asked for from the reader's.
 */
public final class StreamHeldLog implements HeldLog {

    private static final Logger log = LoggerFactory.getLogger(StreamHeldLog.class);

    // Of what is held for many, a record has 64 KiB and some hundred messages; of what is held now and then, and of
    // releases, some hundred bytes. A single message can be larger.

    /** Bytes of records that the tail may be ahead of the loop (I5). */
    private static final int AHEAD_BYTES = 16 << 20;

    /** What a record takes in memory beside its bytes, at least: many small ones must not be for nothing. */
    private static final int RECORD_OVERHEAD = 512;

    /** Records that the broker may send ahead of the tail: 16 MiB of large ones; fewer cost throughput of small ones. */
    private static final int TAIL_PREFETCH = 256;

    /** Records that may wait for their confirms; as many make a chunk, which readers always get whole. */
    private static final int APPEND_WINDOW = 1_000;

    private static final int APPEND_WINDOW_BYTES = 4 << 20;

    /** Cold reads at the same time; more gain little. */
    private static final int READERS = 4;

    private static final int READ_PREFETCH = 64;

    /** Bytes of bodies that were read and the loop has not taken yet: what a batch of it takes, many times over (I5). */
    private static final int UNTAKEN_BYTES = 4 << 20;

    /** What one costs beside its bytes. */
    private static final int UNTAKEN_OVERHEAD = 256;

    private final LogAppender appender;
    private final LogTail tail;
    private final LogReader reader;
    private final BrokerStatus status;
    private final Consumer<Throwable> onFailure;
    private final Semaphore ahead = new Semaphore(AHEAD_BYTES);
    private final Semaphore untaken = new Semaphore(UNTAKEN_BYTES, true); // fair, or a large one would wait for ever

    private @Nullable DeliveryLoop loop;

    /** Whether a checkpoint turned out to be wrong, so that reading begins at the first record. */
    private volatile boolean fromFirst;

    // Of the reading that a fold begins with; written by the tail's thread.
    private volatile long replayStartedNanos;
    private volatile long replayNanos;
    private final AtomicLong replayRecords = new AtomicLong();
    private volatile boolean replaying;
    private volatile boolean read;

    /**
     * @param keeping how the log is kept short: tells how long it can get at most
     * @param node the bridge's name, shown by the broker
     * @param onFailure told when this process has to begin anew: the log is another one than before, or was not followed
     */
    public StreamHeldLog(
            AmqpConfig amqp,
            HoldConfig hold,
            KeepingRules keeping,
            String node,
            BrokerStatus status,
            Consumer<Throwable> onFailure) {
        LogSettings settings = settings(hold, keeping);
        this.status = status;
        this.onFailure = onFailure;
        appender = new LogAppender(amqp, settings, node, status);
        tail = new LogTail(amqp, settings, node, this::begin, new Listener(), status);
        reader = new LogReader(amqp, settings, node, new Answers(), status);
    }

    /** How the stream is declared, and how it is used. */
    public static LogSettings settings(HoldConfig hold, KeepingRules keeping) {
        return new LogSettings(
                Duration.ZERO,
                keeping.longestSpanBytes(hold.maxBytes()),
                hold.segmentBytes(),
                APPEND_WINDOW,
                APPEND_WINDOW_BYTES,
                TAIL_PREFETCH,
                READERS,
                READ_PREFETCH);
    }

    /** Starts to connect; what is in the log is told to the loop, from where its latest checkpoint says. */
    public void start(DeliveryLoop deliveryLoop) {
        loop = deliveryLoop;
        appender.start();
        reader.start();
        tail.start();
    }

    private DeliveryLoop loop() {
        if (loop == null) {
            throw new IllegalStateException("the held log was not started");
        }
        return loop;
    }

    /** The tail's thread: where to begin, which the loop is told before the first record. */
    private long begin(Connection connection, String stream, long patienceMillis)
            throws IOException, InterruptedException {
        replayStartedNanos = System.nanoTime();
        replayRecords.set(0);
        read = false;
        replaying = true;
        LogRecord.Checkpoint checkpoint = fromFirst ? null : CheckpointFinder.find(connection, stream, patienceMillis);
        if (checkpoint != null) {
            log.info(
                    "The held log {} is read from offset {} on, as its latest checkpoint says",
                    stream,
                    checkpoint.lowestLiveOffset());
        }
        loop().logBegins(checkpoint);
        return checkpoint == null ? -1 : CheckpointFinder.from(checkpoint);
    }

    @Override
    public void rewind(LogRecord.Checkpoint wrong) {
        String sentence =
                "The held log's checkpoint %d of epoch %d is wrong: what is held was read anew from the first record there is, which took longer; please report it"
                        .formatted(wrong.ordinal(), wrong.epoch());
        log.error("{}", sentence);
        status.raise("wrong checkpoint", sentence);
        fromFirst = true;
        tail.rewind();
    }

    @Override
    public void append(LogRecord record) {
        appender.append(RecordCodec.encode(record));
    }

    @Override
    public void read(long id, long offset) {
        reader.ask(id, offset);
    }

    @Override
    public void forget(long id, long offset) {
        reader.forget(id, offset);
    }

    @Override
    public void flush() {
        reader.go();
    }

    @Override
    public Original restore(byte[] properties, byte[] body) {
        return AmqpOriginal.restore(properties, body);
    }

    /** Records appended and not confirmed. Any thread. */
    public int appending() {
        return appender.waiting();
    }

    /** Records in the log that have not been read yet, about; -1 while that is not known. Any thread. */
    public long lag() {
        return tail.lag();
    }

    /** How long it took to read what was in the log at the start, in nanoseconds; so far, while that goes on. Any thread. */
    public long replayNanos() {
        return replaying ? System.nanoTime() - replayStartedNanos : replayNanos;
    }

    /** Whether it has been read to its end once, so that it is known what is held. */
    public boolean isRead() {
        return read;
    }

    /** How many records that were. Any thread. */
    public long replayRecords() {
        return replayRecords.get();
    }

    /** Messages that were read from the log because their bodies were not in memory any more. Any thread. */
    public long coldReads() {
        return reader.messagesRead();
    }

    /** Records that were read only because they stood between those. Any thread. */
    public long recordsPassed() {
        return reader.recordsPassed();
    }

    /** Messages that are to be read from the log. Any thread. */
    public int reading() {
        return reader.waiting();
    }

    /** Appends what is waiting, for at most this long, and leaves. */
    public void stop(Duration patience) throws InterruptedException {
        List<byte[]> doubtful = appender.stop(patience);
        if (!doubtful.isEmpty()) {
            log.info(
                    "{} records of the held log were not confirmed; RabbitMQ keeps their instructions",
                    doubtful.size());
        }
        tail.close();
        reader.close();
    }

    /** The tail's thread. */
    private final class Listener implements LogListener {
        @Override
        public void record(long offset, byte[] record, long writtenMillis) {
            if (replaying) {
                replayRecords.incrementAndGet();
            }
            Decoded decoded = RecordCodec.decode(record);
            if (decoded instanceof Decoded.Known known) {
                int room = Math.min(record.length + RECORD_OVERHEAD, AHEAD_BYTES);
                try {
                    ahead.acquire(room);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt(); // the tail is being closed
                    return;
                }
                loop().logged(offset, known.record(), record.length, writtenMillis, () -> ahead.release(room));
            } else if (decoded instanceof Decoded.Corrupt corrupt) {
                String sentence = "The held log has a record at offset %d that cannot be read (%s)"
                        .formatted(offset, corrupt.reason());
                log.error("{}", sentence);
                status.raise("corrupt held log", sentence);
                loop().logSkipped(offset);
            } else {
                // Written by a later version.
                log.warn("The held log has a record at offset {} that this version does not know", offset);
                loop().logSkipped(offset);
            }
        }

        @Override
        public void truncated(TruncatedFrom gap) {
            String sentence = "RabbitMQ has deleted the held log from offset %d to %d: what was held there is lost"
                    .formatted(gap.asked(), gap.got());
            log.error("{}", sentence);
            status.raise("truncated held log", sentence);
            loop().logTruncated();
        }

        @Override
        public void caughtUp(long end) {
            log.debug("The held log is read up to offset {}", end);
            if (replaying) {
                replayNanos = System.nanoTime() - replayStartedNanos;
                replaying = false;
                read = true;
                log.info(
                        "The held log was read: {} records in {} ms",
                        replayRecords.get(),
                        TimeUnit.NANOSECONDS.toMillis(replayNanos));
            }
        }

        @Override
        public void replaced(String sentence) {
            log.error("{}", sentence);
            status.raise("replaced held log", sentence);
            // Every offset means something else now: whoever starts anew reads the new log from its beginning.
            onFailure.accept(new IllegalStateException(sentence));
        }

        @Override
        public void failed(RuntimeException cause) {
            onFailure.accept(cause);
        }
    }

    /** The reader's threads. */
    private final class Answers implements LogBodies {
        @Override
        public void body(long offset, long[] ids, byte[] record) throws InterruptedException {
            Set<Long> wanted = new HashSet<>();
            for (long id : ids) {
                wanted.add(id);
            }
            if (RecordCodec.decode(record) instanceof Decoded.Known known
                    && known.record() instanceof LogRecord.Hold hold) {
                for (LogRecord.Part part : hold.parts()) {
                    for (HeldMessage message : part.messages()) {
                        if (wanted.remove(message.id())) {
                            tell(part.address(), message);
                        }
                    }
                }
            }
            wanted.forEach(id -> loop().heldMissing(id, offset)); // nobody may wait for ever
        }

        private void tell(String address, HeldMessage message) throws InterruptedException {
            int bytes = Math.min(UNTAKEN_BYTES, UNTAKEN_OVERHEAD + message.body().length + message.properties().length);
            untaken.acquire(bytes); // I5
            loop().heldRead(address, message, () -> untaken.release(bytes));
        }

        @Override
        public void missing(long offset, long[] ids) {
            for (long id : ids) {
                loop().heldMissing(id, offset);
            }
        }
    }
}
