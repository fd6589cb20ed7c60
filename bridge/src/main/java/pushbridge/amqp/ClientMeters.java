package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.impl.MicrometerMetricsCollector;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * What the RabbitMQ client does on all connections of this process, under the names that its users know ({@code
 * rabbitmq_*}). The client's own collector keeps every unacknowledged tag in a set, and walks through it at each
 * acknowledgement of many; with thousands in hand that costs more than the acknowledgement. So here deliveries are only
 * counted, and acknowledgements as they are sent: one may stand for many.
 */
public final class ClientMeters extends MicrometerMetricsCollector {

    private final Counter consumed;
    private final Counter acknowledged;

    /** Registers the meters at once. */
    public ClientMeters(MeterRegistry registry) {
        super(registry, "rabbitmq");
        consumed = getConsumedMessages();
        acknowledged = getAcknowledgedMessages();
    }

    @Override
    public void consumedMessage(Channel channel, long deliveryTag, boolean autoAck) {
        consumed.increment();
    }

    @Override
    public void consumedMessage(Channel channel, long deliveryTag, String consumerTag) {
        consumed.increment();
    }

    @Override
    public void basicAck(Channel channel, long deliveryTag, boolean multiple) {
        acknowledged.increment();
    }
}
