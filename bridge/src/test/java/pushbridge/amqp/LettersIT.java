package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.AmqpConfig;
import pushbridge.config.LettersConfig;
import pushbridge.delivery.Clock;
import pushbridge.letters.Filter;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterDesk;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterJson;
import pushbridge.letters.LetterQueue;
import pushbridge.letters.LocalDesk;
import pushbridge.letters.Outgoing;
import pushbridge.letters.Progress;
import pushbridge.letters.Replay;
import pushbridge.letters.Sender;
import pushbridge.testing.Broker;
import pushbridge.testing.Broker.Message;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.Plain;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reading, replaying and discarding what lies in the real queues. */
@ExtendWith(BrokerExtension.class)
final class LettersIT {

    private final Broker broker;
    private final Topology topology;
    private final List<LetterShelves> opened = new ArrayList<>();

    LettersIT(Broker broker) {
        this.broker = broker;
        this.topology = new Topology(config());
    }

    private AmqpConfig config() {
        return broker.config(100, 100_000);
    }

    @BeforeEach
    void declare() throws BrokerException {
        topology.declare(broker.connection());
    }

    @AfterEach
    void giveBack() {
        opened.forEach(LetterShelves::close);
    }

    private LetterShelves shelves(String holder, LettersConfig config) {
        LetterShelves shelves = new LetterShelves(config(), config, "node", holder, TestBodies::read, Clock.system());
        opened.add(shelves);
        return shelves;
    }

    private LetterDesk desk(LettersConfig config) {
        LetterShelves shelves = shelves("the test", config);
        return new LocalDesk(shelves, System::currentTimeMillis, shelves::close);
    }

    private LetterDesk desk() {
        return desk(Plain.LETTERS);
    }

    /** Windows as small as they can be. */
    private static LettersConfig smallWindows() {
        return new LettersConfig(100_000, 3 << 20, Duration.ofMinutes(10), Duration.ofMinutes(20));
    }

    /** As a bridge would: copy {@code n} failed n milliseconds after the epoch. */
    private BasicProperties copy(int n) {
        Map<String, Object> headers = new HashMap<>();
        headers.put("x-push-reason", "schema-invalid");
        headers.put("x-push-detail", "/payload: must be an object, not a list");
        headers.put("x-push-address", "user." + n % 7);
        headers.put("x-push-failed-at", Instant.ofEpochMilli(n).toString());
        headers.put("x-push-copy-id", "node-" + n);
        headers.put("x-push-deliveries", 1L);
        headers.put("x-push-node", "node");
        headers.put("x-push-original-exchange", broker.prefix());
        headers.put("x-push-original-routing-key", "user." + n % 7);
        headers.put("mine", n);
        return new BasicProperties.Builder()
                .deliveryMode(2)
                .messageId("m" + n)
                .headers(headers)
                .build();
    }

    private void fill(int from, int to) throws Exception {
        fill(broker.prefix() + ".dead", from, to);
    }

    private void fill(String queue, int from, int to) throws Exception {
        try (Channel channel = broker.connection().createChannel()) {
            channel.confirmSelect();
            for (int n = from; n < to; n++) {
                channel.basicPublish("", queue, copy(n), body(n).getBytes(StandardCharsets.UTF_8));
            }
            channel.waitForConfirmsOrDie(Broker.PATIENCE.toMillis());
        }
    }

    private static String body(int n) {
        return "{\"type\":\"note\",\"seq\":" + n + ",\"payload\":{}}";
    }

    private static List<String> ids(List<Message> messages) {
        return messages.stream()
                .map(message -> message.properties().getMessageId())
                .toList();
    }

    private static List<String> range(int from, int to) {
        return IntStream.range(from, to).mapToObj(n -> "m" + n).toList();
    }

    private static List<String> messageIds(LetterDesk desk) throws Exception {
        List<String> ids = new ArrayList<>();
        desk.export(
                LetterQueue.DEAD,
                Filter.ALL,
                letter -> ids.add(letter.path("properties").path("messageId").asString()));
        return ids;
    }

    private String dead() {
        return broker.prefix() + ".dead";
    }

