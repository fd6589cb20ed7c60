package pushbridge.bench;

import java.time.Duration;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** One user after the other comes back while very much is held for others. */
final class HoldReturnOne {

    private static final double GOAL_MILLIS = 50;
    private static final int HELD = 1_000_000;
    private static final int RETURNING = 100;
    private static final int CACHE_BYTES = 64 << 20;

    private HoldReturnOne() {}

    static void run(Bench bench) throws BenchException {
        int held = bench.scaled(HELD, 2_000);
        int returning = Math.min(RETURNING, held / 100);
        // In proportion, so that in a small run, too, most of what is held is not in it.
        Map<String, String> settings = Map.of(
                "hold.max-messages",
                "3000000",
                "hold.cache-bytes",
                Integer.toString(bench.scaled(CACHE_BYTES, 16_384)));
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess bridge = bench.bridge(broker, settings)) {
                Console.say("  holding " + held + " messages");
                new Flood(Bench.PREFIX, "a", 0, held, 0, held, Bench.BODY_BYTES, 0).publish(broker.uri());
                Bench.awaitHeld(bridge, held);
                // The first of all pays for classes that were never used before.
                comeBack(bridge, held - 2 * returning, held - returning);
                tell(bench, "warm (body in the cache)", comeBack(bridge, held - returning, held));
            }
            try (BridgeProcess bridge = bench.bridge(broker, settings)) {
                Bench.awaitHeld(bridge, held - 2.0 * returning);
                int step = held / 2 / returning;
                Histogram[] cold = new Histogram[] {new Histogram(3), new Histogram(3)};
                for (int i = 0; i < returning; i++) {
                    Histogram[] one = comeBack(bridge, i * step, i * step + 1);
                    cold[0].add(one[0]);
                    cold[1].add(one[1]);
                }
                tell(bench, "cold (after a restart, body in the log)", cold);
                bench.settled(broker, bridge);
            }
        }
    }

    /** These users, one after the other: from the open WebSocket, and from the first SYN, to the first message. */
    private static Histogram[] comeBack(BridgeProcess bridge, int from, int to) throws BenchException {
        Histogram[] nanos = new Histogram[] {new Histogram(3), new Histogram(3)};
        Ledger ledger = new Ledger(to);
        try (Swarm swarm = new Swarm(bridge.socketPort(), 1, ledger)) {
            for (int user = from; user < to; user++) {
                Client client = swarm.connect(Flood.user("a", user), user);
                Waiting.until("the message of a user who is back", Duration.ofSeconds(30), () -> {
                    if (client.state == Client.State.CLOSED) {
                        throw new BenchException("the bridge ended a connection: " + ledger.whyClosed());
                    }
                    return client.firstMessageNanos != 0;
                });
                nanos[0].recordValue(Math.max(0, client.firstMessageNanos - client.openedNanos));
                nanos[1].recordValue(client.firstMessageNanos - client.startedNanos);
                swarm.close(client);
            }
        }
        return nanos;
    }

    private static void tell(Bench bench, String how, Histogram[] nanos) {
        bench.figures()
                .atMost(
                        GOAL_MILLIS,
                        how + ": open to first message, median of " + nanos[0].getTotalCount(),
                        Online.millis(nanos[0], 50),
                        "ms");
        bench.figures().note(how + ": the same, longest", Online.millis(nanos[0], 100), "ms");
        bench.figures().note(how + ": connect to first message, median", Online.millis(nanos[1], 50), "ms");
    }
}
