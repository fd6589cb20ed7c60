package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

@ExtendWith(BrokerExtension.class)
class TopologyIT {

    private final Broker broker;
    private final Topology topology;

    TopologyIT(Broker broker) {
        this.broker = broker;
        this.topology = new Topology(broker.config());
    }

    @BeforeEach
    void declare() throws BrokerException {
        topology.declare(broker.connection());
    }

    @Test
    void declaringTwiceChangesNothing() throws BrokerException {
        topology.declare(broker.connection());
    }

    @Test
    void whatRunsOutOfTimeInTheQueueIsExpiredNotDead() throws IOException {
        publish(new BasicProperties.Builder().expiration("1"), "late");

        assertThat(broker.awaitMessages(topology.expired(), 1))
                .singleElement()
                .satisfies(message -> assertThat(message.body()).isEqualTo("late"));
        assertThat(broker.ready(topology.dead())).isZero();
    }

    @Test
    void whatIsRejectedIsDeadNotExpired() throws IOException {
        publish(new BasicProperties.Builder(), "rejected");
        rejectOne();

        assertThat(broker.awaitMessages(topology.dead(), 1))
                .singleElement()
                .satisfies(message -> assertThat(message.body()).isEqualTo("rejected"));
        assertThat(broker.ready(topology.expired())).isZero();
    }

    @Test
    void whatIsRejectedIsDeadAlsoWhenItHadExpiredElsewhereBefore() throws IOException {
        Channel channel = broker.connection().createChannel();
        String elsewhere = channel.queueDeclare(
                        "",
                        false,
                        true,
                        true,
                        Map.of(
                                "x-message-ttl",
                                1,
                                "x-dead-letter-exchange",
                                "",
                                "x-dead-letter-routing-key",
                                topology.instructions()))
                .getQueue();
        broker.publish("", elsewhere, new BasicProperties(), "expired elsewhere");
        broker.awaitReady(topology.instructions(), 1);
        rejectOne();

        List<Broker.Message> dead = broker.awaitMessages(topology.dead(), 1);
        assertThat(dead.get(0).header("x-first-death-reason")).isEqualTo("expired");
        assertThat(broker.ready(topology.expired())).isZero();
    }

    @Test
    void aQueueWithOtherArgumentsIsNamedWithBothValues() throws IOException {
        broker.deleteQueue(topology.dead());
        broker.deleteQueue(topology.owner());
        Channel channel = broker.connection().createChannel();
        channel.queueDeclare(topology.dead(), true, false, false, Map.of());
        channel.queueDeclare(topology.owner(), true, false, false, Map.of("x-queue-type", "quorum"));

        assertThatThrownBy(() -> topology.declare(broker.connection()))
                .isInstanceOf(BrokerException.class)
                .hasMessageContaining("The queue " + topology.dead() + " exists with x-max-length = none,"
                        + " but the configuration wants 1000")
                .hasMessageContaining("The queue " + topology.owner() + " exists with ") // both at once
                .hasMessageContaining("move its messages away and delete it");
    }

    private void publish(BasicProperties.Builder properties, String body) throws IOException {
        broker.publish(
                topology.exchange(), "user.42", properties.deliveryMode(2).build(), body);
    }

    private void rejectOne() throws IOException {
        Channel channel = broker.connection().createChannel();
        channel.basicQos(1);
        channel.basicConsume(topology.instructions(), false, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body)
                    throws IOException {
                channel.basicReject(envelope.getDeliveryTag(), false);
            }
        });
    }
}