    // ---- looking ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(LetterQueue.class)
    void looksAtBothQueuesAndGivesEverythingBackInOrder(LetterQueue queue) throws Exception {
        String name = broker.prefix() + "." + queue.slug();
        fill(name, 0, 300);
        try (LetterDesk desk = desk()) {
            JsonNode page = desk.list(queue, Filter.ALL, 2, null, false);
            assertThat(page.path("total").asInt()).isEqualTo(300);
            assertThat(page.path("letters")).hasSize(2);
            JsonNode second = page.path("letters").get(1);
            assertThat(second.path("reason").asString()).isEqualTo("schema-invalid");
            assertThat(second.path("address").asString()).isEqualTo("user.1");
            assertThat(second.path("type").asString()).isEqualTo("note");
            JsonNode next = desk.list(queue, Filter.ALL, 2, page.path("next").asString(), false);
            assertThat(next.path("letters").get(0).path("failedAt").asString()).isEqualTo("1970-01-01T00:00:00.002Z");
            JsonNode newest = desk.list(queue, Filter.ALL, 1, null, true);
            assertThat(newest.path("letters").get(0).path("failedAt").asString())
                    .isEqualTo("1970-01-01T00:00:00.299Z");
            assertThat(broker.ready(name)).isZero();
        }
        broker.awaitReady(name, 300);
        assertThat(ids(broker.drain(name))).isEqualTo(range(0, 300));
    }

    @Test
    void keepsTheOrderOverManyWindowsHoweverOftenAndHoweverItEnds() throws Exception {
        fill(0, 4_000);
        for (int round = 0; round < 3; round++) {
            LetterShelves shelves = shelves("the test", smallWindows());
            assertThat(shelves.open(LetterQueue.DEAD).entries().size()).isEqualTo(4_000);
            if (round == 1) {
                shelves.kill();
            }
            shelves.close();
            broker.awaitReady(dead(), 4_000);
        }
        // With one consumer, so that what is seen is what the queue has.
        assertThat(ids(broker.drain(dead()))).isEqualTo(range(0, 4_000));
    }

    @Test
    void whatComesWhileSomebodyLooksIsSeenByTheNextQuestionAndKeepsItsPlace() throws Exception {
        fill(0, 1_500);
        try (LetterDesk desk = desk(smallWindows())) {
            assertThat(messageIds(desk)).hasSize(1_500);
            desk.discard(LetterQueue.DEAD, ids("m3", "m1400"), false, Progress.NONE);
            fill(1_500, 3_000);
            List<String> seen = messageIds(desk);
            List<String> expected = new ArrayList<>(range(0, 3_000));
            expected.removeAll(List.of("m3", "m1400"));
            assertThat(seen).isEqualTo(expected);
            desk.close();
            broker.awaitReady(dead(), 2_998);
            assertThat(ids(broker.drain(dead()))).isEqualTo(expected);
        }
    }

    private static Filter ids(String... messageIds) {
        return new Filter(
                java.util.Arrays.stream(messageIds)
                        .map(id -> LetterCodec.idOfCopy("node-" + id.substring(1)))
                        .toList(),
                List.of(),
                List.of(),
                List.of(),
                null,
                null,
                null);
    }

    @Test
    void theOrderOfFailureIsToldEvenWhenTheQueueHasLostIt() throws Exception {
        fill(50, 100);
        fill(0, 50);
        try (LetterDesk desk = desk()) {
            assertThat(messageIds(desk)).isEqualTo(range(0, 100));
        }
    }

    @Test
    void looksAtNoMoreThanItMayAndSaysSo() throws Exception {
        fill(0, 500);
        try (LetterDesk desk = desk(new LettersConfig(200, 1 << 20, Duration.ofMinutes(10), Duration.ofMinutes(20)))) {
            JsonNode page = desk.list(LetterQueue.DEAD, Filter.ALL, 1, null, false);
            assertThat(page.path("total").asInt()).isEqualTo(200);
            assertThat(page.path("beyond").asInt()).isEqualTo(300);
            desk.discard(LetterQueue.DEAD, Filter.ALL, false, Progress.NONE);
            assertThat(messageIds(desk)).isEqualTo(range(200, 400));
            desk.discard(LetterQueue.DEAD, Filter.ALL, false, Progress.NONE);
        }
        broker.awaitReady(dead(), 100);
        assertThat(ids(broker.drain(dead()))).isEqualTo(range(400, 500));
    }

