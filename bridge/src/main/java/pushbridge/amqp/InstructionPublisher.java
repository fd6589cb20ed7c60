package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;
import pushbridge.delivery.OfflinePolicy;

/**
 * Publishes single instructions as an application would, and tells what became of the publish: for the command line and
 * the page in dev mode. Thread-safe, one publish at a time; connects when first used.
 */
public final class InstructionPublisher implements AutoCloseable {

    /** What became of a publish. */
    public enum Outcome {
        /** RabbitMQ has it in the queue of instructions. */
        CONFIRMED,
        /** RabbitMQ has no queue for it: no bridge has declared the topology, or the binding is gone. */
        RETURNED,
        /** RabbitMQ refuses it: the queue of instructions is full, or has no leader at the moment. */
        REFUSED,
        /** No answer in time, for example under a memory or disk alarm: it may have arrived or not. */
        TIMEOUT
    }

    /**
     * One instruction.
     *
     * @param address the routing key
     * @param body the envelope, published as it is
     * @param offline what to do when nobody is there; null for the address' default
     * @param expiration how long it may wait; null for as long as it has to
     * @param messageId null for a random one
     */
    public record Publication(
            String address,
            byte[] body,
            @Nullable OfflinePolicy offline,
            @Nullable Duration expiration,
            @Nullable String messageId) {}

    /**
     * The answer.
     *
     * @param messageId what it was published with
     */
    public record Result(Outcome outcome, String messageId) {}

    private final AmqpConfig config;
    private final Connector connector;
    private final Topology topology;
    private @Nullable Channel channel; // guarded by this
    private volatile boolean returned;

    /** @param name shown by the broker */
    public InstructionPublisher(AmqpConfig config, String name) {
        this.config = config;
        this.connector = new Connector(config, name, "publish");
        this.topology = new Topology(config);
    }

    /**
     * Publishes and waits for the broker's answer, at most {@code amqp.confirm-timeout}.
     *
     * @throws BrokerException RabbitMQ cannot be reached or refuses the channel; whether the instruction arrived is then
     *     unknown
     */
    public synchronized Result publish(Publication publication) throws BrokerException, InterruptedException {
        String messageId = publication.messageId() != null
                ? publication.messageId()
                : UUID.randomUUID().toString();
        Channel open = channel != null && channel.isOpen() ? channel : open();
        try {
            return new Result(publish(open, properties(publication, messageId), publication), messageId);
        } catch (IOException | ShutdownSignalException e) {
            close();
            throw refused(e);
        }
    }

    private Outcome publish(Channel open, BasicProperties properties, Publication publication)
            throws IOException, InterruptedException {
        returned = false;
        open.basicPublish(topology.exchange(), publication.address(), true, properties, publication.body());
        try {
            boolean confirmed = open.waitForConfirms(config.confirmTimeout().toMillis());
            if (returned) {
                return Outcome.RETURNED; // it comes before its confirm
            }
            if (!confirmed) {
                close(); // RabbitMQ 3.10 refuses everything on a channel that first asked while there was no leader
                return Outcome.REFUSED;
            }
            return Outcome.CONFIRMED;
        } catch (TimeoutException e) {
            close(); // a late answer must not be taken for the next one's
            return Outcome.TIMEOUT;
        }
    }

    private Channel open() throws BrokerException {
        close();
        Connection connection = connector.connect();
        try {
            Channel opened = connection.createChannel();
            opened.confirmSelect();
            opened.addReturnListener(message -> returned = true);
            channel = opened;
            return opened;
        } catch (IOException | ShutdownSignalException e) {
            Connector.abort(connection);
            throw refused(e);
        }
    }

    private BrokerException refused(Exception e) {
        ShutdownSignalException signal = e instanceof ShutdownSignalException s
                ? s
                : e.getCause() instanceof ShutdownSignalException s ? s : null;
        if (signal != null && Connector.replyCode(signal) == 404) {
            return new BrokerException(
                    "RabbitMQ has no exchange %s in this vhost: start a bridge, it declares it"
                            .formatted(topology.exchange()),
                    e);
        }
        return new BrokerException("RabbitMQ did not take the instruction (" + Connector.describe(e) + ")", e);
    }

    private static BasicProperties properties(Publication publication, String messageId) {
        BasicProperties.Builder properties = new BasicProperties.Builder()
                .contentType("application/json")
                .deliveryMode(2)
                .messageId(messageId);
        if (publication.offline() != null) {
            properties.headers(Map.of(
                    InstructionReader.OFFLINE,
                    publication.offline().name().toLowerCase(Locale.ROOT).replace('_', '-')));
        }
        if (publication.expiration() != null) {
            properties.expiration(Long.toString(publication.expiration().toMillis()));
        }
        return properties.build();
    }

    /** Closes the connection; another publish opens a new one. */
    @Override
    public synchronized void close() {
        if (channel != null) {
            Connector.abort(channel.getConnection());
            channel = null;
        }
    }
}
