package pushbridge.app;

import pushbridge.amqp.BrokerException;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.amqp.Topology;
import pushbridge.cli.TopologyCheck;
import pushbridge.config.AmqpConfig;
import pushbridge.config.HoldConfig;
import pushbridge.delivery.DeliveryLoop;

/** The command {@code topology}: one connection for one look. */
public final class TopologyOnce {

    private TopologyOnce() {}

    /** Compares what RabbitMQ has with what the bridge needs; declares what is missing if it is to. */
    public static TopologyCheck.Result check(AmqpConfig amqp, HoldConfig hold, boolean create) {
        try {
            return new TopologyCheck.Checked(new Topology(amqp)
                    .report("pushbridge topology", create, StreamHeldLog.settings(hold, DeliveryLoop.keepingRules())));
        } catch (BrokerException e) {
            return new TopologyCheck.Unreachable(e.sentence());
        }
    }
}