    @Test
    void oneReadsAtATimeAndTheOtherIsToldWho() throws Exception {
        fill(0, 3);
        LetterShelves first = shelves("pushbridge dead-letters of ann on host-1", Plain.LETTERS);
        first.open(LetterQueue.DEAD);
        LetterShelves second = shelves("another", Plain.LETTERS);
        assertThatThrownBy(() -> second.open(LetterQueue.EXPIRED))
                .isInstanceOfSatisfying(
                        LetterException.class, e -> assertThat(e.kind()).isEqualTo(LetterException.Kind.LOCKED))
                .hasMessageContaining("being read by pushbridge dead-letters of ann on host-1, since 20");
        first.close();
        Broker.await("the lock to be free", () -> {
            try {
                return second.open(LetterQueue.DEAD).entries().size() == 3;
            } catch (LetterException | InterruptedException e) {
                return false;
            }
        });
    }

    @Test
    void whoLosesTheLockLetsGo() throws Exception {
        fill(0, 3);
        LetterShelves shelves = shelves("the test", Plain.LETTERS);
        shelves.open(LetterQueue.DEAD);
        // What RabbitMQ may do to a queue of the same name as one that an ended connection had; nobody else can.
        Broker.rabbitmqctl(
                "eval",
                "rabbit_amqqueue:delete_immediately_by_resource([{resource,<<\"/\">>,queue,<<\"" + broker.prefix()
                        + ".reader\">>}]).");
        broker.awaitReady(dead(), 3);
        assertThat(shelves.open(LetterQueue.DEAD).entries()).hasSize(3);
    }

    @Test
    void givesTheLettersBackWhenNobodyAsksAnyMore() throws Exception {
        fill(0, 3);
        LetterDesk desk = desk(new LettersConfig(100, 1 << 20, Duration.ofMillis(1), Duration.ofMinutes(20)));
        desk.count(LetterQueue.DEAD, Filter.ALL);
        broker.awaitReady(dead(), 3);
    }

    @Test
    void aMissingQueueIsASentence() throws Exception {
        broker.deleteQueue(dead());
        assertThatThrownBy(() -> desk().count(LetterQueue.DEAD, Filter.ALL))
                .hasMessageContaining("no queue '" + dead())
                .hasMessageContaining("start a bridge");
    }

    // ---- what RabbitMQ made -------------------------------------------------------------------------------------

    @Test
    void whatRabbitMqDeadLetteredHasItsReasonFromXDeath() throws Exception {
        broker.publish(
                broker.prefix(),
                "user.ann",
                new BasicProperties.Builder()
                        .deliveryMode(2)
                        .expiration("1")
                        .messageId("late")
                        .build(),
                body(1));
        broker.awaitReady(broker.prefix() + ".expired", 1);
        try (Channel channel = broker.connection().createChannel()) {
            channel.basicPublish(
                    "", topology.instructions(), null, "{\"to\":\"user.bob\"}".getBytes(StandardCharsets.UTF_8));
            Broker.await("an instruction", () -> broker.ready(topology.instructions()) == 1);
            channel.basicQos(1);
            channel.basicConsume(
                    topology.instructions(),
                    false,
                    (tag, delivery) ->
                            channel.basicReject(delivery.getEnvelope().getDeliveryTag(), false),
                    tag -> {});
            broker.awaitReady(dead(), 1);
        }
        try (LetterDesk desk = desk()) {
            JsonNode expired = only(desk, LetterQueue.EXPIRED);
            assertThat(expired.path("reason").asString()).isEqualTo("expired");
            assertThat(expired.path("detail").asString()).contains("its time was over before a bridge took it");
            assertThat(expired.path("address").asString()).isEqualTo("user.ann");
            assertThat(expired.path("routingKey").asString()).isEqualTo("user.ann");
            assertThat(expired.path("exchange").asString()).isEqualTo(broker.prefix());
            assertThat(expired.path("history").get(0).asString()).contains("expired, 1 times");
            JsonNode rejected = only(desk, LetterQueue.DEAD);
            assertThat(rejected.path("reason").asString()).isEqualTo("rejected");
            assertThat(rejected.path("address").asString()).isEqualTo("user.bob");
            assertThat(rejected.path("exchange").asString()).isEmpty();

            ObjectNode result = desk.replay(LetterQueue.EXPIRED, Filter.ALL, Replay.PLAIN, false, Progress.NONE);
            assertThat(result.path("replayed").asInt()).isEqualTo(1);
        }
        Message again = takeInstruction();
        assertThat(again.routingKey()).isEqualTo("user.ann");
        assertThat(again.properties().getMessageId()).isEqualTo("late");
        assertThat(again.headers()).doesNotContainKeys("x-death", "x-first-death-queue");
    }

