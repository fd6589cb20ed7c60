package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.Ports;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command {@code tail} as an operator types it, beside a bridge that runs. */
@ExtendWith(BrokerExtension.class)
final class TailIT {

    private final Broker broker;
    private final TestBridge bridge;
    private final List<Tail> tails = new ArrayList<>();

    TailIT(Broker broker) throws Exception {
        this.broker = broker;
        bridge = TestBridge.start(broker.config());
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws Exception {
        bridge.close(); // which ends what still tails
        for (Tail tail : tails) {
            tail.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** A command that runs until it has seen enough, or the bridge stops. */
    private final class Tail {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final CompletableFuture<Integer> exitCode;

        Tail(int port, String... arguments) {
            List<String> all = new ArrayList<>(List.of("tail", "--set=admin.port=" + port));
            all.addAll(List.of(arguments));
            Cli cli =
                    new Cli(config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open);
            exitCode = CompletableFuture.supplyAsync(
                    () -> cli.run(all.toArray(String[]::new), Map.of(), print(out), print(err)), task -> {
                        Thread thread = new Thread(task, "tail");
                        thread.setDaemon(true);
                        thread.start();
                    });
            tails.add(this);
        }

        /** Tails; from when it returns everything is told. */
        static Tail of(TailIT test, String... addresses) {
            List<String> arguments = new ArrayList<>(List.of("--json"));
            arguments.addAll(List.of(addresses));
            Tail tail = test.new Tail(test.bridge.bridge().adminPort(), arguments.toArray(String[]::new));
            tail.await("now", one -> one.path("event").asString().equals("now"));
            return tail;
        }

        String out() {
            return out.toString(StandardCharsets.UTF_8);
        }

        String err() {
            return err.toString(StandardCharsets.UTF_8);
        }

        List<JsonNode> events() {
            return out().lines().map(JsonMapper.shared()::readTree).toList();
        }

        List<String> kinds() {
            return events().stream()
                    .map(event -> event.path("event").asString())
                    .skip(1)
                    .toList();
        }

        JsonNode await(String kind, Predicate<JsonNode> condition) {
            Broker.await(kind + " in " + out(), () -> {
                String text = out();
                return text.substring(0, text.lastIndexOf('\n') + 1)
                        .lines()
                        .map(JsonMapper.shared()::readTree)
                        .anyMatch(condition);
            });
            return events().stream().filter(condition).findFirst().orElseThrow();
        }

        JsonNode await(String kind) {
            return await(kind, event -> event.path("event").asString().equals(kind));
        }
    }

    private Tail tail(String... addresses) {
        return Tail.of(this, addresses);
    }

    private static String envelope(int seq) {
        return "{\"type\":\"note\",\"payload\":{},\"seq\":" + seq + "}";
    }

    @Test
    void aMessageThatArrivesIsReceivedOfferedAndDelivered() throws IOException {
        bridge.connect("user=ann");
        bridge.awaitSessions(1);
        Tail tail = tail("user.ann");
        JsonNode standing = tail.events().get(0).path("addresses").get(0);
        assertThat(standing.path("connections").asInt()).isEqualTo(1);
        assertThat(standing.path("lane").asString()).isEqualTo("idle");
        assertThat(standing.path("first").get(0).path("confirms").asString()).isEqualTo("pong");

        BasicProperties properties =
                new BasicProperties.Builder().messageId("m-7").deliveryMode(2).build();
        broker.publish(broker.prefix(), "user.bob", properties, envelope(6));
        broker.publish(broker.prefix(), "user.ann", properties, envelope(7));
        JsonNode delivered = tail.await("delivered");
        assertThat(tail.kinds()).containsExactly("received", "offered", "delivered");
        assertThat(delivered.path("detail").asString()).isEqualTo("pong");
        assertThat(delivered.path("seq").asLong()).isEqualTo(7);
        assertThat(delivered.path("messageId").asString()).isEqualTo("m-7");
        assertThat(delivered.path("session"))
                .isEqualTo(standing.path("first").get(0).path("session"));
    }

    @Test
    void whoIsAwayIsHeldAndGetsItLaterAndTypeAndSeqAreStillKnown() throws IOException {
        broker.publish("user.ann", envelope(1));
        Broker.await("one held", () -> bridge.bridge().stats().heldMessages() == 1);
        Tail tail = tail("user.ann");
        JsonNode standing = tail.events().get(0).path("addresses").get(0);
        assertThat(standing.path("held").asInt()).isEqualTo(1);
        assertThat(standing.path("lane").asString()).isEqualTo("held");
        assertThat(standing.path("nextExpiry").asString()).isNotEmpty();

        broker.publish("user.ann", envelope(2));
        assertThat(tail.await("holding").path("detail").asString()).isEqualTo("nobody is connected as user.ann");
        tail.await("held");
        bridge.connect("user=ann");
        assertThat(tail.await("released").path("count").asInt()).isEqualTo(2);
        for (int seq = 1; seq <= 2; seq++) {
            int wanted = seq;
            tail.await(
                    "delivered " + seq,
                    event -> event.path("event").asString().equals("delivered")
                            && event.path("seq").asInt() == wanted
                            && event.path("type").asString().equals("note"));
        }
    }

    @Test
    void whatIsWrongSaysWhyToWhoWatchesEverything() throws IOException {
        Tail tail = tail("*");
        broker.publish("user.ann", "{\"type\":\"note\",\"payload\":[],\"seq\":1}");
        broker.publish("nonsense", envelope(1));
        tail.await(
                "dead-lettered",
                event -> event.path("event").asString().equals("dead-lettered")
                        && event.path("detail").asString().equals("unaddressable"));
        JsonNode refused = tail.await("refused");
        assertThat(refused.path("address").asString()).isEqualTo("user.ann");
        assertThat(refused.path("detail").asString()).startsWith("schema-invalid: /payload: ");
        assertThat(tail.kinds()).filteredOn("refused"::equals).hasSize(2);
    }

    @Test
    void forPeopleItIsTextThatATerminalObeysNothingOf() throws Exception {
        Tail tail = new Tail(bridge.bridge().adminPort(), "--limit", "2", "channel.*", "channel.news");
        Broker.await("how it stands", () -> tail.out().contains("channel.news"));
        BasicProperties evil = new BasicProperties.Builder()
                .messageId("\u001b[2Jgone")
                .deliveryMode(2)
                .build();
        broker.publish(broker.prefix(), "channel.news", evil, envelope(3));
        assertThat(tail.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isZero();
        assertThat(tail.out())
                .contains("now  the bridge is ready: 0 connections of 0 users, ")
                .contains("channel.news: 0 connections, lane idle, 0 unsettled, 0 held")
                .contains("received       channel.news  seq 3 note, id \\u001b[2Jgone\n")
                .contains("dropped        channel.news  seq 3 note: nobody is subscribed to channel.news\n")
                .doesNotContain("\u001b");
    }

    @Test
    void onlyHowItStandsNow() throws Exception {
        Tail tail = new Tail(bridge.bridge().adminPort(), "--limit=0", "user.ann");
        assertThat(tail.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isZero();
        assertThat(tail.out().lines()).hasSize(2);
    }

    @Test
    void whatIsNoAddressAndNoBridgeAndTooManyAreSaid() throws Exception {
        Tail wrong = new Tail(bridge.bridge().adminPort(), "users.42");
        assertThat(wrong.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isEqualTo(65);
        assertThat(wrong.err()).contains("users.42").contains("is no address");

        Tail nobody = new Tail(Ports.free(), "user.ann");
        assertThat(nobody.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isEqualTo(69);
        assertThat(nobody.err()).startsWith("pushbridge: no bridge answers at ");

        for (int i = 0; i < 4; i++) {
            tail("user.ann");
        }
        Tail fifth = new Tail(bridge.bridge().adminPort(), "user.ann");
        assertThat(fifth.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isEqualTo(75);
        assertThat(fifth.err()).contains("4 streams already");
    }

    @Test
    void whenTheBridgeStopsItIsSaid() throws Exception {
        Tail tail = tail("user.ann");
        bridge.close();
        assertThat(tail.exitCode.get(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isEqualTo(69);
        assertThat(tail.err()).startsWith("pushbridge: ").doesNotContain("Exception");
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
