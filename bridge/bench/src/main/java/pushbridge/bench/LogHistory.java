package pushbridge.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;

/**
 * Writes what a bridge writes that holds messages and delivers them, without the messages going through one: millions in
 * seconds. No bridge may run meanwhile; the next one takes over from this as from any other owner.
 */
final class LogHistory {

    /** Above that of every bridge which ran before. */
    private static final long EPOCH = 1_000;

    /** As many as a busy bridge puts into one record. */
    private static final int PER_RECORD = 100;

    /** What exchange, key and properties of a message take. */
    private static final int PROPERTIES_BYTES = 40;

    private static final int WINDOW = 1_000;

    private LogHistory() {}

    /** Writes hold records, and behind each the release of all that it holds. */
    static void write(BrokerNode broker, int messages) throws BenchException {
        try (Connection connection = broker.connect("history")) {
            Channel channel = connection.createChannel();
            ConfirmWindow window = ConfirmWindow.on(channel, WINDOW);
            long ordinal = 0;
            append(channel, window, new LogRecord.Epoch(EPOCH, ordinal, "history"));
            long deadline = System.currentTimeMillis() + 3_600_000;
            byte[] body = Text.envelope(0, 0, Bench.BODY_BYTES);
            byte[] properties = new byte[PROPERTIES_BYTES];
            for (long first = 1; first <= messages; first += PER_RECORD) {
                List<HeldMessage> batch = new ArrayList<>(PER_RECORD);
                long[] ids = new long[PER_RECORD];
                for (int i = 0; i < PER_RECORD; i++) {
                    ids[i] = first + i;
                    batch.add(new HeldMessage(first + i, deadline, first + i, properties, body));
                }
                String address = "user." + Flood.user("h", (int) (first / PER_RECORD));
                append(
                        channel,
                        window,
                        new LogRecord.Hold(EPOCH, ++ordinal, List.of(new LogRecord.Part(address, batch))));
                append(channel, window, new LogRecord.Release(EPOCH, ++ordinal, ids));
            }
            window.drain();
        } catch (IOException | ShutdownSignalException e) {
            throw new BenchException("writing the history failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    private static void append(Channel channel, ConfirmWindow window, LogRecord record)
            throws IOException, InterruptedException {
        window.enter();
        channel.basicPublish(
                "", Bench.PREFIX + ".held", MessageProperties.MINIMAL_PERSISTENT_BASIC, RecordCodec.encode(record));
    }
}