    private static JsonNode only(LetterDesk desk, LetterQueue queue) throws Exception {
        JsonNode letters = desk.list(queue, Filter.ALL, 10, null, false).path("letters");
        assertThat(letters).hasSize(1);
        return desk.show(queue, letters.get(0).path("id").asString());
    }

    private Message takeInstruction() throws IOException {
        List<Message> taken = takeInstructions(1);
        return taken.get(0);
    }

    /** The queue has a single active consumer, so it cannot be drained by getting. */
    private List<Message> takeInstructions(int count) throws IOException {
        List<Message> taken = java.util.Collections.synchronizedList(new ArrayList<>());
        try (Channel channel = broker.connection().createChannel()) {
            channel.basicConsume(
                    topology.instructions(),
                    true,
                    (tag, delivery) -> taken.add(new Message(
                            delivery.getEnvelope().getExchange(),
                            delivery.getEnvelope().getRoutingKey(),
                            delivery.getProperties(),
                            new String(delivery.getBody(), StandardCharsets.UTF_8))),
                    tag -> {});
            Broker.await(count + " instructions", () -> taken.size() >= count);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new AssertionError(e);
        }
        return List.copyOf(taken);
    }

    // ---- replay -------------------------------------------------------------------------------------------------

    @Test
    void replaysAllInOrderAndLeavesNothingBehind() throws Exception {
        fill(0, 5_000);
        try (LetterDesk desk = desk(smallWindows())) {
            ObjectNode dry = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, true, Progress.NONE);
            assertThat(dry.path("replayed").asInt()).isEqualTo(5_000);
            assertThat(broker.ready(topology.instructions())).isZero();
            ObjectNode result = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, false, Progress.NONE);
            assertThat(result.path("replayed").asInt()).isEqualTo(5_000);
            assertThat(result.path("left").asInt()).isZero();
        }
        List<Message> instructions = takeInstructions(5_000);
        assertThat(ids(instructions)).isEqualTo(range(0, 5_000));
        Message one = instructions.get(12);
        assertThat(one.body()).isEqualTo(body(12));
        assertThat(one.routingKey()).isEqualTo("user.5");
        assertThat(one.exchange()).isEqualTo(broker.prefix());
        assertThat(one.headers()).containsOnlyKeys("mine", "x-push-replay-of");
        assertThat(broker.ready(dead())).isZero();
    }

    @Test
    void whatABridgeWouldRefuseAgainStaysUnlessItIsWantedAnyway() throws Exception {
        broker.publish("", dead(), copy(0), "bad");
        fill(1, 3);
        try (LetterDesk desk = desk()) {
            ObjectNode result = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, false, Progress.NONE);
            assertThat(result.path("replayed").asInt()).isEqualTo(2);
            assertThat(result.path("left").asInt()).isEqualTo(1);
            assertThat(result.path("refusals").get(0).path("reason").asString()).isEqualTo("malformed");
            assertThat(messageIds(desk)).containsExactly("m0");
            desk.replay(LetterQueue.DEAD, Filter.ALL, new Replay(null, null, null, null, true), false, Progress.NONE);
            assertThat(messageIds(desk)).isEmpty();
        }
        assertThat(ids(takeInstructions(3))).containsExactly("m1", "m2", "m0");
    }

    @Test
    void aReplayThatDiesBetweenConfirmAndRemovalLeavesADuplicateAndNoLoss() throws Exception {
        fill(0, 10);
        LetterShelves shelves = shelves("the test", Plain.LETTERS);
        Sender sender = shelves.sender();
        var shelf = shelves.open(LetterQueue.DEAD);
        List<Sender.Fate> fates = new ArrayList<>();
        // Exactly what the desk does, up to the confirm; then the process is gone.
        for (var entry : shelf.entries().subList(0, 4)) {
            Letter letter = shelf.read(entry);
            sender.send(
                    new Outgoing(
                            letter.id(),
                            Outgoing.Target.ADDRESS,
                            letter.routingKey(),
                            letter.properties(),
                            Map.of("x-push-replay-of", letter.id()),
                            letter.body()),
                    fates::add);
        }
        sender.flush();
        assertThat(fates).containsOnly(Sender.Fate.TAKEN).hasSize(4);
        shelves.kill();
        broker.awaitReady(dead(), 10);
        try (LetterDesk desk = desk()) {
            desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, false, Progress.NONE);
        }
        List<String> expected = new ArrayList<>(range(0, 4));
        expected.addAll(range(0, 10));
        assertThat(ids(takeInstructions(14))).isEqualTo(expected); // every one at least once, under the same id
    }

    @Test
    void aReplayIntoAMissingQueueRemovesNothing() throws Exception {
        fill(0, 5);
        broker.deleteQueue(topology.instructions());
        try (LetterDesk desk = desk()) {
            ObjectNode result = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, false, Progress.NONE);
            assertThat(result.path("replayed").asInt()).isZero();
            assertThat(result.path("stopped").asString()).contains("no queue for 5 of them");
        }
        broker.awaitReady(dead(), 5);
    }

    @Test
    void aReplayToAnotherAddressChangesTheAddressInTheBodyToo() throws Exception {
        broker.publish("", dead(), copy(1), "{\"to\":\"user.1\",\"type\":\"note\",\"seq\":1,\"payload\":{}}");
        try (LetterDesk desk = desk()) {
            desk.replay(
                    LetterQueue.DEAD,
                    Filter.ALL,
                    new Replay("user.zoe", null, null, Duration.ofMinutes(1), false),
                    false,
                    Progress.NONE);
        }
        Message again = takeInstruction();
        assertThat(again.routingKey()).isEqualTo("user.zoe");
        assertThat(again.body()).contains("\"to\":\"user.zoe\"");
        assertThat(again.properties().getExpiration()).isEqualTo("60000");
    }

    // ---- discard, export, import --------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 20_000})
    void discardedIsDiscardedAlsoWhenWeLeaveAtOnce(int count) throws Exception {
        fill(0, count);
        try (LetterDesk desk = desk()) {
            desk.discard(LetterQueue.DEAD, Filter.ALL, false, Progress.NONE);
        }
        Broker.await("the end of the connection", () -> {
            try (Channel probe = broker.connection().createChannel()) {
                return probe.consumerCount(dead()) == 0;
            } catch (IOException | java.util.concurrent.TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(broker.ready(dead())).isZero();
    }

    @Test
    void anExportComesBackAsItWas() throws Exception {
        fill(0, 20);
        List<ObjectNode> exported = new ArrayList<>();
        List<ObjectNode> after = new ArrayList<>();
        try (LetterDesk desk = desk()) {
            desk.export(LetterQueue.DEAD, Filter.ALL, exported::add);
            assertThat(desk.put(letters(exported), false).path("thereAlready").asInt())
                    .isEqualTo(20);
            desk.discard(LetterQueue.DEAD, Filter.ALL, false, Progress.NONE);
            ObjectNode result = desk.put(letters(exported), false);
            assertThat(result.path("imported").asInt()).isEqualTo(20);
            desk.export(LetterQueue.DEAD, Filter.ALL, after::add);
        }
        assertThat(read(after)).isEqualTo(read(exported));
    }

    /** As read from a file, where an int is not told from a long. */
    private static List<JsonNode> read(List<ObjectNode> lines) throws LetterException {
        List<JsonNode> read = new ArrayList<>();
        for (ObjectNode line : lines) {
            read.add(LetterJson.parse(LetterJson.line(line), "a line"));
        }
        return read;
    }

    private static List<Letter> letters(List<ObjectNode> exported) throws LetterException {
        List<Letter> letters = new ArrayList<>();
        for (ObjectNode json : exported) {
            letters.add(LetterJson.letter(LetterJson.parse(LetterJson.line(json), "a line")));
        }
        return letters;
    }
}
