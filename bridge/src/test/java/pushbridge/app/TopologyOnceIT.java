package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

/** The command {@code topology} as it is typed, on a real broker. */
@ExtendWith(BrokerExtension.class)
final class TopologyOnceIT {

    private static final List<String> QUEUES = List.of(".dead", ".expired", ".instructions", ".owner", ".held");
    private static final List<String> EXCHANGES = List.of("", ".deaths", ".deaths.other", ".receipts");

    private final Broker broker;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    TopologyOnceIT(Broker broker) {
        this.broker = broker;
    }

    @Test
    void dryRunOnAnEmptyBrokerFindsAllMissingAndCreatesNothing() {
        assertThat(topology("--dry-run")).isEqualTo(1);

        assertThat(states()).containsExactlyElementsOf(Collections.nCopies(12, "missing"));
        assertThat(out()).contains("Not everything is as wanted: 12 missing");
        assertThat(existing()).isEmpty();
    }

    @Test
    void whatIsMissingIsDeclaredAndThenThere() throws IOException {
        assertThat(topology()).isZero();
        assertThat(states()).containsExactlyElementsOf(Collections.nCopies(12, "declared"));
        assertThat(out()).endsWith("Everything is as wanted now, 12 declared.\n");
        assertThat(existing()).hasSize(9);

        broker.publish("user.42", "counted"); // only arrives if it is bound
        broker.awaitReady(broker.prefix() + ".instructions", 1);
        assertThat(topology()).isZero();
        assertThat(states("queue")).containsOnly("exists");
        assertThat(states("exchange")).containsOnly("exists");
        assertThat(line("stream", ".held")).endsWith(" exists       0 consumers");
        assertThat(states("binding")).containsOnly("bound");
        assertThat(line("queue", ".instructions")).endsWith(" exists       1 message ready, 0 consumers");
        assertThat(out()).endsWith("Everything is as wanted.\n");

        assertThat(topology("--dry-run")).isZero();
        assertThat(states("queue")).containsOnly("exists");
        assertThat(states("exchange")).containsOnly("exists");
        assertThat(states("binding")).containsOnly("not checked");
        assertThat(out()).endsWith("Every exchange, queue and stream is as wanted; bindings were not checked.\n");
    }

