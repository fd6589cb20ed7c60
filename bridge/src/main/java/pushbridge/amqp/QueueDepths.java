package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;

/**
 * How much waits in RabbitMQ's queues, for operators who look at it again and again: over a connection of its own, so
 * that nothing else waits for it, opened when first asked. Thread-safe; to ask waits for RabbitMQ.
 */
public final class QueueDepths implements AutoCloseable {

    /** One queue. RabbitMQ tells how many messages are ready, not how many are in somebody's hand. */
    public record Depth(int ready, int consumers) {}

    private final Connector connector;
    private final Topology topology;
    private volatile @Nullable Connection connection; // changed under this
    private volatile boolean closed;

    /** @param node the bridge's name, shown by the broker */
    public QueueDepths(AmqpConfig config, String node) {
        connector = new Connector(config, node, "depths");
        topology = new Topology(config);
    }

    /**
     * Looks at the queues that fill up: instructions, dead, expired.
     *
     * @return by name; null for a queue that is not there
     * @throws BrokerException RabbitMQ cannot be reached, or the connection was lost meanwhile
     */
    public synchronized Map<String, @Nullable Depth> now() throws BrokerException {
        Connection open = connection;
        if (open == null || !open.isOpen()) {
            open = connector.connect();
            connection = open;
        }
        if (closed) {
            Connector.abort(open); // it came too late to be seen by close()
            throw new BrokerException("The bridge is stopping", null);
        }
        Map<String, @Nullable Depth> depths = new LinkedHashMap<>();
        try {
            Channel channel = open.createChannel();
            for (String queue : new String[] {topology.instructions(), topology.dead(), topology.expired()}) {
                try {
                    AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(queue);
                    depths.put(queue, new Depth(found.getMessageCount(), found.getConsumerCount()));
                } catch (IOException e) {
                    if (!open.isOpen()) {
                        throw e;
                    }
                    depths.put(queue, null); // and the channel has ended over it
                    channel = open.createChannel();
                }
            }
            channel.abort();
        } catch (IOException | ShutdownSignalException e) {
            Connector.abort(open);
            throw new BrokerException("RabbitMQ does not tell (" + Connector.describe(e) + ")", e);
        }
        return depths;
    }

    /** Does not wait for who is asking. */
    @Override
    public void close() {
        closed = true;
        Connection open = connection;
        if (open != null) {
            Connector.abort(open);
        }
    }
}
