package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.amqp.InstructionPublisher.Outcome;
import pushbridge.amqp.InstructionPublisher.Publication;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

@ExtendWith(BrokerExtension.class)
class InstructionPublisherIT {

    private static final Publication PLAIN = publication(null, null, null);

    private final Broker broker;
    private final Topology topology;
    private final InstructionPublisher publisher;

    InstructionPublisherIT(Broker broker) {
        this.broker = broker;
        this.topology = new Topology(broker.config());
        this.publisher = new InstructionPublisher(broker.config(), "test");
    }

    @AfterEach
    void close() {
        publisher.close();
    }

    @Test
    void aPublishIsConfirmedAndCarriesItsProperties() throws Exception {
        topology.declare(broker.connection());
        String copies = tap();
        assertThat(publisher.publish(publication(OfflinePolicy.DEAD_LETTER, Duration.ofMinutes(1), "id-1")))
                .isEqualTo(new InstructionPublisher.Result(Outcome.CONFIRMED, "id-1"));
        InstructionPublisher.Result second = publisher.publish(PLAIN);
        assertThat(second.outcome()).isEqualTo(Outcome.CONFIRMED);

        var messages = broker.awaitMessages(copies, 2);
        assertThat(messages.get(0).header("x-push-offline")).isEqualTo("dead-letter");
        assertThat(messages.get(0).properties().getExpiration()).isEqualTo("60000");
        assertThat(messages.get(0).properties().getMessageId()).isEqualTo("id-1");
        assertThat(messages.get(0).properties().getContentType()).isEqualTo("application/json");
        assertThat(messages.get(0).properties().getDeliveryMode()).isEqualTo(2);
        assertThat(messages.get(1).properties().getMessageId()).isEqualTo(second.messageId());
        assertThat(messages.get(1).properties().getExpiration()).isNull();
        assertThat(messages.get(1).headers()).isEmpty();
    }

    @Test
    void withoutAQueueItIsReturned() throws Exception {
        topology.declare(broker.connection());
        broker.deleteQueue(topology.instructions());
        assertThat(publisher.publish(PLAIN).outcome()).isEqualTo(Outcome.RETURNED);
        topology.declare(broker.connection());
        assertThat(publisher.publish(PLAIN).outcome()).isEqualTo(Outcome.CONFIRMED);
    }

    @Test
    void withoutAnExchangeTheSentenceSaysWhatToDoAndTheNextPublishWorks() throws Exception {
        assertThatThrownBy(() -> publisher.publish(PLAIN))
                .isInstanceOf(BrokerException.class)
                .hasMessage("RabbitMQ has no exchange " + topology.exchange()
                        + " in this vhost: start a bridge, it declares it");
        topology.declare(broker.connection());
        assertThat(publisher.publish(PLAIN).outcome()).isEqualTo(Outcome.CONFIRMED);
    }

    @Test
    void aBrokerThatIsAwayIsNamedWithoutThePassword() throws Exception {
        try (FaultProxy proxy = new FaultProxy(broker.uri())) {
            proxy.refuse();
            InstructionPublisher away = new InstructionPublisher(broker.config(proxy.uri(broker.uri())), "test");
            assertThatThrownBy(() -> away.publish(PLAIN))
                    .isInstanceOf(BrokerException.class)
                    .hasMessageStartingWith("RabbitMQ cannot be reached at 127.0.0.1:")
                    .hasMessageNotContaining("guest");
        }
    }

    /** A queue that gets what the queue of instructions gets, and can be read. */
    private String tap() throws Exception {
        Channel channel = broker.connection().createChannel();
        String queue = channel.queueDeclare().getQueue();
        channel.queueBind(queue, topology.exchange(), "#");
        return queue;
    }

    private static Publication publication(
            @Nullable OfflinePolicy offline, @Nullable Duration expiration, @Nullable String messageId) {
        return new Publication("user.42", "{}".getBytes(StandardCharsets.UTF_8), offline, expiration, messageId);
    }
}
