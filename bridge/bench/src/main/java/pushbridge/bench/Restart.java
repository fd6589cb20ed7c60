package pushbridge.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;

/** Starts a bridge where another one was, and takes the time until it works again. */
final class Restart {

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(50);

    private Restart() {}

    /**
     * Starts it. Works means: it says that it is ready, everything is held that was held before, and a message that was
     * published while it was gone has reached a browser that connected as soon as it could.
     *
     * @param what the figures' name
     * @param held what it has to find
     */
    static BridgeProcess measure(Bench bench, BrokerNode broker, Map<String, String> settings, String what, double held)
            throws BenchException {
        String user = "probe";
        new Flood(Bench.PREFIX, user, 0, 1, 0, 1, Bench.BODY_BYTES, 0).publish(broker.uri());
        BridgeProcess bridge = bench.start(broker, settings);
        try (Swarm swarm = new Swarm(bridge.socketPort(), 1, new Ignore())) {
            Client[] client = {swarm.connect(Flood.user(user, 0), 0)};
            long[] tried = {System.nanoTime()};
            long[] ready = {0};
            Waiting.until("the restarted bridge to work", Bench.READY_PATIENCE, () -> {
                if (client[0].state == Client.State.CLOSED && System.nanoTime() - tried[0] > BETWEEN_TRIES.toNanos()) {
                    tried[0] = System.nanoTime();
                    client[0] = swarm.connect(Flood.user(user, 0), 0);
                }
                if (ready[0] == 0 && bridge.ready() && bridge.metrics().get("held_messages") >= held) {
                    ready[0] = System.nanoTime();
                }
                return ready[0] != 0 && client[0].firstMessageNanos != 0;
            });
            long began = bridge.startedNanos();
            long first = client[0].firstMessageNanos;
            bench.figures().note(what + ": browsers can connect", Waiting.seconds(client[0].openedNanos - began), "s");
            bench.figures().note(what + ": ready, all held known", Waiting.seconds(ready[0] - began), "s");
            bench.figures()
                    .atMost(
                            HoldRestart.GOAL_SECONDS,
                            what + ": works (first message delivered, too)",
                            Waiting.seconds(Math.max(first, ready[0]) - began),
                            "s");
        }
        return bridge;
    }

    private static final class Ignore implements Swarm.Listener {
        @Override
        public void message(Client client, ByteBuffer text, int from, int to) {
            // that it came is enough
        }
    }
}
