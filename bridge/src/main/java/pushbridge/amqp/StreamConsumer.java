package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Passes on what a stream sends. Never blocks, or the connection's reader would: what is passed on is bounded by credit,
 * that is by the prefetch and what is acknowledged. RabbitMQ 3.10 counts credit once a chunk, so the chunk that begins
 * within the prefetch comes whole.
 *
 * <p>On a channel that has consumed before, RabbitMQ 3.10 may send the first deliveries in front of {@code consume-ok}: news
 * of the stream's end for the earlier consumer are already in the channel's mailbox, and make it serve all it has. The
 * client library knows no consumer by then and would end the connection; so this one is the channel's default, too.
 */
final class StreamConsumer extends DefaultConsumer {

    /** What comes from the broker. */
    sealed interface Item {}

    /** @param writtenMillis when its writer sent it, in milliseconds since 1970; 0 when it does not say */
    record Entry(long offset, long tag, byte[] body, long writtenMillis) implements Item {}

    /** The last item: this consumer gets nothing more. */
    record Over(String reason) implements Item {}

    private final Consumer<Item> sink;
    private final String tag = "pushbridge-held-" + UUID.randomUUID(); // RabbitMQ 3.10 mishandles one used again

    private StreamConsumer(Channel channel, Consumer<Item> sink) {
        super(channel);
        this.sink = sink;
    }

    /** @param from an offset, {@code first} or {@code last} */
    static StreamConsumer open(Channel channel, String stream, Object from, Consumer<Item> sink) throws IOException {
        StreamConsumer consumer = new StreamConsumer(channel, sink);
        channel.setDefaultConsumer(consumer);
        channel.basicConsume(stream, false, consumer.tag, false, false, Map.of("x-stream-offset", from), consumer);
        return consumer;
    }

    /**
     * Ends the consumer and acknowledges all it got, so that the channel can be used again; returns what was still on
     * its way. Everything the broker sent before it saw the cancellation is in {@code items} or in the result.
     */
    Tally cancel(BlockingQueue<Item> items, long lastTag, long millis) throws IOException, InterruptedException {
        getChannel().basicCancel(tag);
        int entries = 0;
        long lastOffset = -1;
        long ackable = lastTag;
        while (true) {
            Item item = items.poll(millis, TimeUnit.MILLISECONDS);
            if (item instanceof Entry entry) {
                entries++;
                lastOffset = entry.offset();
                ackable = entry.tag();
            } else if (item == null) {
                throw new IOException("no answer in time");
            } else {
                break;
            }
        }
        if (ackable > 0) {
            getChannel().basicAck(ackable, true);
        }
        return new Tally(entries, lastOffset);
    }

    /** What came after the cancellation was decided. */
    record Tally(int entries, long lastOffset) {}

    @Override
    public void handleDelivery(String consumerTag, Envelope envelope, BasicProperties properties, byte[] body)
            throws IOException {
        if (!consumerTag.equals(tag)) {
            return; // of an earlier one that is cancelled; acknowledged with what comes next
        }
        Map<String, Object> headers = properties.getHeaders();
        if (headers == null || !(headers.get("x-stream-offset") instanceof Number offset)) {
            throw new IOException("a delivery without x-stream-offset: the queue is not a stream");
        }
        long writtenMillis = properties.getTimestamp() == null
                ? 0
                : properties.getTimestamp().toInstant().toEpochMilli();
        sink.accept(new Entry(offset.longValue(), envelope.getDeliveryTag(), body, writtenMillis));
    }

    @Override
    public void handleCancelOk(String consumerTag) {
        sink.accept(new Over("cancelled"));
    }

    @Override
    public void handleCancel(String consumerTag) {
        sink.accept(new Over("RabbitMQ cancelled the consumer: the stream was deleted or has no leader"));
    }

    @Override
    public void handleShutdownSignal(@Nullable String consumerTag, ShutdownSignalException signal) {
        sink.accept(new Over(Connector.describe(signal)));
    }
}
