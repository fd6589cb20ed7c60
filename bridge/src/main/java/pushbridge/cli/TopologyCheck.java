package pushbridge.cli;

import java.util.List;
import pushbridge.amqp.Finding;
import pushbridge.config.AmqpConfig;
import pushbridge.config.HoldConfig;

/** Compares the exchanges and queues on RabbitMQ with those the bridge needs. */
@FunctionalInterface
public interface TopologyCheck {

    /** What came of it. */
    sealed interface Result {}

    /**
     * RabbitMQ answered.
     *
     * @param findings one for each exchange, queue, stream and binding
     */
    record Checked(List<Finding> findings) implements Result {
        public Checked {
            findings = List.copyOf(findings);
        }
    }

    /**
     * RabbitMQ could not be reached, or the connection was lost meanwhile.
     *
     * @param sentence why, without a full stop
     */
    record Unreachable(String sentence) implements Result {}

    /**
     * Connects, compares and disconnects.
     *
     * @param create whether to declare what is missing; else nothing is created
     */
    Result check(AmqpConfig amqp, HoldConfig hold, boolean create);
}
