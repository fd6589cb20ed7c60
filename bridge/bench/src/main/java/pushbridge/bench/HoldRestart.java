package pushbridge.bench;

import java.util.Map;

/** A bridge comes back to very much that is held, and to very much that was held once. */
final class HoldRestart {

    static final double GOAL_SECONDS = 15;

    private static final int HELD = 1_000_000;

    /** Held and delivered by way of the bridge, after what stays held: so that what stays is copied forward. */
    private static final int CHURN = 1_000_000;

    private static final int CHURN_USERS = 500;
    private static final int CHURN_PER_USER = 100;

    /** Held and released before, written into the log directly. */
    private static final int HISTORY = 20_000_000;

    private static final Map<String, String> SETTINGS = Map.of("hold.max-messages", "3000000");

    private HoldRestart() {}

    static void run(Bench bench) throws BenchException {
        int held = bench.scaled(HELD, 1_000);
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                hold(broker, bridge, held);
            }
            try (BridgeProcess bridge = Restart.measure(bench, broker, SETTINGS, "with all held", held)) {
                churn(bench, broker, bridge, held);
            }
            try (BridgeProcess bridge = Restart.measure(bench, broker, SETTINGS, "after the churn", held)) {
                bench.settled(broker, bridge);
            }
        }
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                Bench.awaitHeld(bridge, 0); // the stream exists now
            }
            int history = bench.scaled(HISTORY, 10_000);
            Console.say("  writing " + history + " held and released messages into the log");
            long began = System.nanoTime();
            LogHistory.write(broker, history);
            bench.figures().note("written held and released", history, "messages");
            bench.figures().note("written in", Waiting.seconds(System.nanoTime() - began), "s");
            bench.figures().note("the log on disk", broker.streamBytes() / 1048576.0, "MiB");
            began = System.nanoTime();
            try (BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
                Bench.awaitHeld(bridge, 0);
                bench.figures()
                        .note("first start on what was written", Waiting.seconds(System.nanoTime() - began), "s");
                hold(broker, bridge, held);
            }
            try (BridgeProcess bridge = Restart.measure(bench, broker, SETTINGS, "behind the history", held)) {
                bench.settled(broker, bridge);
            }
        }
    }

    private static void hold(BrokerNode broker, BridgeProcess bridge, int messages) throws BenchException {
        Console.say("  holding " + messages + " messages");
        new Flood(Bench.PREFIX, "a", 0, messages, 0, messages, Bench.BODY_BYTES, 0).publish(broker.uri());
        Bench.awaitHeld(bridge, messages);
    }

    private static void churn(Bench bench, BrokerNode broker, BridgeProcess bridge, int held) throws BenchException {
        int round = CHURN_USERS * CHURN_PER_USER;
        int rounds = Math.max(1, bench.scaled(CHURN, round) / round);
        Console.say("  holding and delivering " + rounds + " times " + round + " messages");
        Ledger ledger = new Ledger(CHURN_USERS);
        for (int r = 0; r < rounds; r++) {
            new Flood(Bench.PREFIX, "c", 0, CHURN_USERS, (long) r * round, round, Bench.BODY_BYTES, 0)
                    .publish(broker.uri());
            Bench.awaitHeld(bridge, (double) held + round);
            Returning.all(bridge, "c", CHURN_USERS, ledger, (long) (r + 1) * round);
            Waiting.until(
                    "what was delivered to be released",
                    Bench.PATIENCE,
                    () -> bridge.metrics().get("held_messages") <= held);
        }
        bench.figures().note("held and delivered behind them", ledger.distinct(), "messages");
    }
}
