package pushbridge.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Everybody comes back at once, to messages that only the log has. */
final class HoldReturnMany {

    private static final double GOAL_SECONDS = 30;
    private static final int USERS = 15_000;
    private static final int MESSAGES_EACH = 10;

    /** Next to none of what is held. */
    private static final Map<String, String> SETTINGS = Map.of("hold.cache-bytes", "1MiB");

    private static final Duration LOOK = Duration.ofMillis(10);

    private HoldReturnMany() {}

    static void run(Bench bench) throws BenchException {
        int users = bench.scaled(USERS, 100);
        int messages = users * MESSAGES_EACH;
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                storm(bench, bridge, users);
                Console.say("  holding " + messages + " messages for " + users + " users");
                new Flood(Bench.PREFIX, "a", 0, users, 0, messages, Bench.BODY_BYTES, 0).publish(broker.uri());
                Bench.awaitHeld(bridge, messages);
            }
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                Bench.awaitHeld(bridge, messages);
                Ledger ledger = new Ledger(users);
                CpuWindow cpu = new CpuWindow(bridge, broker);
                long began = System.nanoTime();
                List<Client> clients = Returning.all(bridge, "a", users, ledger, messages);
                bench.figures()
                        .atMost(
                                GOAL_SECONDS,
                                users + " users x " + MESSAGES_EACH + ": all served",
                                Waiting.seconds(ledger.lastNanos() - began),
                                "s");
                bench.figures().note("of these, until the last was connected", lastOpened(clients, began), "s");
                cpu.tell(bench.figures(), "return", messages);
                bench.figures().note("RSS", ProcessFigures.rssMib(bridge.pid()), "MiB");
                bench.figures().none("out of order", ledger.disorder());
                bench.figures().none("missing", ledger.gaps());
                bench.figures().none("duplicates", ledger.duplicates());
                bench.awaitEmpty(broker, bridge);
            }
        }
    }

    /** The connecting alone. */
    private static void storm(Bench bench, BridgeProcess bridge, int users) throws BenchException {
        Ledger ledger = new Ledger(users);
        try (Swarm swarm = new Swarm(bridge.socketPort(), 1, ledger)) {
            long began = System.nanoTime();
            List<Client> clients = new ArrayList<>(users);
            for (int user = 0; user < users; user++) {
                clients.add(swarm.connect(Flood.user("s", user), user));
            }
            Waiting.progress(
                    "connections open",
                    users,
                    LOOK,
                    Bench.PATIENCE,
                    () -> clients.stream()
                            .filter(client -> client.openedNanos != 0)
                            .count());
            bench.figures().note(users + " connect, nothing held", lastOpened(clients, began), "s");
            bench.figures().none("connections refused or lost", ledger.closed());
        }
        Waiting.until(
                "the bridge to see them leave",
                Bench.PATIENCE,
                () -> bridge.metrics().get("connections") == 0);
    }

    private static double lastOpened(List<Client> clients, long began) {
        return Waiting.seconds(
                clients.stream().mapToLong(client -> client.openedNanos).max().orElse(began) - began);
    }
}
