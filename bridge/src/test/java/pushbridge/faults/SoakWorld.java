package pushbridge.faults;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import pushbridge.testing.FaultProxy;

/**
 * What the soak breaks: a broker, two bridges, a proxy on each way, pages of every kind and a publisher. It runs in
 * rounds; after each everything is brought home, judged and forgotten, so an hour takes no more memory than a minute.
 */
final class SoakWorld implements AutoCloseable {

    /** Pages, one a user. */
    static final int USERS = 120;

    /** Messages a second. */
    static final int RATE = 300;

    /** One page in so many comes and goes, and one of them stays away for seconds each time. */
    private static final int SOME = 10;

    /** The heap has its size from the start, so that memory which the process gains is not just the heap's. */
    private static final List<String> OPTIONS = List.of("-Xms160m", "-Xmx160m", "-XX:+AlwaysPreTouch");

    /** Beside what the fault suite sets: a cache of bodies that is full within the first minutes. */
    private static final String CACHE = "4MiB";

    private final RabbitNodes rabbit;
    private final PrintStream out;
    private final Queues queues;
    private final Publisher publisher;
    private final List<BridgeProcess> bridges = new ArrayList<>();
    private final List<FaultProxy> towardsBroker = new ArrayList<>();
    private final List<FaultProxy> towardsClients = new ArrayList<>();
    private final List<RecordingClient> clients = new ArrayList<>();
    private final Set<String> delivered = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "soak-timer");
        thread.setDaemon(true);
        return thread;
    });

    /** Whether pages come and go by themselves. Timer only. */
    private boolean restless = true;

    private Map<RecordingClient, Integer> connectionsBefore = new HashMap<>();
    private List<Published> earlier = List.of();

    SoakWorld(RabbitNodes rabbit, long seed, PrintStream out) throws IOException {
        this.rabbit = rabbit;
        this.out = out;
        URI broker = rabbit.only().uri();
        queues = new Queues(rabbit.uris(), "soak");
        List<String> addresses = new ArrayList<>(List.of("channel.news"));
        for (int i = 0; i < USERS; i++) {
            addresses.add("user.u" + i);
        }
        publisher = new Publisher(rabbit.uris(), queues.prefix(), addresses, RATE, seed);
        Map<String, String> settings = new HashMap<>(Scenario.SETTINGS);
        settings.put("hold.cache-bytes", CACHE);
        Path folder = Files.createDirectories(rabbit.home().resolve("bridges"));
        List<URI> servers = new ArrayList<>();
        for (int i = 1; i <= 2; i++) {
            FaultProxy before = new FaultProxy(broker);
            towardsBroker.add(before);
            BridgeProcess bridge = new BridgeProcess(
                    "bridge" + i, folder, OPTIONS, Map.of(), List.of(before.uri(broker)), queues.prefix(), settings);
            bridges.add(bridge);
            FaultProxy behind = new FaultProxy(bridge.webSocket());
            towardsClients.add(behind);
            servers.add(URI.create("ws://127.0.0.1:" + behind.port() + "/ws"));
        }
        for (int i = 0; i < USERS; i++) {
            clients.add(new RecordingClient(
                    "u" + i,
                    Scenario.KINDS.get(i % Scenario.KINDS.size()),
                    servers,
                    timer,
                    text -> delivered.add(Frame.of(text).key()),
                    seed + i));
        }
    }

    /** Starts everything and waits until messages flow. */
    void begin() throws IOException {
        for (BridgeProcess bridge : bridges) {
            bridge.start();
        }
        awaitReady();
        clients.forEach(RecordingClient::come);
        awaitConnected();
        for (int i = 0; i < USERS; i++) {
            RecordingClient client = clients.get(i);
            if (i % SOME == SOME - 1) {
                every(3_000 + 10L * i, () -> comeOrGo(client));
            } else if (i % SOME >= SOME - 3) {
                every(700, () -> {
                    if (restless) {
                        client.reconnect();
                    }
                });
            }
        }
        noteConnections();
        publisher.start();
    }

    private void every(long millis, Runnable task) {
        var unused = timer.scheduleWithFixedDelay(task, millis, millis, TimeUnit.MILLISECONDS);
    }

    private void comeOrGo(RecordingClient client) {
        if (restless && client.here()) {
            client.leave();
        } else {
            client.come();
        }
    }

    private void restless(boolean now) throws InterruptedException {
        try {
            timer.submit(() -> restless = now).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the timer failed", e);
        }
    }

    void say(String line) {
        out.println(line);
    }

    RabbitNodes.Node broker() {
        return rabbit.only();
    }

    List<BridgeProcess> bridges() {
        return bridges;
    }

    /** The owner three times out of four. */
    BridgeProcess anyBridge(Random random) {
        boolean owner = random.nextInt(4) > 0; // drawn in any case, so that the draw does not depend on the state
        return bridges.stream()
                .filter(bridge -> bridge.ready() == owner)
                .findFirst()
                .orElse(bridges.get(0));
    }

    /** The proxy between the broker and the owner, three times out of four. */
    FaultProxy towardsBroker(Random random) {
        return towardsBroker.get(bridges.indexOf(anyBridge(random)));
    }

    List<FaultProxy> towardsClients() {
        return towardsClients;
    }

    List<RecordingClient> clients() {
        return clients;
    }

    /** One client in so many. */
    List<RecordingClient> someClients(Random random, int oneIn) {
        List<RecordingClient> shuffled = new ArrayList<>(clients);
        Collections.shuffle(shuffled, random);
        return shuffled.subList(0, clients.size() / oneIn);
    }

    /** Lets what is so last for some seconds; nothing is waited for. */
    void last(Random random, int fromSeconds, int toSeconds) throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(fromSeconds * 1_000L + random.nextInt((toSeconds - fromSeconds) * 1_000));
    }

    /** Starts the broker if it does not run, as an operator would. The bridges are on their own. */
    void heal() throws IOException {
        if (!broker().running()) {
            broker().begin();
        }
        broker().awaitUp();
    }

    /** Waits until one bridge is ready and the other stands by. */
    void awaitReady() {
        Waiting.until("one bridge to be ready and the other to stand by", () -> {
            for (BridgeProcess bridge : bridges) {
                if (!bridge.alive()) {
                    throw new AssertionError("a bridge has ended by itself");
                }
            }
            return bridges.stream().filter(BridgeProcess::ready).count() == 1
                    && bridges.stream().noneMatch(bridge -> bridge.answer().isEmpty());
        });
    }

    private void awaitConnected() {
        Waiting.until("all pages to be connected", () -> clients.stream().allMatch(RecordingClient::connected));
    }

    /** Brings home what was published so far, and judges it. What is missing is waited for no longer than usual. */
    Round settle() throws Exception {
        restless(false);
        publisher.pause();
        clients.forEach(RecordingClient::come);
        Waiting.until("every message to be accepted", publisher::rests);
        awaitConnected();
        Set<String> wanted = new HashSet<>();
        List<Published> published = publisher.takePublished();
        for (Published message : published) {
            if (message.address().startsWith("user.")) {
                wanted.add(message.key());
            }
        }
        boolean complete = Waiting.wasSo("everything to be delivered", () -> {
            wanted.removeAll(delivered);
            return wanted.isEmpty();
        });
        boolean settled = complete && Waiting.wasSo("everything settled", this::isSettled);
        List<Copy> copies = new ArrayList<>(queues.takeCopies("dead"));
        copies.addAll(queues.takeCopies("expired"));
        Map<String, List<String>> seen = new LinkedHashMap<>();
        Set<String> steady = new HashSet<>();
        for (RecordingClient client : clients) {
            seen.put(client.user(), client.takeTexts());
            if (connectionsBefore.getOrDefault(client, -1) == client.connections()) {
                steady.add(client.user());
            }
        }
        delivered.clear();
        Verdict verdict = Checker.judge(earlier, published, seen, steady, copies);
        earlier = published;
        return new Round(verdict, settled);
    }

    private boolean isSettled() throws IOException, TimeoutException {
        List<BridgeProcess> ready =
                bridges.stream().filter(BridgeProcess::ready).toList();
        return ready.size() == 1
                && ready.get(0).metric("pushbridge_instructions_unsettled") == 0
                && ready.get(0).metric("pushbridge_held_messages") == 0
                && ready.get(0).metric("pushbridge_held_lost_total") == 0
                && queues.ready("instructions") == 0;
    }

    /** Lets messages flow again. */
    void goOn() throws InterruptedException {
        noteConnections();
        restless(true);
        publisher.goOn();
    }

    private void noteConnections() {
        connectionsBefore = new HashMap<>();
        clients.forEach(client -> connectionsBefore.put(client, client.connections()));
    }

    /** How everything is, for people; every bridge writes its threads into its log. */
    String state() {
        StringBuilder state = new StringBuilder("%d messages accepted".formatted(publisher.confirmed()));
        for (String queue : List.of("instructions", "owner", "dead")) {
            state.append("; ").append(queue).append(' ').append(queues.counts(queue));
        }
        for (BridgeProcess bridge : bridges) {
            state.append("; a bridge: ").append(bridge.answer().strip());
            bridge.dumpThreads();
        }
        long gone = clients.stream().filter(client -> !client.connected()).count();
        return state.append("; ").append(gone).append(" pages not connected").toString();
    }

    /**
     * One round's end.
     *
     * @param settled whether in the end nothing was under way or held any more
     */
    record Round(Verdict verdict, boolean settled) {}

    @Override
    public void close() throws IOException, InterruptedException {
        timer.shutdownNow();
        clients.forEach(RecordingClient::close);
        publisher.close();
        for (BridgeProcess bridge : bridges) {
            bridge.close();
        }
        for (FaultProxy proxy : towardsBroker) {
            proxy.close();
        }
        for (FaultProxy proxy : towardsClients) {
            proxy.close();
        }
    }
}
