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

/**
 * A delivery as the broker made it.
 *
 * @param redelivered whether an earlier delivery of it ended unsettled
 */
record AmqpOriginal(String exchange, String routingKey, boolean redelivered, BasicProperties properties, byte[] body)
        implements Original {

    @Override
    public @Nullable String messageId() {
        return properties.getMessageId();
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
        // The broker counts the returns. The header of a first delivery could only be the publisher's.
        if (redelivered && headers().get("x-delivery-count") instanceof Number returns) {
            return Math.max(1, returns.longValue() + 1);
        }
        return redelivered ? 2 : 1;
    }
}
