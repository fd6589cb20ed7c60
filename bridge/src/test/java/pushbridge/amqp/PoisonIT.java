package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.config.IntakeConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;
import pushbridge.envelope.Reading;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

/** Messages whose handling breaks the channel, or ends the process, among others that are in hand at the same time. */
@ExtendWith(BrokerExtension.class)
class PoisonIT {

    private static final int AFTER = 8;

    private final Broker broker;
    private final Topology topology;
    private final FaultProxy proxy;
    private final BrokerStatus status = new BrokerStatus();
    private final CopyPublisher copies;
    /** What was handled to its end, in order. */
    private final List<String> settled = new CopyOnWriteArrayList<>();
    /** What was handed over of those that break something. */
    private final List<String> broke = new CopyOnWriteArrayList<>();
    /** What was handed over behind one that broke its generation. */
    private final List<String> overtaking = new CopyOnWriteArrayList<>();
    /** How often each of the others had come back when it was handed over. */
    private final List<Long> returnsOfInnocents = new CopyOnWriteArrayList<>();

    PoisonIT(Broker broker) throws IOException, BrokerException {
        this.broker = broker;
        this.topology = new Topology(broker.config());
        this.proxy = new FaultProxy(broker.uri());
        this.copies = new CopyPublisher(broker.config(), "test", Clock.system(), status);
        topology.declare(broker.connection());
        copies.start(PoisonIT::ack);
    }

    @AfterEach
    void stop() throws Exception {
        copies.close();
        proxy.close();
    }

    @Test
    void aMessageThatBreaksItsChannelIsPoisonedAndTheOthersAreNot() throws Exception {
        List<String> innocents = publish(5, 20, 2);
        try (Intake intake = intake(new Handler(() -> {}))) {
            intake.start();
            Broker.await("the careful mode", () -> status.snapshot().careful());
            assertThat(status.snapshot().alarms()).singleElement().asString().contains("one by one");
            assertPoisoned("poison-0", "poison-1");
            Broker.await("everything else is settled", () -> settled.containsAll(innocents));
            Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());

            broker.publish("user.42", "after");
            Broker.await("it goes on", () -> settled.contains("after"));
        }
        innocents.add("after");
        assertThat(handled()).isEqualTo(innocents);
        assertNothingIsLeft();
    }

    @Test
    void aMessageThatEndsTheProcessIsPoisonedByTheOnesThatFollow() throws Exception {
        List<String> innocents = publish(5, 20, 4);
        int processes = 0;
        while (!settled.containsAll(innocents)) {
            proxy.permit();
            Handler handler = new Handler(
                    () -> { // as kill -9 would: nothing of it is left but the broker's count
                        proxy.refuse();
                        proxy.cut();
                    });
            Intake intake = intake(handler);
            intake.start();
            Broker.await("the end", () -> handler.broken || settled.containsAll(innocents));
            intake.close();
            processes++;
        }
        assertThat(handled()).isEqualTo(innocents);
        assertThat(processes).isBetween(AFTER, AFTER + 8);
        assertPoisoned("poison-0", "poison-1", "poison-2", "poison-3");
        assertNothingIsLeft();
    }

    /** Some before, some between and behind what breaks, all in hand at once. */
    private List<String> publish(int before, int behind, int poisonous) throws IOException {
        List<String> innocents = new ArrayList<>();
        for (int i = 0; i < before + behind; i++) {
            if (i >= before && i < before + poisonous) {
                broker.publish("user.42", "poison-" + (i - before));
            }
            innocents.add("m" + i);
            broker.publish("user.42", "m" + i);
        }
        return innocents;
    }

    /** Without repetitions: an acknowledgement may be lost with the channel, and then its message comes again. */
    private List<String> handled() {
        return settled.stream().distinct().toList();
    }

    private void assertPoisoned(String... bodies) throws IOException {
        List<Broker.Message> dead = broker.awaitMessages(topology.dead(), bodies.length);
        assertThat(dead).extracting(Broker.Message::body).containsExactly(bodies);
        for (Broker.Message copy : dead) {
            assertThat(copy.header("x-push-reason")).isEqualTo("poisoned");
            assertThat(copy.header("x-push-address")).isEqualTo("user.42");
            // The first one has been delivered so often, the others came back with it.
            assertThat(Integer.parseInt(String.valueOf(copy.header("x-push-deliveries"))))
                    .isBetween(AFTER + 1, AFTER + bodies.length);
            assertThat(broke.stream().filter(copy.body()::equals).count())
                    .as("deliveries of " + copy.body())
                    .isBetween(1L, (long) AFTER);
        }
    }

    private void assertNothingIsLeft() {
        assertThat(overtaking).isEmpty();
        broker.awaitReady(topology.instructions(), 0);
        assertThat(broker.ready(topology.dead())).isZero();
        // They were in hand each time, so their counts are the same.
        assertThat(returnsOfInnocents).anyMatch(returns -> returns >= AFTER);
    }

    private Intake intake(Handler handler) {
        return new Intake(
                broker.config(proxy.uri(broker.uri())),
                new IntakeConfig(Duration.ZERO, Duration.ZERO, 25, AFTER),
                "test",
                TestBodies::read,
                Clock.system(),
                handler,
                status);
    }

    private static void ack(Instruction instruction) {
        instruction.channel().ack(instruction.tag(), false);
        instruction.channel().flush();
    }

    /** Settles everything at once, but breaks at certain messages, unless it is told that they are poisoned. */
    private final class Handler implements InstructionHandler {
        private final Runnable breaking;
        private volatile boolean broken;
        private @Nullable IntakeChannel brokenChannel;

        Handler(Runnable breaking) {
            this.breaking = breaking;
        }

        @Override
        public CompletableFuture<Void> becomeOwner(Runnable fenced) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void channelOpened(IntakeChannel channel) {}

        @Override
        public void take(Instruction instruction) {
            String body = RecordingHandler.body(instruction);
            if (instruction.channel() == brokenChannel) {
                overtaking.add(body);
            } else if (instruction.reading() instanceof Reading.Refusal refusal) {
                copies.dead(instruction, refusal.reason(), refusal.detail());
            } else if (body.startsWith("poison")) {
                broke.add(body);
                brokenChannel = instruction.channel();
                breaking.run();
                broken = true;
                throw new IllegalStateException("broken by " + body);
            } else {
                returnsOfInnocents.add(((AmqpOriginal) instruction.original()).deliveries() - 1);
                settled.add(body);
                ack(instruction);
            }
        }

        @Override
        public void channelLost(IntakeChannel channel) {}
    }
}
