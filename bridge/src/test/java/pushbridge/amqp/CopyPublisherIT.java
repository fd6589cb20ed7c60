package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.config.AmqpConfig;
import pushbridge.config.IntakeConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Instruction;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

/** Copies of instructions that a real intake took; the test plays the delivery loop. */
@ExtendWith(BrokerExtension.class)
class CopyPublisherIT {

    private final Broker broker;
    private final Topology topology;
    private final FaultProxy intakeProxy;
    private final FaultProxy copiesProxy;
    private final RecordingHandler handler = new RecordingHandler();
    private final BrokerStatus status = new BrokerStatus();
    private final List<Instruction> safe = new CopyOnWriteArrayList<>();
    private final Intake intake;
    private final CopyPublisher copies;

    CopyPublisherIT(Broker broker) throws IOException {
        this.broker = broker;
        this.topology = new Topology(broker.config());
        this.intakeProxy = new FaultProxy(broker.uri());
        this.copiesProxy = new FaultProxy(broker.uri());
        this.intake = intake(config(intakeProxy, 1_000));
        this.copies = new CopyPublisher(config(copiesProxy, 1_000), "node-1", Clock.system(), status);
    }

    private Intake intake(AmqpConfig config) {
        return new Intake(
                config,
                new IntakeConfig(Duration.ZERO, Duration.ZERO, 25, 20),
                "node-1",
                TestBodies::read,
                Clock.system(),
                handler,
                status);
    }

    private void start() {
        intake.start();
        Broker.await("the intake", () -> status.snapshot().intakeConnected());
        copies.start(instruction -> {
            instruction.channel().ack(instruction.tag(), false); // as the loop does (I1)
            instruction.channel().flush();
            safe.add(instruction);
        });
        Broker.await("the publisher", () -> status.snapshot().publisherConnected());
    }

    @AfterEach
    void stop() throws Exception {
        copies.close();
        intake.close();
        intakeProxy.close();
        copiesProxy.close();
    }

    @Test
    void aDeadInstructionHasACopyWithItsReasonAndIsSettled() throws Exception {
        start();
        Instant published = Instant.ofEpochSecond(1_700_000_000);
        Map<String, Object> headers = new HashMap<>();
        headers.put("traceparent", "00-1-2-3");
        headers.put("CC", List.of("user.43"));
        headers.put("x-first-death-reason", "expired");
        broker.publish(
                topology.exchange(),
                "user.42",
                new BasicProperties.Builder()
                        .userId("guest")
                        .expiration("600000")
                        .messageId("id-1")
                        .correlationId("c-1")
                        .replyTo("r-1")
                        .contentType("application/json")
                        .type("t")
                        .appId("a")
                        .timestamp(Date.from(published))
                        .headers(headers)
                        .build(),
                "bad");
        // One message, although two keys match, since both lead to one queue.
        Instruction taken = handler.awaitInstructions(1).get(0);
        copies.dead(taken, DeadLetterReason.MALFORMED, "it is bad");

        Broker.Message copy = broker.awaitMessages(topology.dead(), 1).get(0);
        assertThat(copy.body()).isEqualTo("bad");
        BasicProperties properties = copy.properties();
        assertThat(properties.getUserId()).isNull();
        assertThat(properties.getExpiration()).isNull();
        assertThat(properties.getDeliveryMode()).isEqualTo(2);
        assertThat(properties.getMessageId()).isEqualTo("id-1");
        assertThat(properties.getCorrelationId()).isEqualTo("c-1");
        assertThat(properties.getReplyTo()).isEqualTo("r-1");
        assertThat(properties.getTimestamp()).isEqualTo(Date.from(published));
        assertThat(copy.headers()).doesNotContainKeys("CC", "x-first-death-reason", "x-death");
        assertThat(copy.header("traceparent")).isEqualTo("00-1-2-3");
        assertThat(copy.header("x-push-reason")).isEqualTo("malformed");
        assertThat(copy.header("x-push-detail")).isEqualTo("it is bad");
        assertThat(copy.header("x-push-address")).isEqualTo("user.42");
        assertThat(copy.header("x-push-node")).isEqualTo("node-1");
        assertThat(copy.header("x-push-deliveries")).isEqualTo("1");
        assertThat(copy.header("x-push-original-user-id")).isEqualTo("guest");
        assertThat(copy.header("x-push-original-expiration")).isEqualTo("600000");
        assertThat(copy.header("x-push-original-cc")).isEqualTo("user.43");
        assertThat(copy.header("x-push-original-exchange")).isEqualTo(topology.exchange());
        assertThat(copy.header("x-push-original-routing-key")).isEqualTo("user.42");
        awaitSafe(taken);
        assertNothingUnsettled();
    }

