package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.delivery.DeliveryStats;
import pushbridge.testing.Broker;
import pushbridge.testing.Broker.Message;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

/** Messages for users who are not there, through everything that can happen until they come back. */
@ExtendWith(BrokerExtension.class)
final class HeldIT {

    private static String envelope(int seq) {
        return "{\"type\":\"n\",\"payload\":{},\"seq\":" + seq + "}";
    }

    private static void publish(Broker broker, String address, int from, int to) throws Exception {
        for (int seq = from; seq <= to; seq++) {
            broker.publish(address, envelope(seq));
        }
    }

    private static List<Integer> seqs(List<String> texts) {
        List<Integer> seqs = new ArrayList<>();
        for (String text : texts) {
            seqs.add(Integer.parseInt(text.substring(text.lastIndexOf(':') + 1, text.length() - 1)));
        }
        return seqs;
    }

    private static List<Integer> upTo(int last) {
        return IntStream.rangeClosed(1, last).boxed().toList();
    }

    private static void awaitHeld(TestBridge bridge, int messages) {
        Broker.await(messages + " messages held", () -> bridge.bridge().stats().heldMessages() == messages);
    }

    @Test
    void whoComesBackGetsWhatWasMissedInOrder(Broker broker) throws Exception { // I3
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            publish(broker, "user.ann", 1, 150);
            awaitHeld(bridge, 150);
            broker.awaitReady(broker.prefix() + ".instructions", 0);
            WebClient ann = bridge.connect("user=ann");
            publish(broker, "user.ann", 151, 200);
            ann.await(200);

            assertThat(seqs(ann.texts())).isEqualTo(upTo(200));
            awaitHeld(bridge, 0);
            assertThat(bridge.bridge().stats().unsettled()).isZero();
        }
    }

    @Test
    void whatIsHeldSurvivesTheBridgeAndIsDeliveredOnce(Broker broker) throws Exception { // I1
        try (TestBridge first = TestBridge.start(broker.config())) {
            first.awaitReady();
            publish(broker, "user.ann", 1, 20);
            awaitHeld(first, 20);
        }
        try (TestBridge second = TestBridge.start(broker.config())) {
            second.awaitReady();
            awaitHeld(second, 20);
            WebClient ann = second.connect("user=ann");
            ann.await(20);
            assertThat(seqs(ann.texts())).isEqualTo(upTo(20));
            awaitHeld(second, 0);
        }
        try (TestBridge third = TestBridge.start(broker.config())) {
            third.awaitReady();
            assertThat(third.bridge().stats().heldMessages()).isZero();
            assertThat(third.bridge().stats().epoch()).isEqualTo(3);
        }
    }

    @Test
    void aStandbyKnowsWhatIsHeldAndTakesOver(Broker broker) throws Exception { // I3
        TestBridge standby;
        try (TestBridge owner = TestBridge.start(broker.config())) {
            owner.awaitReady();
            standby = TestBridge.start(broker.config());
            publish(broker, "user.ann", 1, 30);
            awaitHeld(owner, 30);
            awaitHeld(standby, 30);
            assertThat(standby.bridge().health().ready()).isFalse();
        }
        try (standby) {
            standby.awaitReady();
            publish(broker, "user.ann", 31, 35);
            WebClient ann = standby.connect("user=ann");
            ann.await(35);
            assertThat(seqs(ann.texts())).isEqualTo(upTo(35));
        }
    }

    @Test
    void brokenConnectionsWhileHoldingLoseNothingAndKeepTheOrder(Broker broker) throws Exception { // I1, I3
        try (FaultProxy proxy = new FaultProxy(broker.uri());
                TestBridge bridge = TestBridge.start(broker.config(proxy.uri(broker.uri())))) {
            bridge.awaitReady();
            for (int seq = 1; seq <= 200; seq++) {
                broker.publish("user.ann", envelope(seq));
                if (seq % 50 == 0) {
                    proxy.cut();
                }
            }
            DeliveryStats stats = bridge.bridge().stats();
            broker.awaitReady(broker.prefix() + ".instructions", 0);
            Broker.await("everything settled", () -> stats.unsettled() == 0 && stats.heldMessages() >= 200);
            WebClient ann = bridge.connect("user=ann");
            Broker.await(
                    "the last message", () -> ann.texts().stream().anyMatch(text -> text.contains("\"seq\":200}")));

            assertThat(seqs(ann.texts()).stream().distinct().toList()).isEqualTo(upTo(200));
        }
    }

    @Test
    void aHeldMessageWhoseTimeRunsOutGoesToTheExpiredOnes(Broker broker) throws Exception { // I1
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            broker.publish(
                    broker.prefix(),
                    "user.ann",
                    new BasicProperties.Builder()
                            .deliveryMode(2)
                            .messageId("m1")
                            .expiration("1500")
                            .build(),
                    envelope(1));
            Message copy = broker.awaitMessages(broker.prefix() + ".expired", 1).get(0);

            assertThat(copy.header("x-push-address")).isEqualTo("user.ann");
            assertThat(copy.properties().getMessageId()).isEqualTo("m1");
            awaitHeld(bridge, 0);
        }
    }
}
