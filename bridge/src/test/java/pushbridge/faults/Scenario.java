package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import pushbridge.faults.RecordingClient.Kind;

/**
 * One fault and everything around it: bridges, a publisher, pages that are there, pages that come and go, pages that are
 * away until the end, and in the end the verdict. For the test's thread.
 */
final class Scenario implements AutoCloseable {

    /** Every run is the same as far as the processes let it be. */
    private static final long SEED = 20_240_229;

    /** Pages, one a user. */
    static final int USERS = 60;

    /** One in so many leaves every now and then, and one is away until the end. */
    private static final int SOME = 10;

    /** Short patience everywhere: a fault should have its effects within seconds. */
    static final Map<String, String> SETTINGS = Map.ofEntries(
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

    static final List<Kind> KINDS = List.of(Kind.V1, Kind.PLAIN, Kind.LAZY_V1);

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
    private final AtomicLong lastNews = new AtomicLong(System.nanoTime());
    private final AtomicLong longestSilence = new AtomicLong();
    private final Queues queues;
    private final Publisher publisher;
    private final int users;
    private final LightCrowd crowd;
    private final List<Published> extra = new ArrayList<>();
    private final List<Copy> copies = new ArrayList<>();
    private int heapMegabytes = 256;
    private Map<String, String> environment = Map.of();
    private boolean restless = true;
    private boolean duplicatesAllowed = true;
    private long expectedCopies;

    /**
     * @param fault what the table calls it
     * @param brokers where the publisher and the test itself find RabbitMQ
     */
    Scenario(String fault, List<URI> brokers) throws IOException {
        this(fault, brokers, USERS);
    }

    /** The same with more or fewer pages. */
    Scenario(String fault, List<URI> brokers, int users) throws IOException {
        this(fault, brokers, users, 0);
    }

    /** The same with a crowd of others, of which only order and completeness are looked at. */
    Scenario(String fault, List<URI> brokers, int users, int others) throws IOException {
        this.users = users;
        this.fault = fault;
        this.brokers = brokers;
        this.folder = Files.createDirectories(
                Results.FOLDER.resolve(fault.replaceAll("[^a-zA-Z0-9]+", "-") + "-" + prefix.substring(2, 6)));
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < users; i++) {
            addresses.add("user.u" + i);
        }
        addresses.add("channel.news");
        List<String> light = new ArrayList<>();
        for (int i = 0; i < others; i++) {
            light.add("l" + i);
            addresses.add("user.l" + i);
        }
        this.crowd = new LightCrowd(light, servers, this::news, SEED);
        this.queues = new Queues(brokers, prefix);
        this.publisher = new Publisher(brokers, prefix, addresses, Publisher.RATE, SEED);
    }

    /** No page leaves by itself, and then nothing may come twice. */
    Scenario withoutDuplicates() {
        restless = false;
        duplicatesAllowed = false;
        return this;
    }

    /** More or less memory for bridges that are made afterwards; 256 MB without. */
    Scenario withHeap(int megabytes) {
        heapMegabytes = megabytes;
        return this;
    }

    /** Another value of a key, for bridges that are made afterwards. */
    Scenario with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** Environment variables for bridges that are made afterwards. */
    Scenario withEnvironment(Map<String, String> variables) {
        environment = variables;
        return this;
    }

    /** Every message may wait an hour, counted from when it is published or, without, from when a bridge first sees it. */
    Scenario withAnHourToLive(boolean timestamped) {
        publisher.expireAfter(Duration.ofHours(1), timestamped);
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
        BridgeProcess bridge = new BridgeProcess(
                "bridge" + (bridges.size() + 1),
                folder,
                List.of("-Xmx" + heapMegabytes + "m"),
                environment,
                via,
                prefix,
                settings);
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
        begin(0);
    }

    /** The same with another of the bridges to wait for. */
    void begin(int bridge) {
        bridges.get(bridge).awaitReady();
        for (int i = 0; i < users; i++) {
            Kind kind = KINDS.get(i % KINDS.size());
            RecordingClient client = new RecordingClient("u" + i, kind, servers, timer, this::delivered, SEED + i);
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
                () -> clients.stream().filter(RecordingClient::connected).count() >= users * 2 / 3);
        crowd.start();
        await("the crowd to be connected", () -> crowd.connected() == crowd.size());
        publisher.start();
        flow(600);
    }

    /** Pages of which only order and completeness are looked at. */
    LightCrowd crowd() {
        return crowd;
    }

    private void delivered(String text) {
        news(Frame.of(text).key());
    }