    @Test
    void anExpiredInstructionGoesToTheQueueOfExpiredOnes() throws Exception {
        start();
        broker.publish("user.42", "late");
        Instruction taken = handler.awaitInstructions(1).get(0);
        copies.expired(taken);
        assertThat(broker.awaitMessages(topology.expired(), 1).get(0).header("x-push-reason"))
                .isEqualTo("expired");
        awaitSafe(taken);
        assertThat(broker.ready(topology.dead())).isZero();
    }

    @Test
    void aCopyThatAFullQueueRefusesKeepsItsInstructionUnsettledUntilThereIsRoom() throws Exception { // I1
        new Topology(config(intakeProxy, 1)).declare(broker.connection()); // a bridge with the limit 1 was first
        AmqpConfig full = config(copiesProxy, 1);
        fill();
        CopyPublisher small = new CopyPublisher(full, "node-1", Clock.system(), status);
        Intake smallIntake = intake(full);
        try {
            smallIntake.start();
            small.start(safe::add);
            broker.publish("user.42", "bad");
            Instruction taken = handler.awaitInstructions(1).get(0);
            small.dead(taken, DeadLetterReason.MALFORMED, "it is bad");
            Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
            assertThat(status.snapshot().alarms())
                    .singleElement()
                    .asString()
                    .contains("Queue " + topology.dead() + " refuses copies")
                    .contains("stay unsettled");
            assertThat(safe).isEmpty();

            // Expired ones go on meanwhile.
            broker.publish("user.42", "late");
            small.expired(handler.awaitInstructions(2).get(1));
            broker.awaitMessages(topology.expired(), 1);

            broker.drain(topology.dead());
            Broker.await("the copy is safe", () -> safe.contains(taken));
            Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
            assertThat(broker.drain(topology.dead()))
                    .filteredOn(m -> m.body().equals("bad"))
                    .hasSize(1);
        } finally {
            small.close();
            smallIntake.close();
        }
    }

