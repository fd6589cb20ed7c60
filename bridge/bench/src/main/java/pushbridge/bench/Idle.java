package pushbridge.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Connections that do nothing: how fast very many of them are there, and what one takes of heap and memory. */
final class Idle {

    private static final int USERS = 15_000;
    /** So many come and go first: the classes are loaded then, but the compilers have not had them. */
    private static final int WARM_UP_USERS = 500;

    private static final double GOAL_SECONDS = 5;
    private static final double GOAL_BYTES = 5_000;
    private static final int CLASSES = 15;
    private static final Duration LOOK = Duration.ofMillis(10);

    private Idle() {}

    static void run(Bench bench) throws BenchException {
        int users = bench.scaled(USERS, 500);
        try (BrokerNode broker = bench.broker();
                BridgeProcess bridge = bench.bridge(broker, Map.of())) {
            connect(bridge, "w", WARM_UP_USERS).close();
            Waiting.until(
                    "the bridge to see them leave",
                    Bench.PATIENCE,
                    () -> bridge.metrics().get("connections") == 0);
            Map<String, Long> before = bridge.liveBytesByClass();
            double rssBefore = ProcessFigures.rssMib(bridge.pid());
            double cpuBefore = ProcessFigures.cpuSeconds(bridge.pid());
            try (Storm storm = connect(bridge, "i", users)) {
                bench.figures().atMost(GOAL_SECONDS, users + " connect: until the last is there", storm.seconds(), "s");
                bench.figures()
                        .note(
                                "connecting: bridge CPU",
                                (ProcessFigures.cpuSeconds(bridge.pid()) - cpuBefore) * 1e6 / users,
                                "us/connection");
                Map<String, Long> after = bridge.liveBytesByClass();
                double rss = ProcessFigures.rssMib(bridge.pid());
                bench.figures()
                        .atMost(
                                GOAL_BYTES,
                                "heap per idle connection",
                                (double) (BridgeProcess.total(after) - BridgeProcess.total(before)) / users,
                                "bytes");
                bench.figures().note("RSS grown, per connection", (rss - rssBefore) * 1024 * 1024 / users, "bytes");
                bench.figures().note("RSS with all of them", rss, "MiB");
                tellClasses(bench, before, after, users);
                bench.figures()
                        .none("connections refused or lost", storm.closed().get());
            }
        }
    }

    private static void tellClasses(Bench bench, Map<String, Long> before, Map<String, Long> after, int users) {
        after.entrySet().stream()
                .map(each -> Map.entry(each.getKey(), each.getValue() - before.getOrDefault(each.getKey(), 0L)))
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .limit(CLASSES)
                .forEach(each -> bench.figures()
                        .note("of the heap: " + each.getKey(), (double) each.getValue() / users, "bytes"));
    }

    private static Storm connect(BridgeProcess bridge, String prefix, int users) throws BenchException {
        AtomicLong closed = new AtomicLong();
        long began = System.nanoTime();
        Swarm swarm = new Swarm(bridge.socketPort(), 1, new Swarm.Listener() {
            @Override
            public void message(Client client, ByteBuffer text, int from, int to) {
                // nobody publishes
            }

            @Override
            public void closed(Client client, String why) {
                Console.say("    an idle connection: " + why);
                closed.incrementAndGet();
            }
        });
        List<Client> clients = new ArrayList<>(users);
        for (int user = 0; user < users; user++) {
            clients.add(swarm.connect(Flood.user(prefix, user), user));
        }
        Waiting.progress(
                "connections open",
                users,
                LOOK,
                Bench.PATIENCE,
                () -> clients.stream().filter(client -> client.openedNanos != 0).count());
        long last =
                clients.stream().mapToLong(client -> client.openedNanos).max().orElse(began);
        return new Storm(swarm, Waiting.seconds(last - began), closed);
    }

    private record Storm(Swarm swarm, double seconds, AtomicLong closed) implements AutoCloseable {
        @Override
        public void close() throws BenchException {
            swarm.close();
        }
    }
}
