package pushbridge.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** What it costs to know that a message has arrived: the same queue drained to the same users, three times. */
final class UnicastConfirm {

    private static final int MESSAGES = 300_000;
    private static final int USERS = 1_000;
    private static final double GOAL_RATIO = 1.5;
    private static final Duration LOOK = Duration.ofMillis(50);

    private UnicastConfirm() {}

    /** How a client confirms. */
    private enum Kind {
        WRITTEN("written"),
        PONG("pong"),
        ACKNOWLEDGED("v1 acks");

        private final String text;

        Kind(String text) {
            this.text = text;
        }
    }

    static void run(Bench bench) throws BenchException {
        Map<Kind, Double> cpu = new LinkedHashMap<>();
        for (Kind kind : Kind.values()) {
            cpu.put(kind, drain(bench, kind));
        }
        double written = cpu.getOrDefault(Kind.WRITTEN, 0.0);
        for (Kind kind : new Kind[] {Kind.PONG, Kind.ACKNOWLEDGED}) {
            bench.figures()
                    .atMost(
                            GOAL_RATIO,
                            kind.text + ": bridge CPU, as a multiple of written",
                            cpu.getOrDefault(kind, 0.0) / written,
                            "");
        }
    }

    /** Drains a prefilled queue; the bridge's processor time, in microseconds a message, without the first fifth. */
    private static double drain(Bench bench, Kind kind) throws BenchException {
        int messages = bench.scaled(MESSAGES, 5_000);
        int users = bench.scaled(USERS, 50);
        AtomicLong received = new AtomicLong();
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess first = bench.bridge(broker, Map.of())) {
                Console.say("  " + kind.text + ": prefilling the queue"); // which exists now
                Bench.awaitHeld(first, 0);
            }
            new Flood(Bench.PREFIX, Online.PREFIX, 0, users, 0, messages, Bench.BODY_BYTES, 0).publish(broker.uri());
            Map<String, String> settings = new HashMap<>();
            settings.put("plain.confirm", kind == Kind.WRITTEN ? "written" : "pong");
            settings.put("intake.start-delay", "10s"); // the users are there before the first message is taken
            try (BridgeProcess bridge = bench.start(broker, settings)) {
                Waiting.until("readiness", Bench.READY_PATIENCE, bridge::ready);
                try (Swarm swarm = new Swarm(
                        bridge.socketPort(),
                        1,
                        kind == Kind.ACKNOWLEDGED ? Dialect.BRIDGE_V1 : Dialect.BRIDGE,
                        new Counter(received))) {
                    for (int i = 0; i < users; i++) {
                        swarm.connect(Flood.user(Online.PREFIX, i), i);
                    }
                    Waiting.progress("messages to warm up", messages / 5.0, LOOK, Bench.PATIENCE, received::get);
                    double before = received.get();
                    double cpuBefore = ProcessFigures.cpuSeconds(bridge.pid());
                    CpuWindow window = new CpuWindow(bridge, broker);
                    Waiting.progress("messages delivered", messages, LOOK, Bench.PATIENCE, received::get);
                    double counted = messages - before;
                    double seconds = window.seconds();
                    window.tell(bench.figures(), kind.text, counted);
                    double cpu = (ProcessFigures.cpuSeconds(bridge.pid()) - cpuBefore) * 1e6 / counted;
                    bench.figures().note(kind.text + ": delivered", counted / seconds, "messages/s");
                    bench.settled(broker, bridge);
                    return cpu;
                }
            }
        }
    }

    private record Counter(AtomicLong received) implements Swarm.Listener {
        @Override
        public void message(Client client, ByteBuffer text, int from, int to) {
            received.incrementAndGet();
        }
    }
}