    private void news(String key) {
        if (delivered.add(key)) {
            long now = System.nanoTime();
            long before = lastNews.getAndSet(now);
            longestSilence.accumulateAndGet(now - before, Math::max);
        }
    }

    /** The longest time since the last call in which no page got anything new, in milliseconds. */
    long takeLongestSilenceMillis() {
        lastNews.set(System.nanoTime());
        return TimeUnit.NANOSECONDS.toMillis(longestSilence.getAndSet(0));
    }

    /** Waits until RabbitMQ has accepted so many more messages. */
    void flow(int messages) {
        long goal = publisher.confirmed() + messages;
        await(messages + " more messages accepted", () -> publisher.confirmed() >= goal);
    }

    /** Waits until pages have got so many more messages. */
    void delivery(int messages) {
        int goal = delivered.size() + messages;
        await(messages + " more messages delivered", () -> delivered.size() >= goal);
    }

    /** Waits; when it was in vain everybody is asked how it is. */
    private void await(String what, Callable<Boolean> condition) {
        if (!Waiting.wasSo(what, condition)) {
            throw new AssertionError("waited in vain for " + what + ": " + state());
        }
    }

    private String state() {
        StringBuilder state = new StringBuilder("%d published, %d accepted, %d delivered"
                .formatted(publisher.published().size(), publisher.confirmed(), delivered.size()));
        for (String queue : List.of("instructions", "owner", "dead")) {
            state.append("; ").append(queue).append(' ').append(queues.counts(queue));
        }
        for (BridgeProcess bridge : bridges) {
            state.append("; a bridge: ").append(bridge.answer());
            bridge.dumpThreads();
        }
        return state.toString();
    }

    List<RecordingClient> clients() {
        return clients;
    }

    Publisher publisher() {
        return publisher;
    }

    Queues queues() {
        return queues;
    }

    /** Publishes messages that are to become dead letters, since their user is never there. */
    void publishForNobody(int count) throws Exception {
        publishToBeCopied(
                count,
                new BasicProperties.Builder()
                        .deliveryMode(2)
                        .headers(Map.of("x-push-offline", "dead-letter"))
                        .build());
    }

    /** Publishes messages that are to expire at once, since their user is never there. */
    void publishToExpire(int count) throws Exception {
        publishToBeCopied(
                count,
                new BasicProperties.Builder().deliveryMode(2).expiration("1").build());
    }

    private void publishToBeCopied(int count, BasicProperties properties) throws Exception {
        List<Published> messages = new ArrayList<>();
        for (int seq = extra.size() + 1, last = extra.size() + count; seq <= last; seq++) {
            messages.add(new Published(
                    "user.nobody",
                    seq,
                    "{\"type\":\"fault\",\"payload\":{},\"seq\":" + seq + ",\"to\":\"user.nobody\"}"));
        }
        Waiting.until("messages for nobody to be accepted", () -> accepted(messages, properties));
        messages.forEach(Published::confirm);
        extra.addAll(messages);
        expectedCopies += count;
    }

    /**
     * Whether RabbitMQ takes them all on a channel of their own; each new attempt gets a new one, since a channel may go
     * on refusing when the leader was away as it began.
     */
    private boolean accepted(List<Published> messages, BasicProperties properties)
            throws IOException, TimeoutException, InterruptedException {
        Connection connection = Publisher.connect(brokers, "for nobody");
        try {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            for (Published message : messages) {
                message.attempted();
                byte[] body = message.text().getBytes(StandardCharsets.UTF_8);
                channel.basicPublish(prefix, message.address(), true, properties, body);
            }
            return channel.waitForConfirms(Duration.ofSeconds(20).toMillis());
        } catch (TimeoutException e) {
            return false; // a leader that died may owe a confirm for ever
        } finally {
            connection.abort(1_000);
        }
    }

    /**
     * Publishes messages of about 2 kB to everybody as fast as RabbitMQ accepts them, in steps, and waits until all
     * pages that have been there from the start have them all.
     */
    void publishToAll(int count) throws Exception {
        List<Published> burst = new ArrayList<>();
        Connection connection = Publisher.connect(brokers, "to all");
        try {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            for (int seq = 1; seq <= count; seq++) {
                Published message = new Published(
                        "all",
                        seq,
                        "{\"type\":\"fault\",\"payload\":{\"text\":\"%s\"},\"seq\":%d,\"to\":\"all\"}"
                                .formatted("x".repeat(2_000), seq));
                message.attempted();
                BasicProperties properties =
                        new BasicProperties.Builder().deliveryMode(2).build();
                channel.basicPublish(
                        prefix,
                        message.address(),
                        true,
                        properties,
                        message.text().getBytes(StandardCharsets.UTF_8));
                burst.add(message);
                if (seq % 50 == 0 || seq == count) {
                    channel.waitForConfirmsOrDie(Waiting.LONG.toMillis());
                }
            }
            burst.forEach(Published::confirm);
        } finally {
            connection.abort(1_000);
        }
        extra.addAll(burst);
        List<RecordingClient> steady =
                clients.stream().filter(client -> client.connections() == 1).toList();
        await(
                "each of %d pages to have all %d".formatted(steady.size(), count),
                () -> steady.stream().allMatch(client -> fromAll(client) == count));
    }

