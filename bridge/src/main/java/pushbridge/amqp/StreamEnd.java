package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Finds the offset of a stream's last record. AMQP 0-9-1 cannot ask for it: the message count of a declaration is seconds
 * old, and confirms carry no offsets. So it consumes from {@code last}, which begins with the last chunk. The broker sends
 * what is there in one go when it attaches the consumer, so once the first record has come, a cancellation is
 * answered behind all the others. When as many came as the prefetch allows, there may be more: then again from there.
 */
final class StreamEnd {
    private StreamEnd() {}

    private static final int PREFETCH = 256;

    /**
     * Blocks for some milliseconds, or for the patience when the stream is empty.
     *
     * @return empty when nothing came in time: the stream is empty, or does not answer
     */
    static OptionalLong find(Connection connection, String stream, long patienceMillis)
            throws IOException, InterruptedException {
        Channel channel = connection.createChannel();
        try {
            channel.basicQos(PREFETCH);
            Object from = "last";
            while (true) {
                BlockingQueue<StreamConsumer.Item> items = new LinkedBlockingQueue<>();
                StreamConsumer consumer = StreamConsumer.open(channel, stream, from, items::add);
                StreamConsumer.Item first = items.poll(patienceMillis, TimeUnit.MILLISECONDS);
                if (first == null) {
                    return OptionalLong.empty();
                } else if (!(first instanceof StreamConsumer.Entry entry)) {
                    throw new IOException(((StreamConsumer.Over) first).reason());
                } else {
                    StreamConsumer.Tally rest = consumer.cancel(items, entry.tag(), patienceMillis);
                    long last = Math.max(entry.offset(), rest.lastOffset());
                    if (1 + rest.entries() < PREFETCH) {
                        return OptionalLong.of(last);
                    }
                    from = last;
                }
            }
        } finally {
            channel.abort();
        }
    }
}
