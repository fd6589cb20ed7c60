package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.GetResponse;
import java.net.URI;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import pushbridge.testing.FaultProxy;

/** One bridge, or two, on one RabbitMQ node, and everything that can break between and in them. */
@Tag("slow")
final class FaultsIT {

    private static RabbitNodes rabbit;

    @BeforeAll
    static void startRabbit() throws Exception {
        rabbit = RabbitNodes.start(1);
    }

    @AfterAll
    static void stopRabbit() throws Exception {
        rabbit.close();
        LoggerFactory.getLogger(FaultsIT.class).info("What was measured:\n{}", Results.table());
    }

    @AfterEach
    void healRabbit() throws Exception {
        if (!rabbit.only().running()) {
            rabbit.only().begin();
            rabbit.only().awaitUp();
        }
        rabbit.only().ctl("set_vm_memory_high_watermark", "absolute", "1GB");
        rabbit.only().ctl("set_disk_free_limit", "50MB");
    }

    private static Scenario scenario(String fault) throws Exception {
        return new Scenario(fault, rabbit.uris());
    }

    @Test
    void withoutAFaultNothingIsLostReorderedOrDuplicated() throws Exception {
        try (Scenario run = scenario("none").withoutDuplicates()) {
            run.bridge();
            run.begin();
            run.flow(1_000);
            run.finish();
        }
    }