    @Test
    void aQueueThatRefusesForLongGetsNewChannelsWhileTheAlarmStays() throws Exception {
        new Topology(config(intakeProxy, 1)).declare(broker.connection());
        fill();
        CopyPublisher small = new CopyPublisher(config(copiesProxy, 1), "node-1", Clock.system(), status);
        Intake smallIntake = intake(config(intakeProxy, 1));
        try {
            smallIntake.start();
            small.start(safe::add);
            for (int i = 0; i < 10; i++) {
                broker.publish("user.42", "bad" + i);
            }
            List<Instruction> taken = handler.awaitInstructions(10);
            taken.forEach(instruction -> small.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
            Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
            Broker.await("new channels", () -> {
                assertThat(status.snapshot().alarms())
                        .singleElement()
                        .asString()
                        .contains("refuses copies");
                assertThat(status.snapshot().problem()).isNull();
                return copiesProxy.accepted() >= 4;
            });
            assertThat(safe).isEmpty();

            Set<String> ids = new HashSet<>();
            Broker.await("all are safe", () -> {
                try {
                    broker.drain(topology.dead()).stream()
                            .map(message -> message.header("x-push-copy-id"))
                            .filter(Objects::nonNull)
                            .forEach(id -> assertThat(ids.add(id))
                                    .as("not twice: " + id)
                                    .isTrue());
                } catch (IOException e) {
                    throw new AssertionError("cannot drain the queue", e);
                }
                return ids.size() == 10;
            });
            Broker.await("all are known to be", () -> safe.size() == 10);
            Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
        } finally {
            small.close();
            smallIntake.close();
        }
    }

    @Test
    void anAlarmThatLastsLongerThanAConfirmMayTakeLetsNothingOutTwice() throws Exception {
        start();
        byte[] large = new byte[50_000];
        for (int i = 0; i < 90; i++) {
            broker.publish("user.42", "bad" + new String(large, StandardCharsets.US_ASCII));
        }
        List<Instruction> taken = handler.awaitInstructions(90);
        try {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
            broker.awaitPublishersBlocked();
            taken.forEach(instruction -> copies.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
            Broker.await("it is blocked", () -> status.snapshot().blocked() != null);
            long since = System.nanoTime();
            Broker.await(
                    "the time of a confirm is over",
                    () -> System.nanoTime() - since > Duration.ofMillis(1_500).toNanos());
            assertThat(safe).isEmpty();
        } finally {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4");
        }
        Broker.await("all are safe", () -> safe.size() == 90);
        assertThat(broker.awaitMessages(topology.dead(), 90)).hasSize(90);
        assertThat(broker.ready(topology.dead())).isZero();
        assertThat(copiesProxy.accepted()).isOne();
    }

    private void fill() {
        Broker.await("a full queue", () -> {
            try {
                broker.publish("", topology.dead(), new BasicProperties(), "filler");
                return false;
            } catch (AssertionError refused) {
                return true;
            } catch (IOException e) {
                throw new AssertionError("cannot fill the queue", e);
            }
        });
    }

    @Test
    void aCopyWithoutAQueueIsPublishedAgainOnceTheQueueIsBack() throws Exception {
        start();
        broker.publish("user.42", "bad");
        Instruction taken = handler.awaitInstructions(1).get(0);
        broker.deleteQueue(topology.dead());
        copies.dead(taken, DeadLetterReason.MALFORMED, "it is bad");
        awaitSafe(taken);
        assertThat(broker.awaitMessages(topology.dead(), 1).get(0).body()).isEqualTo("bad");
        assertThat(status.snapshot().alarms()).isEmpty();
    }

    @Test
    void copiesWaitWhileTheirConnectionIsAwayAndAllArrive() throws Exception {
        start();
        for (int i = 0; i < 20; i++) {
            broker.publish("user.42", "bad" + i);
        }
        List<Instruction> taken = handler.awaitInstructions(20);
        copiesProxy.refuse();
        copiesProxy.cut();
        taken.forEach(instruction -> copies.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
        Broker.await(
                "the publisher is away",
                () -> !status.snapshot().publisherConnected()
                        && status.snapshot().problem() != null);
        assertThat(safe).isEmpty();
        copiesProxy.permit();
        Broker.await("all are safe", () -> safe.size() == 20);
        broker.awaitMessages(topology.dead(), 20);
        assertNothingUnsettled();
    }

    @Test
    void aCopyOfAnEndedGenerationIsNotPublished() throws Exception {
        start();
        broker.publish("user.42", "bad");
        Instruction old = handler.awaitInstructions(1).get(0);
        intakeProxy.cut();
        Instruction again = handler.awaitInstructions(2).get(1);
        copies.dead(old, DeadLetterReason.MALFORMED, "it is bad");
        copies.dead(again, DeadLetterReason.MALFORMED, "it is bad");
        awaitSafe(again);
        assertThat(broker.awaitMessages(topology.dead(), 1).get(0).header("x-push-deliveries"))
                .isEqualTo("2");
        assertThat(safe).doesNotContain(old);
    }

    @Test
    void copiesOfEndedGenerationsAreForgottenAlsoWhileNothingCanBePublished() throws Exception { // I5
        start();
        for (int i = 0; i < 5; i++) {
            broker.publish("user.42", "bad" + i);
        }
        handler.awaitInstructions(5);
        copiesProxy.refuse();
        copiesProxy.cut();
        for (int generation = 1; generation <= 3; generation++) {
            handler.awaitInstructions(5 * generation)
                    .subList(5 * generation - 5, 5 * generation)
                    .forEach(instruction -> copies.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
            if (generation < 3) {
                intakeProxy.cut();
            }
        }
        Broker.await("only the copies of the last one wait", () -> copies.waiting() == 5);

        copiesProxy.permit();
        Broker.await("all are safe", () -> safe.size() == 5);
        broker.awaitMessages(topology.dead(), 5);
        assertNothingUnsettled();
    }

    @Test
    void headersThatLeaveNoRoomForOursAreDroppedAndOthersAreNotDelayed() throws Exception {
        start();
        // Just within the frame of 131,072 bytes when published, beyond it with what a copy adds.
        Map<String, Object> large = Map.of("large", "x".repeat(130_900));
        broker.publish(
                topology.exchange(),
                "user.42",
                new BasicProperties.Builder().headers(large).build(),
                "bad-large");
        broker.publish("user.42", "bad-small");
        handler.awaitInstructions(2)
                .forEach(instruction -> copies.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
        List<Broker.Message> dead = broker.awaitMessages(topology.dead(), 2);
        assertThat(dead.get(0).body()).isEqualTo("bad-large");
        assertThat(dead.get(0).header("x-push-original-headers-dropped")).isEqualTo("true");
        assertThat(dead.get(0).header("large")).isNull();
        assertThat(dead.get(1).header("x-push-original-headers-dropped")).isNull();
        Broker.await("both are safe", () -> safe.size() == 2);
        assertNothingUnsettled();
    }

    @Test
    void aCopyWhoseConfirmNeverComesIsPublishedAgainUnderTheSameId() throws Exception {
        start();
        broker.publish("user.42", "bad");
        Instruction taken = handler.awaitInstructions(1).get(0);
        copiesProxy.swallow();
        copies.dead(taken, DeadLetterReason.MALFORMED, "it is bad");
        awaitSafe(taken);
        assertThat(broker.awaitMessages(topology.dead(), 1).get(0).header("x-push-copy-id"))
                .isNotNull();
    }

    /** RabbitMQ up to 3.x asks the setting when a channel opens, 4.x a term that is made of it at the start. */
    private static void limitMessages(int bytes) {
        Broker.rabbitmqctl(
                "eval",
                "application:set_env(rabbit, max_message_size, %d), persistent_term:put(max_message_size, %d)."
                        .formatted(bytes, bytes));
    }

    @Test
    void aCopyForWhichTheBrokerClosesTheChannelDoesNotBlockTheOthers() throws Exception {
        Instruction large;
        try {
            limitMessages(1_000_000);
            intake.start();
            Broker.await("the intake", () -> status.snapshot().intakeConnected());
            broker.publish("user.42", "bad-large" + "x".repeat(50_000));
            for (int i = 0; i < 10; i++) {
                broker.publish("user.42", "bad");
            }
            List<Instruction> taken = handler.awaitInstructions(11);
            large = taken.get(0);
            // From now on new channels refuse it (406).
            limitMessages(10_000);
            taken.forEach(instruction -> copies.dead(instruction, DeadLetterReason.MALFORMED, "it is bad"));
            copies.start(safe::add);
            Broker.await("the others are safe", () -> safe.size() == 10);
            assertThat(safe).doesNotContain(large);
            Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
            assertThat(status.snapshot().alarms()).singleElement().asString().contains("closed the channel for a copy");
        } finally {
            limitMessages(134_217_728);
        }
        Broker.await("the large one is safe, too", () -> safe.contains(large));
        Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
        assertThat(broker.awaitMessages(topology.dead(), 11))
                .filteredOn(message -> message.header("x-push-original-headers-dropped") != null)
                .hasSize(1);
    }

    @Test
    void underAMemoryAlarmCopiesWaitWhileAcknowledgementsGoThrough() throws Exception { // I1
        start();
        broker.publish("user.42", "good");
        broker.publish("user.42", "bad");
        List<Instruction> taken = handler.awaitInstructions(2);
        try {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
            broker.awaitPublishersBlocked();
            copies.dead(taken.get(1), DeadLetterReason.MALFORMED, "it is bad");
            Broker.await("blocked", () -> status.snapshot().blocked() != null);
            assertThat(safe).isEmpty();
            // The intake's connection has never published, so the broker still reads it.
            taken.get(0).channel().ack(taken.get(0).tag(), false);
            taken.get(0).channel().flush();
            intake.close();
            broker.awaitReady(topology.instructions(), 1);
        } finally {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4");
        }
        Broker.await("no longer blocked", () -> status.snapshot().blocked() == null);
    }

    private void awaitSafe(Instruction... expected) {
        Broker.await("copies are safe", () -> safe.equals(List.of(expected)));
    }

    /** Closing the intake returns to the queue what is unsettled. */
    private void assertNothingUnsettled() throws Exception {
        intake.close();
        assertThat(broker.ready(topology.instructions())).isZero();
    }

    private AmqpConfig config(FaultProxy proxy, long deadMaxMessages) {
        URI uri = proxy.uri(broker.uri());
        AmqpConfig c = broker.config(uri);
        return new AmqpConfig(
                c.uris(),
                c.prefix(),
                c.prefetch(),
                c.heartbeat(),
                c.connectTimeout(),
                Duration.ofSeconds(1),
                c.backoffInitial(),
                c.backoffMax(),
                c.maxInboundBytes(),
                deadMaxMessages,
                c.expiredMaxMessages(),
                c.tokenRefresh(),
                c.tls());
    }
}