    @Test
    void whatBridgesDeclareIsWhatIsWanted() throws Exception {
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            assertThat(topology("--dry-run", "--set=hold.max-bytes=1GiB", "--set=hold.segment-bytes=1MiB"))
                    .isZero();
            assertThat(line("queue", ".instructions")).endsWith("0 messages ready, 1 consumer");
            assertThat(line("stream", ".held")).contains(" exists ");
        }
    }

    @Test
    void anotherArgumentIsNamedWithBothValuesAndTheRestIsReportedAndDeclared() throws IOException {
        Map<String, Object> other = Map.of(
                "x-queue-type",
                "quorum",
                "x-max-length",
                5,
                "x-overflow",
                "reject-publish",
                "x-delivery-limit",
                1_000_000);
        Channel channel = broker.connection().createChannel();
        channel.queueDeclare(broker.prefix() + ".dead", true, false, false, other);
        String differs = "differs      x-max-length is 5, wanted is 1000; 0 messages ready, 0 consumers";

        assertThat(topology("--dry-run")).isEqualTo(1);
        assertThat(line("queue", ".dead")).endsWith(differs);
        assertThat(states()).hasSize(12).filteredOn("missing"::equals).hasSize(11);
        assertThat(existing()).containsExactly(".dead");

        assertThat(topology()).isEqualTo(1);
        assertThat(line("queue", ".dead")).endsWith(differs);
        assertThat(states()).hasSize(12).filteredOn("declared"::equals).hasSize(11);
        assertThat(out()).contains("Not everything is as wanted, 11 declared: 1 not the same and left so");

        assertThat(topology("--set", "amqp.dead-max-messages=5")).isZero(); // it was left as it is
    }

    @Test
    void aStreamThatIsKeptOtherwiseIsNamedWithBothValues() {
        assertThat(topology()).isZero();
        assertThat(topology("--dry-run", "--set", "hold.max-bytes=1MiB")).isEqualTo(1);
        assertThat(line("stream", ".held")).contains("differs      x-max-length-bytes is ");
        assertThat(states()).hasSize(12).filteredOn("differs"::equals).hasSize(1);
    }

    @Test
    void anExchangeOfAnotherTypeIsNamedAndNothingIsBoundToIt() throws IOException {
        Channel channel = broker.connection().createChannel();
        channel.exchangeDeclare(broker.prefix(), BuiltinExchangeType.FANOUT, true);

        assertThat(topology()).isEqualTo(1);
        assertThat(line("exchange", "")).endsWith("differs      type is fanout, wanted is topic");
        assertThat(line("binding", " -> " + broker.prefix() + ".instructions"))
                .contains("not checked  the exchange has to be put right first");
        broker.publish("user.42", "goes nowhere");
        assertThat(broker.ready(broker.prefix() + ".instructions")).isZero();
    }

    @Test
    void aUserWithoutRightsIsToldWhichAndWhatIsThereStays() {
        String user = broker.prefix();
        Broker.rabbitmqctl("add_user", user, "secret");
        try {
            Broker.rabbitmqctl("set_permissions", "-p", "/", user, "^$", ".*", ".*");
            URI uri = broker.uri();
            URI via = URI.create("amqp://" + user + ":secret@" + uri.getHost() + ":" + uri.getPort() + "/%2F");

            assertThat(topology("--set", "amqp.uri=" + via)).isEqualTo(1);
            assertThat(states("queue")).containsOnly("refused");
            assertThat(line("queue", ".dead")).contains("ACCESS_REFUSED");
            assertThat(out())
                    .contains("give the user of amqp.uri the right to configure")
                    .doesNotContain("secret");
            assertThat(existing()).isEmpty();
        } finally {
            Broker.rabbitmqctl("delete_user", user);
        }
    }

    @Test
    void anUnreachableBrokerIsOneSentenceWithoutThePassword() throws IOException {
        try (FaultProxy proxy = new FaultProxy(broker.uri())) {
            proxy.refuse();
            URI via = URI.create(proxy.uri(broker.uri()).toString().replaceFirst("//[^@]*@", "//u:secret@"));
            assertThat(topology("--set", "amqp.uri=" + via)).isEqualTo(69);
            assertThat(err().lines())
                    .singleElement()
                    .asString()
                    .startsWith("pushbridge: RabbitMQ cannot be reached at 127.0.0.1:" + via.getPort() + " (")
                    .doesNotContain("secret");
            assertThat(out()).isEmpty();
        }
    }

    private int topology(String... options) {
        out.reset();
        err.reset();
        Cli cli = new Cli(config -> ExitCode.INTERNAL, PublishOnce::publish, TopologyOnce::check, LettersOnce::open);
        // The limits as in the test's own configuration; a later --set overrides an earlier one.
        List<String> args = new ArrayList<>(List.of("topology", "--set=amqp.uri=" + broker.uri()));
        args.add("--set=amqp.prefix=" + broker.prefix());
        args.add("--set=amqp.dead-max-messages=" + broker.config().deadMaxMessages());
        args.add("--set=amqp.expired-max-messages=" + broker.config().expiredMaxMessages());
        args.addAll(List.of(options));
        return cli.run(args.toArray(String[]::new), Map.of(), print(out), print(err));
    }

    /** What of this test's is there, asked another way than the command asks; without the prefix. */
    private List<String> existing() {
        List<String> existing = new ArrayList<>();
        QUEUES.stream()
                .filter(name -> there(channel -> channel.messageCount(broker.prefix() + name)))
                .forEach(existing::add);
        EXCHANGES.stream()
                .filter(name -> there(channel -> channel.exchangeDeclarePassive(broker.prefix() + name)))
                .forEach(existing::add);
        return existing;
    }

    private interface Question {
        Object ask(Channel channel) throws IOException;
    }

    private boolean there(Question question) {
        try {
            Channel channel = broker.connection().createChannel();
            question.ask(channel);
            channel.abort();
            return true;
        } catch (IOException e) {
            assertThat(e.getCause()).hasMessageContaining("NOT_FOUND");
            return false;
        }
    }

    private List<String> lines() {
        return out().lines().takeWhile(line -> !line.isEmpty()).toList();
    }

    private String line(String kind, String name) {
        return lines().stream()
                .filter(line -> line.startsWith(kind) && line.contains(" " + broker.prefix() + name + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no line for " + kind + " " + name + " in " + out()));
    }

    private List<String> states() {
        return states("");
    }

    /** The third column; columns are two blanks apart. */
    private List<String> states(String kind) {
        return lines().stream()
                .filter(line -> line.startsWith(kind))
                .map(line -> line.split(" {2,}", -1)[2])
                .toList();
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
