package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.testing.Broker;
import pushbridge.testing.Broker.Message;
import pushbridge.testing.BrokerExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What operators do with held messages, as they type it, against a bridge that runs. */
@ExtendWith(BrokerExtension.class)
final class HeldActionsIT {

    private final Broker broker;
    private final TestBridge bridge;

    HeldActionsIT(Broker broker) throws Exception {
        this.broker = broker;
        bridge = TestBridge.start(broker.config());
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    /** What a command answered. */
    private record Answer(int exitCode, String out, String err) {}

    private Answer run(String... arguments) {
        return run(bridge, arguments);
    }

    private Answer run(TestBridge bridge, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] all = Stream.of(
                        Stream.of("held"),
                        Stream.of(arguments),
                        Stream.of("--set", "admin.port=" + bridge.bridge().adminPort()))
                .flatMap(part -> part)
                .toArray(String[]::new);
        int exitCode = new Cli(
                        config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open)
                .run(
                        all,
                        Map.of("PUSHBRIDGE_AMQP_URI", broker.uri().toString()),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private void hold(String address, int from, int to) throws Exception {
        for (int seq = from; seq <= to; seq++) {
            broker.publish(address, envelope(seq));
        }
    }

    private static String envelope(int seq) {
        return "{\"type\":\"n\",\"payload\":{},\"seq\":" + seq + "}";
    }

    private void awaitHeld(int messages) {
        Broker.await(messages + " held", () -> bridge.bridge().stats().heldMessages() == messages);
    }

    private static int seq(String text) {
        return Integer.parseInt(text.replaceAll(".*\"seq\":(\\d+).*", "$1"));
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void whatWaitsIsSeenInAllByAddressAndOneByOne() throws Exception {
        assertThat(run().out()).isEqualTo("Nothing is held.\n");
        hold("user.ann", 1, 3);
        hold("user.bob", 1, 1);
        BasicProperties properties = new BasicProperties.Builder()
                .messageId("m-7")
                .timestamp(Date.from(Instant.ofEpochSecond(1_700_000_000)))
                .build();
        broker.publish(broker.config().prefix(), "user.bob", properties, envelope(7));
        awaitHeld(5);

        assertThat(run().out())
                .contains("5 messages are held for 2 addresses")
                .contains("for 2 of them nobody is connected")
                .containsSubsequence("user.ann", "user.bob");
        Answer show = run("show", "user.bob");
        assertThat(show.exitCode()).isZero();
        assertThat(show.out()).contains("nobody is connected as user.bob").contains("2023-11-14T22:13:20Z");
        JsonNode json =
                JsonMapper.shared().readTree(run("show", "user.bob", "--json").out());
        assertThat(json.path("page").findValuesAsString("seq")).containsExactly("1", "7");
        assertThat(json.path("page").get(1).path("messageId").asString()).isEqualTo("m-7");
        JsonNode first = JsonMapper.shared()
                .readTree(run("show", "user.ann", "--limit", "2", "--json").out());
        assertThat(first.path("page").findValuesAsString("seq")).containsExactly("1", "2");
        assertThat(JsonMapper.shared()
                        .readTree(run(
                                        "show",
                                        "user.ann",
                                        "--after",
                                        first.path("next").asString(),
                                        "--json")
                                .out())
                        .path("page")
                        .findValuesAsString("seq"))
                .containsExactly("3");
        assertThat(run("show", "user.nobody").exitCode()).isEqualTo(65);

        silentPage("bob");
        Broker.await("offered", () -> run("show", "user.bob").out().contains("offered"));
        assertThat(run("show", "user.bob").out()).contains("1 connection is there, and what it was offered is not");
    }

    @Test
    void addressesAreListedPageByPageAndChosen() throws Exception {
        for (int user = 0; user < 120; user++) {
            hold("user.u" + user, 1, 1 + user % 3);
        }
        awaitHeld(240);
        Set<String> seen = new HashSet<>();
        List<Integer> counts = new ArrayList<>();
        String after = null;
        do {
            String query = "/api/held/addresses?limit=50" + (after == null ? "" : "&after=" + after);
            JsonNode page = JsonMapper.shared().readTree(bridge.admin(query).body());
            assertThat(page.path("matching").path("messages").asInt()).isEqualTo(240);
            page.path("page").forEach(held -> {
                assertThat(seen.add(held.path("address").asString())).isTrue();
                counts.add(held.path("messages").asInt());
            });
            after = page.has("next") ? page.path("next").asString() : null;
        } while (after != null);
        assertThat(seen).hasSize(120);
        assertThat(counts).isSortedAccordingTo((a, b) -> b - a);

        assertThat(run("list", "user.u1*", "--at-least", "3").out()).contains("30 messages for 10 addresses.");
        assertThat(run("list", "--older-than", "1h").out()).isEqualTo("0 messages for 0 addresses.\n");
        assertThat(run("list", "--by", "age", "--limit", "1").out()).contains("user.u0\n");
        assertThat(run("list", "--by", "size").exitCode()).isEqualTo(65);
        assertThat(run("list", "--older-than", "long").exitCode()).isEqualTo(65);
    }

    @Test
    void whatIsDeadLetteredStandsThereInOrderAndIsDeliveredNoMore() throws Exception { // I1, I2
        hold("user.ann", 1, 150);
        hold("user.bob", 1, 2);
        awaitHeld(152);

        Answer dry = run("dead-letter", "user.ann");
        assertThat(dry.exitCode()).isZero();
        assertThat(dry.out())
                .contains("150 messages for 1 address would be moved to the dead letters.")
                .contains("Nothing was done.");
        String upTo = dry.out().replaceAll("(?s).*--up-to (\\d+) .*", "$1");
        hold("user.ann", 151, 155);
        awaitHeld(157);

        Answer done = run("dead-letter", "user.ann", "--up-to", upTo, "--yes");
        assertThat(done.out()).isEqualTo("150 of 150 messages for 1 address were moved to the dead letters.\n");
        assertThat(done.exitCode()).isZero();
        broker.awaitReady(broker.prefix() + ".dead", 150);
        List<Message> dead = broker.drain(broker.prefix() + ".dead");
        assertThat(dead).extracting(letter -> seq(letter.body())).isEqualTo(range(1, 150));
        assertThat(dead).allSatisfy(letter -> {
            assertThat(letter.header("x-push-reason")).isEqualTo("offline");
            assertThat(letter.header("x-push-detail")).startsWith("an operator (");
            assertThat(letter.header("x-push-address")).isEqualTo("user.ann");
        });

        WebClient ann = bridge.connect("user=ann");
        ann.await(5);
        awaitHeld(2);
        assertThat(ann.texts()).extracting(HeldActionsIT::seq).isEqualTo(range(151, 155));
        assertThat(bridge.bridge().stats().heldDead()).isEqualTo(150);
        assertThat(bridge.admin("/metrics").body())
                .contains("pushbridge_held_operated_total{action=\"dead-letter\"} 150.0");
    }

    @Test
    void whatIsDroppedIsGoneAndStaysGone() throws Exception {
        for (int user = 0; user < 40; user++) {
            hold("user.u" + user, 1, 3);
        }
        hold("user.kept", 1, 1);
        awaitHeld(121);
        assertThat(run("drop").exitCode())
                .as("nothing is meant unless something is said")
                .isEqualTo(65);
        assertThat(run("drop", "--all", "user.u1").exitCode()).isEqualTo(65);
        Answer done = run("drop", "user.u*", "--yes");
        assertThat(done.out()).isEqualTo("120 of 120 messages for 40 addresses were dropped for good.\n");
        awaitHeld(1);
        bridge.close();

        try (TestBridge next = TestBridge.start(broker.config())) {
            next.awaitReady();
            Broker.await("one held", () -> next.bridge().stats().heldMessages() == 1);
            WebClient u1 = next.connect("user=u1");
            next.awaitSessions(1);
            broker.publish("user.u1", envelope(9));
            u1.await(1);
            assertThat(u1.texts()).extracting(HeldActionsIT::seq).containsExactly(9);
        }
    }

    @Test
    void whatAPageLostIsOfferedToItOnceMore() throws Exception { // I3
        hold("user.ann", 1, 10);
        hold("user.bob", 1, 1);
        awaitHeld(11);
        WebClient page = silentPage("ann");
        Broker.await("ten", () -> seqsOf(page).size() == 10);

        Answer released = run("release", "user.*", "--yes");
        assertThat(released.exitCode()).as("somebody is away").isEqualTo(1);
        assertThat(released.out())
                .contains("10 of 11 messages for 1 address were offered once more.")
                .contains("For 1 of the addresses nobody is connected");
        Broker.await("ten more", () -> seqsOf(page).size() == 20);
        assertThat(seqsOf(page))
                .isEqualTo(Stream.concat(range(1, 10).stream(), range(1, 10).stream())
                        .toList());
        page.send("{\"type\":\"ack\",\"count\":20}");
        awaitHeld(1);
    }

    @Test
    void aStandbyLooksAndLeavesActingToTheOwner() throws Exception { // I6
        hold("user.ann", 1, 3);
        awaitHeld(3);
        try (TestBridge standby = TestBridge.start(broker.config())) {
            Broker.await("read", () -> standby.bridge().stats().heldMessages() == 3);
            assertThat(run(standby, "list").out()).contains("3 messages for 1 address.");
            Answer refused = run(standby, "drop", "--all", "--yes");
            assertThat(refused.exitCode()).isEqualTo(75);
            assertThat(refused.err()).contains("ask the owner");
        }
        assertThat(bridge.bridge().stats().heldMessages()).isEqualTo(3);
    }

    /** A page that acknowledges only when it is told to; what it got, the bridge's own frames aside. */
    private WebClient silentPage(String user) {
        return bridge.connect("user=" + user, "pushbridge.v1");
    }

    private static List<Integer> seqsOf(WebClient page) {
        return page.texts().stream()
                .filter(text -> !text.contains("\"bridge."))
                .map(HeldActionsIT::seq)
                .toList();
    }
}
