package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.amqp.BrokerStatus.Ownership;
import pushbridge.config.AmqpConfig;
import pushbridge.config.IntakeConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.envelope.Envelope;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

@ExtendWith(BrokerExtension.class)
class IntakeIT {

    private final Broker broker;
    private final Topology topology;
    private final FaultProxy proxy;
    private final List<Bridge> bridges = new ArrayList<>();

    IntakeIT(Broker broker) throws IOException, BrokerException {
        this.broker = broker;
        this.topology = new Topology(broker.config());
        this.proxy = new FaultProxy(broker.uri());
        topology.declare(broker.connection());
    }

    @AfterEach
    void stop() throws Exception {
        for (Bridge bridge : bridges) {
            bridge.intake.close();
        }
        proxy.close();
    }

    @Test
    void instructionsComeInOrderWithTheirProperties() throws IOException {
        broker.publish("user.42", "first");
        broker.publish(
                topology.exchange(),
                "channel.news",
                new BasicProperties.Builder()
                        .headers(Map.of("x-push-offline", "dead-letter"))
                        .build(),
                "second");
        Bridge bridge = start(broker.config());

        List<Instruction> taken = bridge.handler.awaitInstructions(2);
        bridge.handler.awaitEvents("opened", "first", "second");
        assertThat(taken.get(0).policy()).isEqualTo(OfflinePolicy.HOLD);
        assertThat(taken.get(1).policy()).isEqualTo(OfflinePolicy.DEAD_LETTER);
        assertThat(((Envelope) taken.get(1).reading()).to().text()).isEqualTo("channel.news");
        assertThat(bridge.status.snapshot().ownership()).isEqualTo(Ownership.OWNER);
        assertThat(bridge.status.snapshot().intakeConnected()).isTrue();
    }

    @Test
    void whatIsAcknowledgedIsGoneAndTheRestComesBackInOrder() throws Exception {
        for (int i = 1; i <= 5; i++) {
            broker.publish("user.42", "m" + i);
        }
        Bridge bridge = start(broker.config());
        List<Instruction> taken = bridge.handler.awaitInstructions(5);
        ack(taken.get(3), false);
        ack(taken.get(1), true);
        bridge.intake.close();

        broker.awaitReady(topology.instructions(), 2);
        start(broker.config()).handler.awaitEvents("opened", "m3", "m5");
        bridge.handler.awaitEvents("opened", "m1", "m2", "m3", "m4", "m5", "lost");
    }

    @Test
    void unsettledInstructionsComeBackInOrderOnANewGeneration() throws IOException {
        Bridge bridge = start(proxied());
        for (int i = 1; i <= 3; i++) {
            broker.publish("user.42", "m" + i);
        }
        List<Instruction> taken = bridge.handler.awaitInstructions(3);
        proxy.cut();

        bridge.handler.awaitEvents("opened", "m1", "m2", "m3", "lost", "opened", "m1", "m2", "m3");
        Instruction again = bridge.handler.instructions().get(3);
        assertThat(again.channel().generation())
                .isGreaterThan(taken.get(0).channel().generation());
        assertThat(((AmqpOriginal) again.original()).deliveries()).isEqualTo(2);
    }

    @Test
    void acknowledgementsOfAnEndedGenerationDoNothing() throws Exception { // I6
        Bridge bridge = start(proxied());
        broker.publish("user.42", "m1");
        Instruction old = bridge.handler.awaitInstructions(1).get(0);
        proxy.cut();
        bridge.handler.awaitEvents("opened", "m1", "lost", "opened", "m1");

        ack(old, true);
        broker.publish("user.42", "m2");
        bridge.handler.awaitInstructions(3);
        bridge.intake.close();
        broker.awaitReady(topology.instructions(), 2);
    }

    @Test
    void aDeletedQueueIsDeclaredAgainAndConsumed() throws IOException {
        Bridge bridge = start(broker.config());
        bridge.handler.awaitEvents("opened");
        broker.deleteQueue(topology.instructions());
        bridge.handler.awaitEvents("opened", "lost", "opened");

        broker.publish("user.42", "after");
        bridge.handler.awaitEvents("opened", "lost", "opened", "after");
    }

    @Test
    void onlyTheOwnerTakesAndTheTokenPassesOnWithItsConnection() throws IOException {
        Bridge first = start(proxied());
        first.awaitOwnership(Ownership.OWNER);
        Bridge second = start(broker.config());
        second.awaitOwnership(Ownership.STANDBY);
        broker.publish("user.42", "m1");
        first.handler.awaitEvents("opened", "m1");

        proxy.refuse();
        proxy.cut();
        second.awaitOwnership(Ownership.OWNER);
        first.awaitOwnership(Ownership.UNKNOWN);
        second.handler.awaitEvents("opened", "m1");

        proxy.permit();
        first.awaitOwnership(Ownership.STANDBY);
        first.handler.awaitEvents("opened", "m1", "lost");
        assertThat(second.ownerships).containsExactly(Ownership.STANDBY, Ownership.OWNER);
    }

    @Test
    void manyBridgesThatStartTogetherHaveOneOwner() throws Exception {
        for (int i = 0; i < 4; i++) {
            start(broker.config());
        }
        for (int owner = 1; owner <= 4; owner++) {
            Broker.await(
                    "every bridge decided",
                    () -> bridges.stream().noneMatch(b -> b.ownership() == Ownership.UNKNOWN)
                            && bridges.stream().anyMatch(b -> b.ownership() == Ownership.OWNER));
            List<Bridge> owners = bridges.stream()
                    .filter(b -> b.ownership() == Ownership.OWNER)
                    .toList();
            assertThat(owners).hasSize(1);
            owners.get(0).intake.close();
            bridges.remove(owners.get(0));
        }
    }

