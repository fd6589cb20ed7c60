package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import pushbridge.faults.RecordingClient.Kind;

/**
 * One fault and everything around it: bridges, a publisher, pages that are there, pages that come and go, pages that are
 * away until the end, and in the end the verdict. For the test's thread.
 */
final class Scenario implements AutoCloseable {

    /** Every run is the same as far as the processes let it be. */
    private static final long SEED = 20_240_229;

    private static final int USERS = 60;

    /** One in so many leaves every now and then, and one is away until the end. */
    private static final int SOME = 10;

    /** Short patience everywhere: a fault should have its effects within seconds. */
    private static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("amqp.prefetch", "1024"),
            Map.entry("amqp.heartbeat", "2s"),
            Map.entry("amqp.connect-timeout", "5s"),
            Map.entry("amqp.confirm-timeout", "10s"),
            Map.entry("amqp.backoff-initial", "50ms"),
            Map.entry("amqp.backoff-max", "1s"),
            Map.entry("intake.start-delay", "500ms"),
            Map.entry("standby.patience", "2s"),
            Map.entry("hold.max-per-address", "100000"),
            Map.entry("ack.timeout", "5s"),
            Map.entry("socket.ping-interval", "2s"),
            Map.entry("socket.pong-timeout", "4s"),
            Map.entry("socket.stall-after", "5s"),
            Map.entry("shutdown.grace", "2s"));

    private final String fault;
    private final String prefix = "f-" + UUID.randomUUID();
    private final List<URI> brokers;
    private final Path folder;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "scenario-timer");
        thread.setDaemon(true);
        return thread;
    });
    private final List<BridgeProcess> bridges = new ArrayList<>();
    private final List<URI> servers = new ArrayList<>();
    private final Map<String, String> settings = new HashMap<>(SETTINGS);
    private final List<RecordingClient> clients = new ArrayList<>();
    private final Set<String> delivered = ConcurrentHashMap.newKeySet();
    private final Publisher publisher;
    private boolean restless = true;
    private boolean duplicatesAllowed = true;
    private long expectedCopies;

    /**
     * @param fault what the table calls it
     * @param brokers where the publisher and the test itself find RabbitMQ
     */
    Scenario(String fault, List<URI> brokers) throws IOException {
        this.fault = fault;
        this.brokers = brokers;
        this.folder = Files.createDirectories(
                Results.FOLDER.resolve(fault.replaceAll("[^a-zA-Z0-9]+", "-") + "-" + prefix.substring(2, 6)));
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < USERS; i++) {
            addresses.add("user.u" + i);
        }
        addresses.add("channel.news");
        this.publisher = new Publisher(brokers, prefix, addresses, SEED);
    }

    /** No page leaves by itself, and then nothing may come twice. */
    Scenario withoutDuplicates() {
        restless = false;
        duplicatesAllowed = false;
        return this;
    }

    /** So many messages end as dead letters or expire. */
    void expectCopies(long copies) {
        expectedCopies = copies;
    }

    /** Another value of a key, for bridges that are made afterwards. */
    Scenario with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** A bridge that pages connect to directly. */
    BridgeProcess bridge() throws IOException {
        BridgeProcess bridge = bridge(brokers);
        servers.add(bridge.webSocket());
        return bridge;
    }

    /** A bridge that reaches RabbitMQ another way, and which no page knows yet. */
    BridgeProcess bridge(List<URI> via) throws IOException {
        BridgeProcess bridge = new BridgeProcess("bridge" + (bridges.size() + 1), folder, via, prefix, settings);
        bridges.add(bridge);
        bridge.start();
        return bridge;
    }

    /** Tells the pages of a server. */
    void serve(URI server) {
        servers.add(server);
    }

    /** Waits for the first bridge and starts pages and publisher. */
    void begin() {
        bridges.get(0).awaitReady();
        for (int i = 0; i < USERS; i++) {
            Kind kind = i % 2 == 0 ? Kind.V1 : Kind.PLAIN;
            RecordingClient client = new RecordingClient(
                    "u" + i,
                    kind,
                    servers,
                    timer,
                    text -> delivered.add(Frame.of(text).key()),
                    SEED + i);
            clients.add(client);
            if (i % SOME != SOME - 1) {
                client.come();
            }
            if (restless && i % SOME >= SOME - 3 && i % SOME != SOME - 1) {
                var unused = timer.scheduleWithFixedDelay(client::reconnect, 500 + 10L * i, 700, TimeUnit.MILLISECONDS);
            }
        }
        Waiting.until(
                "the pages to be connected",
                () -> clients.stream().filter(RecordingClient::connected).count() >= USERS * 2 / 3);
        publisher.start();
        flow(600);
    }

    /** Waits until RabbitMQ has accepted so many more messages. */
    void flow(int messages) {
        long goal = publisher.confirmed() + messages;
        Waiting.until(messages + " more messages accepted", () -> publisher.confirmed() >= goal);
    }

    /** Waits until pages have got so many more messages. */
    void delivery(int messages) {
        int goal = delivered.size() + messages;
        Waiting.until(messages + " more messages delivered", () -> delivered.size() >= goal);
    }

    List<RecordingClient> clients() {
        return clients;
    }

    Publisher publisher() {
        return publisher;
    }

    String queue(String name) {
        return prefix + "." + name;
    }

    String exchange() {
        return prefix;
    }

    /** Messages ready in a queue. */
    long ready(String queue) throws IOException, TimeoutException {
        Connection connection = Publisher.connect(brokers, "count");
        try {
            return connection.createChannel().messageCount(queue(queue));
        } finally {
            connection.abort(1_000);
        }
    }

    /** The bridge that takes the instructions at present; fails when none does. */
    BridgeProcess owner() {
        return bridges.stream()
                .filter(BridgeProcess::alive)
                .filter(BridgeProcess::ready)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no bridge is ready"));
    }

    /** Brings everything home, judges it and asserts what was promised. */
    Verdict finish() throws Exception {
        Waiting.until(
                "a bridge to be ready by itself",
                () -> bridges.stream().anyMatch(bridge -> bridge.alive() && bridge.ready()));
        publisher.finish();
        Waiting.until("every message to be accepted", publisher::finished);
        for (RecordingClient client : clients) {
            client.resume();
            client.come();
        }
        Set<String> wanted = ConcurrentHashMap.newKeySet();
        for (Published message : publisher.published()) {
            if (message.address().startsWith("user.")) {
                wanted.add(message.key());
            }
        }
        // What is missing after that the checker names.
        boolean complete = Waiting.wasSo("everything to be delivered", () -> {
            wanted.removeAll(delivered);
            return wanted.size() <= expectedCopies;
        });
        BridgeProcess owner = owner();
        boolean settled = complete
                && Waiting.wasSo(
                        "everything settled",
                        () -> owner.metric("pushbridge_instructions_unsettled") == 0
                                && owner.metric("pushbridge_held_messages") == 0);
        String left = "unsettled %s, held %s"
                .formatted(owner.metric("pushbridge_instructions_unsettled"), owner.metric("pushbridge_held_messages"));
        double known = owner.metric("pushbridge_held_lost_total");
        timer.shutdownNow();
        clients.forEach(RecordingClient::leave);
        List<Integer> ends = new ArrayList<>();
        for (BridgeProcess bridge : bridges) {
            if (bridge.alive()) {
                ends.add(bridge.stop());
            }
        }
        Map<String, List<String>> seen = new LinkedHashMap<>();
        clients.forEach(client -> seen.put(client.user(), client.texts()));
        List<Copy> copies = new ArrayList<>(copies("dead"));
        copies.addAll(copies("expired"));
        Verdict verdict = Checker.judge(publisher.published(), seen, copies);
        Results.add(fault, verdict);

        assertThat(verdict.lost()).as("lost (I1)").isEmpty();
        assertThat(verdict.reordered()).as("reordered (I2, I3)").isEmpty();
        assertThat(verdict.altered()).as("altered").isEmpty();
        assertThat(verdict.unreasoned()).as("copies without a reason").isEmpty();
        assertThat((long) verdict.copied()).as("dead or expired").isEqualTo(expectedCopies);
        assertThat(settled).as("settled in the end: " + left).isTrue();
        assertThat(known).as("messages that the bridge says it lost").isZero();
        assertThat(ends).as("exit codes").containsOnly(0);
        assertThat(ready("instructions")).as("instructions left").isZero();
        if (!duplicatesAllowed) {
            assertThat(verdict.duplicated()).as("duplicates without a fault").isZero();
        }
        return verdict;
    }

    private List<Copy> copies(String queue) throws IOException, TimeoutException {
        List<Copy> copies = new ArrayList<>();
        Connection connection = Publisher.connect(brokers, "copies");
        try {
            Channel channel = connection.createChannel();
            for (GetResponse got = channel.basicGet(queue(queue), true);
                    got != null;
                    got = channel.basicGet(queue(queue), true)) {
                Map<String, Object> headers = got.getProps().getHeaders();
                Object reason = headers == null ? null : headers.get("x-push-reason");
                copies.add(new Copy(
                        Frame.of(new String(got.getBody(), StandardCharsets.UTF_8)),
                        queue.equals("expired") ? "expired" : reason == null ? "" : reason.toString()));
            }
        } finally {
            connection.abort(1_000);
        }
        return copies;
    }

    @Override
    public void close() throws InterruptedException {
        timer.shutdownNow();
        clients.forEach(RecordingClient::close);
        publisher.close();
        for (BridgeProcess bridge : bridges) {
            bridge.close();
        }
    }
}
