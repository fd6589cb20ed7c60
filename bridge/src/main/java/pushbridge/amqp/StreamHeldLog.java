package pushbridge.amqp;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
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

    // A record of one lane is at most 64 KiB, unless a single message is larger, so each 1,000 of them are 64 MB at
    // worst (I5), and some hundred kB as a rule.

    /** Records that the tail may be ahead of the loop. */
    private static final int AHEAD = 1_000;

    /** Records that the broker may send ahead of the tail; fewer cost throughput. */
    private static final int TAIL_PREFETCH = 1_000;

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
    private final Consumer<Throwable> onReplaced;
    private final Semaphore ahead = new Semaphore(AHEAD);
    private final Semaphore untaken = new Semaphore(UNTAKEN_BYTES, true); // fair, or a large one would wait for ever

    private @Nullable DeliveryLoop loop;

    /**
     * @param keeping how the log is kept short: tells how long it can get at most
     * @param node the bridge's name, shown by the broker
     * @param onReplaced told when the log is another one than before, so that this process has to begin anew
     */
    public StreamHeldLog(
            AmqpConfig amqp,
            HoldConfig hold,
            KeepingRules keeping,
            String node,
            BrokerStatus status,
            Consumer<Throwable> onReplaced) {
        LogSettings settings = new LogSettings(
                Duration.ZERO,
                keeping.longestSpanBytes(hold.maxBytes()),
                hold.segmentBytes(),
                APPEND_WINDOW,
                APPEND_WINDOW_BYTES,
                TAIL_PREFETCH,
                READERS,
                READ_PREFETCH);
        this.status = status;
        this.onReplaced = onReplaced;
        appender = new LogAppender(amqp, settings, node, status);
        tail = new LogTail(amqp, settings, node, -1, new Listener(), status);
        reader = new LogReader(amqp, settings, node, new Answers(), status);
    }

    /** Starts to connect; what is in the log is told to the loop from its first record on. */
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
        public void record(long offset, byte[] record) {
            Decoded decoded = RecordCodec.decode(record);
            if (decoded instanceof Decoded.Known known) {
                try {
                    ahead.acquire();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt(); // the tail is being closed
                    return;
                }
                loop().logged(offset, known.record(), record.length, ahead::release);
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
        }

        @Override
        public void replaced(String sentence) {
            log.error("{}", sentence);
            status.raise("replaced held log", sentence);
            // Every offset means something else now: whoever starts anew reads the new log from its beginning.
            onReplaced.accept(new IllegalStateException(sentence));
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
                for (HeldMessage message : hold.messages()) {
                    if (wanted.remove(message.id())) {
                        tell(hold.address(), message);
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
