package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.impl.AMQImpl;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Original;
import pushbridge.envelope.AskedReceipt;

/**
 * A delivery as the broker made it.
 *
 * @param redelivered whether an earlier delivery of it ended unsettled
 */
record AmqpOriginal(String exchange, String routingKey, boolean redelivered, BasicProperties properties, byte[] body)
        implements Original {

    /** The header that RabbitMQ itself can set on what it takes; in milliseconds, where the property has seconds. */
    private static final String TIMESTAMP_IN_MS = "timestamp_in_ms";

    @Override
    public @Nullable String messageId() {
        return properties.getMessageId();
    }

    @Override
    public @Nullable AskedReceipt askedReceipt() {
        String replyTo = properties.getReplyTo();
        String correlationId = properties.getCorrelationId();
        return replyTo == null || replyTo.isEmpty() || correlationId == null
                ? null
                : new AskedReceipt(replyTo, correlationId, messageId(), publishedMillis());
    }

    @Override
    public long publishedMillis() {
        long millis = 0;
        if (headers().get(TIMESTAMP_IN_MS) instanceof Number exact) {
            millis = exact.longValue();
        } else if (properties.getTimestamp() != null) {
            millis = properties.getTimestamp().toInstant().toEpochMilli();
        }
        return Math.max(0, millis);
    }

    /**
     * Exchange, routing key, whether it was redelivered, and the properties as the header frame that AMQP 0-9-1 itself
     * sends them in (specification 4.2.6.1): nothing is lost, and no format of ours to keep.
     */
    @Override
    public byte[] serialized() {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeUTF(exchange);
            out.writeUTF(routingKey);
            out.writeBoolean(redelivered);
            out.write(properties.toFrame(0, 0).getPayload());
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen in memory", e);
        }
    }

    /**
     * The opposite of {@link #serialized}.
     *
     * @throws IllegalArgumentException these are no such bytes
     */
    static AmqpOriginal restore(byte[] serialized, byte[] body) {
        try {
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized));
            String exchange = in.readUTF();
            String routingKey = in.readUTF();
            boolean redelivered = in.readBoolean();
            BasicProperties properties = (BasicProperties) AMQImpl.readContentHeaderFrom(in);
            return new AmqpOriginal(exchange, routingKey, redelivered, properties, body);
        } catch (IOException | ClassCastException e) {
            throw new IllegalArgumentException("the held log has properties that cannot be read", e);
        }
    }

    /** The message's own headers; empty when it has none. */
    Map<String, Object> headers() {
        Map<String, Object> headers = properties.getHeaders();
        return headers == null ? Map.of() : headers;
    }

    /** How often it has been delivered, this time included, as far as the broker tells. */
    long deliveries() {
        return returns(redelivered, properties) + 1;
    }

    /**
     * How often a delivery came back unsettled because its channel ended, as far as the broker tells. Its header means that
     * on every version, on some also other returns, which do not happen here: RabbitMQ up to 4.2 counts every return, 4.3
     * only failures, and those include the end of a channel (its {@code x-acquired-count} has all).
     */
    static long returns(boolean redelivered, BasicProperties properties) {
        if (!redelivered) {
            return 0; // the header of a first delivery could only be the publisher's
        }
        Map<String, Object> headers = properties.getHeaders();
        return headers != null && headers.get("x-delivery-count") instanceof Number count
                ? Math.max(0, count.longValue())
                : 1;
    }
}
