package pushbridge.bench;

import java.time.Duration;
import java.util.Map;

/** The bridge is killed while it holds, when it holds everything, and while the users come back. */
final class HoldOrderRestart {

    private static final int USERS = 200;
    private static final int MESSAGES_EACH = 500;

    private static final Map<String, String> SETTINGS = Map.of("hold.max-per-address", "100000");

    /** What may be delivered and not yet released at a kill: the windows of all lanes. */
    private static final int WINDOW = 64;

    private static final Duration LOOK = Duration.ofMillis(5);

    private HoldOrderRestart() {}

    static void run(Bench bench) throws BenchException {
        int messages = USERS * bench.scaled(MESSAGES_EACH, 50);
        Ledger ledger = new Ledger(USERS);
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS);
                    Flood.FloodProcess publisher = new Flood(
                                    Bench.PREFIX, "a", 0, USERS, 0, messages, Bench.BODY_BYTES, 0)
                            .start(broker.uri())) {
                Waiting.progress(
                        "messages held",
                        messages / 3.0,
                        LOOK,
                        Bench.PATIENCE,
                        () -> bridge.metrics().get("held_messages"));
                bench.figures()
                        .note("killed while holding: held", bridge.metrics().get("held_messages"), "messages");
                bridge.kill();
                publisher.await();
            }
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                Bench.awaitHeld(bridge, messages);
                Bench.awaitTaken(broker, bridge);
                bench.figures().none("held twice", bridge.metrics().get("held_messages") - messages);
                bridge.kill();
            }
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS);
                    Swarm swarm = new Swarm(bridge.socketPort(), 1, ledger)) {
                Bench.awaitHeld(bridge, messages);
                for (int user = 0; user < USERS; user++) {
                    swarm.connect(Flood.user("a", user), user);
                }
                Waiting.progress(
                        "messages delivered", messages / 3.0, LOOK, Bench.PATIENCE, () -> (double) ledger.distinct());
                bridge.kill();
                Waiting.until("the clients to see it", Bench.PATIENCE, () -> ledger.closed() >= USERS);
                bench.figures().none("duplicates after two kills", ledger.duplicates());
                bench.figures().note("killed while returning: delivered", ledger.distinct(), "messages");
            }
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                bench.figures().note("found held after that", bridge.metrics().get("held_messages"), "messages");
                Returning.all(bridge, "a", USERS, ledger, messages);
                bench.figures().none("out of order", ledger.disorder());
                bench.figures().none("missing", ledger.gaps() + messages - ledger.distinct());
                bench.figures()
                        .atMost(
                                (double) USERS * WINDOW,
                                "duplicates after the third kill (in doubt: the windows)",
                                (double) ledger.duplicates(),
                                "");
                bench.awaitEmpty(broker, bridge);
            }
        }
    }
}
