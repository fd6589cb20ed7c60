package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import pushbridge.hold.Decoded;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;

/**
 * Finds the latest checkpoint of the held log, so that reading can begin where it says instead of at the first record. A
 * stream is only read forward, so it looks at the last records, then at as many before those, then at twice as many, until
 * there is one: at most twice of what lies behind the checkpoint is read.
 *
 * <p>Any checkpoint is a true statement about the log up to what its writer had read, also one that a fenced owner wrote
 * too late. But only one that takes effect is compared with the fold when it comes by, so one that is seen to be void is
 * passed over.
 */
final class CheckpointFinder {

    /** Of records of 64 KiB at worst: 16 MB (I5). */
    private static final int PREFETCH = 256;

    /** The first step back, in offsets: about what is read in the time that it takes to begin reading. */
    private static final long FIRST_STEP = 1_024;

    /** An owner writes a checkpoint every 100,000 records; without one so far back, reading everything is quicker. */
    private static final long FURTHEST = 1 << 20;

    private final Connection connection;
    private final String stream;
    private final long patienceMillis;

    private CheckpointFinder(Connection connection, String stream, long patienceMillis) {
        this.connection = connection;
        this.stream = stream;
        this.patienceMillis = patienceMillis;
    }

    /**
     * Looks for the latest checkpoint. Blocks for milliseconds as a rule; for the patience when the stream is empty and
     * nobody appends.
     *
     * @return null when there is none, or none near the end
     */
    static LogRecord.@Nullable Checkpoint find(Connection connection, String stream, long patienceMillis)
            throws IOException, InterruptedException {
        OptionalLong last = StreamEnd.find(connection, stream, patienceMillis);
        return last.isEmpty()
                ? null
                : new CheckpointFinder(connection, stream, patienceMillis).before(last.getAsLong() + 1);
    }

    /**
     * The offset of a record that is in the log, to read from for a fold that begins at this checkpoint.
     *
     * @return −1 for the first there is
     */
    static long from(LogRecord.Checkpoint checkpoint) {
        // When nothing was held, the offset is one behind the last record at that time, and it may be one that the
        // broker used itself; the one before is a record, and without effect on a fold that begins behind it.
        boolean anything = checkpoint.startEpoch() < 0;
        return anything ? checkpoint.lowestLiveOffset() : checkpoint.lowestLiveOffset() - 1;
    }

    private LogRecord.@Nullable Checkpoint before(long end) throws IOException, InterruptedException {
        long below = end;
        for (long step = FIRST_STEP; below > 0 && end - below < FURTHEST; step = end - below) {
            long from = Math.max(0, below - step);
            Part part = read(from, below);
            if (part.latest != null) {
                return part.latest;
            }
            if (part.isEmpty) {
                return null; // the log begins behind it
            }
            below = from;
        }
        return null;
    }

    /** A part of the log that was looked at. */
    private static final class Part {
        private LogRecord.@Nullable Checkpoint latest;
        private boolean isEmpty = true;
        private long epoch = -1;

        void saw(byte[] record) {
            isEmpty = false;
            if (RecordCodec.decode(record) instanceof Decoded.Known known) {
                if (known.record() instanceof LogRecord.Checkpoint checkpoint && checkpoint.epoch() >= epoch) {
                    latest = checkpoint;
                }
                epoch = Math.max(epoch, known.record().epoch());
            }
        }
    }

    /** Reads from one offset to below another, behind which there is a record. */
    private Part read(long from, long below) throws IOException, InterruptedException {
        Part part = new Part();
        Channel channel = connection.createChannel();
        try {
            channel.basicQos(PREFETCH);
            BlockingQueue<StreamConsumer.Item> items = new LinkedBlockingQueue<>(); // bounded by the credit
            StreamConsumer.open(channel, stream, from, items::add);
            for (int unacked = 1; ; unacked++) {
                StreamConsumer.Item item = items.poll(patienceMillis, TimeUnit.MILLISECONDS);
                if (item == null) {
                    throw new IOException("no answer in time");
                }
                if (!(item instanceof StreamConsumer.Entry entry)) {
                    throw new IOException(((StreamConsumer.Over) item).reason());
                }
                if (entry.offset() >= from && entry.offset() < below) { // the broker begins with a whole chunk
                    part.saw(entry.body());
                }
                if (entry.offset() >= below - 1) {
                    return part;
                }
                if (unacked >= PREFETCH / 4) {
                    channel.basicAck(entry.tag(), true);
                    unacked = 0;
                }
            }
        } finally {
            channel.abort();
        }
    }
}
