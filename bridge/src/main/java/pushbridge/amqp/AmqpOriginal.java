package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.util.Map;
import pushbridge.delivery.Original;

/**
 * A delivery as the broker made it.
 *
 * @param redelivered whether an earlier delivery of it ended unsettled
 */
record AmqpOriginal(String exchange, String routingKey, boolean redelivered, BasicProperties properties, byte[] body)
        implements Original {

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