    @Test
    void refreshingTheTokenKeepsItsHolder() {
        Bridge owner = start(with(broker.config(), Duration.ofMillis(30)));
        owner.awaitOwnership(Ownership.OWNER);
        Bridge standby = start(with(broker.config(), Duration.ofMillis(30)));
        standby.awaitOwnership(Ownership.STANDBY);

        owner.awaitRefreshes(10);
        assertThat(owner.ownerships).containsExactly(Ownership.OWNER);
        assertThat(standby.ownerships).containsExactly(Ownership.STANDBY);
        owner.handler.awaitEvents("opened");
    }

    @Test
    void theLastOwnerComesBackBeforeAStandbyThatWaits() {
        Bridge owner = start(proxied());
        owner.awaitOwnership(Ownership.OWNER);
        Bridge standby = start(proxied(), new IntakeConfig(Duration.ZERO, Duration.ofSeconds(2), 25, 20));
        standby.awaitOwnership(Ownership.STANDBY);

        proxy.cut(); // both, as when the broker restarts
        owner.handler.awaitEvents("opened", "lost", "opened");
        standby.awaitOwnership(Ownership.STANDBY);
        assertThat(owner.ownerships).containsExactly(Ownership.OWNER, Ownership.UNKNOWN, Ownership.OWNER);
        assertThat(standby.handler.events()).isEmpty();
    }

    @Test
    void aPurgedTokenIsReplacedByAStandby() throws Exception {
        Bridge owner = start(broker.config());
        owner.awaitOwnership(Ownership.OWNER);
        start(with(broker.config(), Duration.ofMillis(50))).awaitOwnership(Ownership.STANDBY);
        broker.connection().createChannel().queuePurge(topology.owner());
        owner.intake.close();
        bridges.get(1).awaitOwnership(Ownership.OWNER);
    }

    @Test
    void aBrokerThatIsAwayIsTriedAgainAndNamed() {
        proxy.refuse();
        Bridge bridge = start(proxied());
        Broker.await("a problem", () -> bridge.status.snapshot().problem() != null);
        assertThat(bridge.status.snapshot().problem())
                .startsWith("RabbitMQ cannot be reached at 127.0.0.1:")
                .doesNotContain("guest");
        proxy.permit();
        bridge.awaitOwnership(Ownership.OWNER);
        assertThat(bridge.status.snapshot().problem()).isNull();
    }

    @Test
    void anArgumentMismatchIsAProblemWithOneSentence() throws IOException {
        broker.deleteQueue(topology.expired());
        broker.connection().createChannel().queueDeclare(topology.expired(), true, false, false, Map.of());
        Bridge bridge = start(broker.config());
        Broker.await("a problem", () -> bridge.status.snapshot().problem() != null);
        assertThat(bridge.status.snapshot().problem()).contains("The queue " + topology.expired() + " exists with ");

        broker.deleteQueue(topology.expired());
        bridge.awaitOwnership(Ownership.OWNER);
    }

    @Test
    void afterStopTakingNothingIsHandedOverAndNothingIsLost() throws Exception {
        Bridge bridge = start(broker.config());
        broker.publish("user.42", "m1");
        Instruction taken = bridge.handler.awaitInstructions(1).get(0);
        bridge.intake.stopTaking();
        broker.publish("user.42", "m2");
        broker.awaitReady(topology.instructions(), 0); // it has been delivered
        ack(taken, true);
        bridge.intake.close();

        broker.awaitReady(topology.instructions(), 1);
        bridge.handler.awaitEvents("opened", "m1", "lost");
        start(broker.config()).handler.awaitEvents("opened", "m2");
    }

    private AmqpConfig proxied() {
        return broker.config(proxy.uri(broker.uri()));
    }

    private static AmqpConfig with(AmqpConfig c, Duration tokenRefresh) {
        return new AmqpConfig(
                c.uris(),
                c.prefix(),
                c.prefetch(),
                c.heartbeat(),
                c.connectTimeout(),
                c.confirmTimeout(),
                c.backoffInitial(),
                c.backoffMax(),
                c.maxInboundBytes(),
                c.deadMaxMessages(),
                c.expiredMaxMessages(),
                tokenRefresh,
                c.tls());
    }

    private static void ack(Instruction instruction, boolean multiple) {
        instruction.channel().ack(instruction.tag(), multiple);
        instruction.channel().flush();
    }

    private Bridge start(AmqpConfig config) {
        return start(config, new IntakeConfig(Duration.ZERO, Duration.ZERO, 25, 20));
    }

    private Bridge start(AmqpConfig config, IntakeConfig intake) {
        Bridge bridge = new Bridge(config, intake);
        bridges.add(bridge);
        bridge.intake.start();
        return bridge;
    }

    /** An intake with everything it reports. */
    private static final class Bridge {
        final RecordingHandler handler = new RecordingHandler();
        final BrokerStatus status = new BrokerStatus();
        final List<Ownership> ownerships = new CopyOnWriteArrayList<>();
        final Intake intake;

        Bridge(AmqpConfig config, IntakeConfig intakeConfig) {
            intake = new Intake(config, intakeConfig, "test", TestBodies::read, Clock.system(), handler, status);
            status.onOwnership(ownerships::add);
        }

        Ownership ownership() {
            return status.snapshot().ownership();
        }

        void awaitOwnership(Ownership expected) {
            Broker.await("ownership " + expected, () -> ownership() == expected);
        }

        void awaitRefreshes(long count) {
            Broker.await(count + " refreshes", () -> intake.tokenRefreshes() >= count);
        }
    }
}