    @Test
    void aKilledBridgeLosesNothing() throws Exception { // I1, I3
        try (Scenario run = scenario("bridge killed (-9) in full flow, three times")) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            for (int i = 0; i < 3; i++) {
                run.flow(400);
                bridge.kill();
                run.flow(200);
                bridge.start();
                bridge.awaitReady();
                run.delivery(200);
            }
            run.finish();
        }
    }

    @Test
    void aKilledBrokerLosesNothing() throws Exception { // I1
        try (Scenario run = scenario("broker killed (-9) and started again, twice")) {
            run.bridge();
            run.begin();
            for (int i = 0; i < 2; i++) {
                run.flow(400);
                rabbit.only().kill();
                rabbit.only().begin();
                rabbit.only().awaitUp();
                run.delivery(200);
            }
            run.finish();
        }
    }

    @Test
    void aBrokerThatIsStoppedAndStartedAgainLosesNothing() throws Exception { // I1
        try (Scenario run = scenario("broker stopped and started again")) {
            run.bridge();
            run.begin();
            rabbit.only().stop();
            rabbit.only().begin();
            rabbit.only().awaitUp();
            run.delivery(400);
            run.finish();
        }
    }

    @Test
    void connectionsClosedByTheBrokerLoseNothing() throws Exception { // I1, I6
        try (Scenario run = scenario("all connections closed by the broker, three times")) {
            run.bridge();
            run.begin();
            for (int i = 0; i < 3; i++) {
                rabbit.only().ctl("close_all_connections", "a test");
                run.delivery(400);
            }
            run.finish();
        }
    }

    @Test
    void cutConnectionsToTheBrokerLoseNothing() throws Exception { // I1, I6
        URI broker = rabbit.only().uri();
        try (FaultProxy proxy = new FaultProxy(broker);
                Scenario run = scenario("TCP between bridge and broker cut, five times")) {
            run.serve(run.bridge(List.of(proxy.uri(broker))).webSocket());
            run.begin();
            for (int i = 0; i < 5; i++) {
                proxy.cut();
                run.delivery(300);
            }
            run.finish();
        }
    }

    @Test
    void aBlackHoleBeforeTheBrokerLosesNothing() throws Exception { // I1, I6
        URI broker = rabbit.only().uri();
        try (FaultProxy proxy = new FaultProxy(broker);
                Scenario run = scenario("black hole between bridge and broker, twice")) {
            run.serve(run.bridge(List.of(proxy.uri(broker))).webSocket());
            run.begin();
            for (int i = 0; i < 2; i++) {
                proxy.swallow();
                run.flow(300);
                run.delivery(300);
            }
            run.finish();
        }
    }

    @Test
    void cutConnectionsToTheClientsLoseNothing() throws Exception { // I1
        try (Scenario run = scenario("TCP between clients and bridge cut, five times")) {
            BridgeProcess bridge = run.bridge(rabbit.uris());
            try (FaultProxy proxy = new FaultProxy(bridge.webSocket())) {
                run.serve(URI.create("ws://127.0.0.1:" + proxy.port() + "/ws"));
                run.begin();
                for (int i = 0; i < 5; i++) {
                    proxy.cut();
                    run.delivery(300);
                }
                run.finish();
            }
        }
    }

    @Test
    void aBlackHoleBeforeTheClientsLosesNothing() throws Exception { // I1, I4
        try (Scenario run = scenario("black hole between clients and bridge, twice")) {
            BridgeProcess bridge = run.bridge(rabbit.uris());
            try (FaultProxy proxy = new FaultProxy(bridge.webSocket())) {
                run.serve(URI.create("ws://127.0.0.1:" + proxy.port() + "/ws"));
                run.begin();
                for (int i = 0; i < 2; i++) {
                    proxy.swallow();
                    run.flow(600);
                    run.delivery(600);
                }
                run.finish();
            }
        }
    }

    @Test
    void aFrozenOwnerNeitherLosesNorReordersWhenItGoesOn() throws Exception { // I1, I3, I6
        try (Scenario run = scenario("owner frozen (SIGSTOP), standby takes over, owner goes on (SIGCONT)")) {
            BridgeProcess first = run.bridge();
            first.awaitReady();
            BridgeProcess second = run.bridge();
            run.begin();
            first.freeze();
            Waiting.until("the standby to take over", second::ready);
            run.delivery(600);
            first.thaw();
            Waiting.until("the frozen one to see that it is the owner no more", () -> !first.ready());
            run.delivery(600);
            run.finish();
        }
    }

    @Test
    void aKilledOwnerIsFollowedByItsStandby() throws Exception { // I1, I3
        try (Scenario run = scenario("owner killed (-9), standby takes over, to and fro")) {
            BridgeProcess first = run.bridge();
            first.awaitReady();
            BridgeProcess second = run.bridge();
            run.begin();
            for (BridgeProcess owner : List.of(first, second)) {
                owner.kill();
                run.delivery(600);
                owner.start();
                Waiting.until("the killed one to answer", () -> !owner.answer().isEmpty());
            }
            run.finish();
        }
    }

    @Test
    void aMemoryAlarmStopsAndLosesNothing() throws Exception { // I1, I4
        try (Scenario run = scenario("memory alarm")) {
            run.bridge();
            run.begin();
            rabbit.only().ctl("set_vm_memory_high_watermark", "0.00001");
            Waiting.until("the publisher to be blocked", run.publisher()::blocked);
            rabbit.only().ctl("set_vm_memory_high_watermark", "absolute", "1GB");
            run.delivery(600);
            run.finish();
        }
    }

    @Test
    void aDiskAlarmStopsAndLosesNothing() throws Exception { // I1, I4
        try (Scenario run = scenario("disk alarm")) {
            run.bridge();
            run.begin();
            rabbit.only().ctl("set_disk_free_limit", "1000000GB");
            Waiting.until("the publisher to be blocked", run.publisher()::blocked);
            rabbit.only().ctl("set_disk_free_limit", "50MB");
            run.delivery(600);
            run.finish();
        }
    }

    @Test
    void aDeletedInstructionQueueIsMadeAgain() throws Exception {
        try (Scenario run = scenario("instruction queue deleted under the consumer (it was empty)")) {
            run.bridge();
            run.begin();
            run.awaitQuiet();
            run.delete("instructions");
            run.publisher().goOn();
            run.delivery(600);
            run.finish();
        }
    }

    @Test
    void aFullDeadLetterQueueKeepsWhatItCannotTake() throws Exception { // I1
        try (Scenario run =
                scenario("push.dead full: copies refused until it is emptied").with("amqp.dead-max-messages", "3")) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            run.publishForNobody(20);
            run.delivery(100);
            run.publishForNobody(20); // the limit of a quorum queue is a soft one: these find it full
            Waiting.until("copies to be refused", () -> bridge.answer().contains(".dead"));
            run.delivery(600); // nobody else is delayed
            Waiting.until("all dead letters", () -> run.takeDead() >= 40);
            run.finish();
        }
    }

    @Test
    void aMessageOf64MiBDelaysNothingAndBecomesADeadLetter() throws Exception {
        try (Scenario run =
                scenario("a message of 64 MiB and one byte").withoutDuplicates().withHeap(768)) {
            run.bridge();
            run.begin();
            run.publishRaw("user.u1", new byte[(64 << 20) + 1]);
            Waiting.until("the dead letter", () -> run.ready("dead") == 1);
            GetResponse dead = Objects.requireNonNull(run.takeOneDead());
            assertThat(String.valueOf(dead.getProps().getHeaders().get("x-push-reason")))
                    .isEqualTo("too-large");
            run.delivery(600);
            run.finish();
        }
    }

    @Test
    void stalledClientsDelayNobodyAndGetEverythingLater() throws Exception { // I4
        try (Scenario run = scenario("5% of the clients read nothing")) {
            run.bridge();
            run.begin();
            for (int i = 0; i < Scenario.USERS / 20; i++) {
                run.clients().get(i).stall();
            }
            run.delivery(3_000);
            run.finish();
        }
    }

    @Test
    void manyReconnectsAtOnceLoseNothing() throws Exception { // I1, I3
        int pages = 600;
        try (Scenario run =
                new Scenario("%d clients reconnect at once, three times".formatted(pages), rabbit.uris(), pages)) {
            run.bridge();
            run.begin();
            for (int i = 0; i < 3; i++) {
                run.clients().forEach(RecordingClient::reconnect);
                run.delivery(600);
            }
            run.finish();
        }
    }
}
