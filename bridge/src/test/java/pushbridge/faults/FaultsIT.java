package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.GetResponse;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
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
            run.queues().delete("instructions");
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
            Waiting.until("the dead letter", () -> run.queues().ready("dead") == 1);
            GetResponse dead = Objects.requireNonNull(run.queues().take("dead"));
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

    @Test
    void hostileClientsThatReconnectAndNeverReadEvictNobodyElse() throws Exception { // I4, I5
        List<HostileClient> hostile = new ArrayList<>();
        try (Scenario run = scenario("20 clients reconnect all the time and never read, while all get 400 messages")
                .with("outbox.max-frames", "128")
                .withoutDuplicates()) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            for (int i = 0; i < 20; i++) {
                hostile.add(new HostileClient(bridge.webSocket(), "h" + i, i));
            }
            Waiting.until(
                    "the hostile ones to be there",
                    () -> hostile.stream().allMatch(client -> client.connections() > 0));
            run.publishToAll(400);
            run.delivery(300);
            assertThat(hostile).allMatch(client -> client.connections() > 1);
            assertThat(run.residents()).allMatch(client -> client.connections() == 1);
            for (HostileClient client : hostile) {
                client.close();
            }
            run.finish();
        } finally {
            for (HostileClient client : hostile) {
                client.close();
            }
        }
    }

    @Test
    void aFullInstructionQueueRefusesAndLosesNothing() throws Exception { // I1
        try (Scenario run = scenario("instruction queue full: the publisher is refused, bridge away, then back")) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            String policy = "full-" + run.queues().prefix();
            rabbit.only()
                    .ctl(
                            "set_policy",
                            policy,
                            "^" + run.queues().name("instructions") + "$",
                            "{\"max-length\":20}",
                            "--apply-to",
                            "queues");
            bridge.kill();
            Waiting.until("messages to be refused", () -> run.publisher().refusals() > 50);
            bridge.start();
            bridge.awaitReady();
            run.delivery(600);
            rabbit.only().ctl("clear_policy", policy);
            run.finish();
        }
    }

    @Test
    void refusedRecordsOfTheHeldLogDelayNobodyWhoIsThere() throws Exception { // I1, I3, I4
        URI broker = rabbit.only().uri();
        String user = "bridge";
        rabbit.only().ctl("add_user", user, "secret");
        try (Scenario run = scenario("records of the held log refused (no permission), then taken again")) {
            permit(user, ".*");
            URI own = URI.create(broker.toString().replace("guest:guest", user + ":secret"));
            BridgeProcess bridge = run.bridge(List.of(own));
            run.serve(bridge.webSocket());
            run.begin();
            permit(user, "^(?!amq\\.default$).*$"); // records go through the default exchange
            closeConnection("held-append"); // a channel remembers what it was permitted
            Waiting.until(
                    "records to be refused",
                    () -> bridge.answer().contains(run.queues().name("held")));
            run.delivery(600);
            permit(user, ".*");
            run.delivery(600);
            run.finish();
        } finally {
            rabbit.only().ctl("delete_user", user);
        }
    }

    private static void permit(String user, String write) {
        rabbit.only().ctl("set_permissions", user, ".*", write, ".*");
    }

    private static void closeConnection(String role) {
        String listed = rabbit.only().ctl("-q", "list_connections", "--no-table-headers", "pid", "client_properties");
        List<String> found = listed.lines().filter(line -> line.contains(role)).toList();
        assertThat(found).as("connections for " + role).isNotEmpty();
        for (String line : found) {
            rabbit.only().ctl("close_connection", line.substring(0, line.indexOf('\t')), "a test");
        }
    }

    @Test
    void jumpsOfTheWallClockLoseAndExpireNothing() throws Exception { // I1, I3
        FakeClock clock = FakeClock.create();
        Duration day = Duration.ofDays(1);
        try (Scenario run = scenario("wall clock of the bridge a day ahead, two days back, and right again")
                .withEnvironment(clock.environment())
                .withAnHourToLive(true)) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            for (Duration ahead : List.of(day, day.negated(), Duration.ZERO)) {
                jump(clock, bridge, ahead);
                run.delivery(600);
            }
            bridge.awaitReady();
            run.finish();
        }
    }

    @Test
    void aBridgeThatStartedWithAWrongClockExpiresNothingWhenItIsSetRight() throws Exception { // I1, I3
        FakeClock clock = FakeClock.create();
        clock.set(Duration.ofDays(2));
        // Its idea of time stays two days ahead, so only what counts from its own first look is left alone.
        try (Scenario run = scenario("bridge started with its wall clock two days ahead, which is then set right")
                .withEnvironment(clock.environment())
                .withAnHourToLive(false)) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            jump(clock, bridge, Duration.ZERO);
            run.delivery(600);
            run.finish();
        }
    }

    private static void jump(FakeClock clock, BridgeProcess bridge, Duration ahead) throws Exception {
        clock.set(ahead);
        Waiting.until("the bridge's wall clock to be " + ahead + " ahead", () -> {
            Duration difference = Duration.between(Instant.now(), bridge.wallClock())
                    .minus(ahead)
                    .abs();
            return difference.compareTo(Duration.ofMinutes(5)) < 0;
        });
    }
}