    private static long fromAll(RecordingClient client) {
        return client.texts().stream()
                .map(Frame::of)
                .filter(frame -> frame.address().equals("all"))
                .map(Frame::seq)
                .distinct()
                .count();
    }

    /** Pages that are there from the start and stay. */
    List<RecordingClient> residents() {
        List<RecordingClient> residents = new ArrayList<>();
        for (int i = 0; i < clients.size(); i++) {
            if (i % SOME != SOME - 1) {
                residents.add(clients.get(i));
            }
        }
        return residents;
    }

    /** Publishes one body as it is, and waits for the confirm. */
    void publishRaw(String address, byte[] body) throws Exception {
        Connection connection = Publisher.connect(brokers, "raw");
        try {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            channel.basicPublish(prefix, address, true, new BasicProperties(), body);
            channel.waitForConfirmsOrDie(Waiting.LONG.toMillis());
        } finally {
            connection.abort(1_000);
        }
    }

    /** Takes what is in the queue of the dead; the checker gets it. How many have been taken so far. */
    int takeDead() throws IOException, TimeoutException {
        copies.addAll(queues.takeCopies("dead"));
        return copies.size();
    }

    /** Waits until nothing is under way: all accepted, all settled, the rest held. */
    void awaitQuiet() {
        publisher.pause();
        BridgeProcess owner = owner();
        Waiting.until(
                "nothing under way",
                () -> publisher.quiet()
                        && queues.ready("instructions") == 0
                        && owner.metric("pushbridge_instructions_unsettled") == 0);
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
            return wanted.isEmpty();
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
        crowd.close();
        List<Integer> ends = new ArrayList<>();
        for (BridgeProcess bridge : bridges) {
            if (bridge.alive()) {
                ends.add(bridge.stop());
            }
        }
        Map<String, List<String>> seen = new LinkedHashMap<>();
        clients.forEach(client -> seen.put(client.user(), client.texts()));
        copies.addAll(queues.takeCopies("dead"));
        copies.addAll(queues.takeCopies("expired"));
        List<Published> published = new ArrayList<>(publisher.published());
        assertThat(crowd.problems())
                .as("lost or reordered in the crowd (I1, I2, I3)")
                .isEmpty();
        Map<String, Long> last = new HashMap<>();
        published.forEach(message -> last.put(message.address(), message.seq()));
        for (int i = 0; i < crowd.size(); i++) {
            assertThat(crowd.last(i)).as("the last of user.l%d (I1)", i).isEqualTo(last.getOrDefault("user.l" + i, 0L));
        }
        published.removeIf(
                message -> message.address().startsWith("user.l")); // the checker is told of all that others got
        published.addAll(extra);
        Set<String> steady = new HashSet<>();
        clients.stream().filter(client -> client.connections() == 1).forEach(client -> steady.add(client.user()));
        Verdict verdict = Checker.judge(published, seen, steady, copies);
        Results.add(fault, verdict);

        assertThat(verdict.lost()).as("lost (I1)").isEmpty();
        assertThat(verdict.reordered()).as("reordered (I2, I3)").isEmpty();
        assertThat(verdict.altered()).as("altered").isEmpty();
        assertThat(verdict.unreasoned()).as("copies without a reason").isEmpty();
        assertThat((long) verdict.copied()).as("dead or expired").isEqualTo(expectedCopies);
        assertThat(settled).as("settled in the end: " + left).isTrue();
        assertThat(known).as("messages that the bridge says it lost").isZero();
        assertThat(ends).as("exit codes").containsOnly(0);
        assertThat(queues.ready("instructions")).as("instructions left").isZero();
        if (!duplicatesAllowed) {
            assertThat(verdict.duplicated()).as("duplicates without a fault").isZero();
        }
        return verdict;
    }

    @Override
    public void close() throws InterruptedException {
        timer.shutdownNow();
        clients.forEach(RecordingClient::close);
        crowd.close();
        publisher.close();
        for (BridgeProcess bridge : bridges) {
            bridge.close();
        }
    }
}
