package pushbridge.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** To one user each: how fast and how late, beside a consumer of the same queue that does nothing with its messages. */
final class Unicast {

    private static final int MESSAGES = 600_000;
    /** Until the JIT compilers have had the bridge's methods: some ten seconds at full load. */
    private static final double WARM_UP_PART = 0.6;

    private static final int USERS = 1_000;
    private static final int ROUNDS = 3;
    /** About half of what publisher, broker, bridge and clients manage together on two cores. */
    private static final int PER_SECOND = 8_000;

    private static final int LATENCY_SECONDS = 10;
    private static final int WARM_UP_SECONDS = 20;
    private static final Duration LOOK = Duration.ofMillis(20);

    private Unicast() {}

    /** The same prefilled queue, in turn drained by the bridge to users who are there and by a bare consumer. */
    static void drain(Bench bench) throws BenchException {
        int messages = bench.scaled(MESSAGES, 5_000);
        int users = bench.scaled(USERS, 50);
        int warmUp = (int) (messages * WARM_UP_PART);
        double[] rate = new double[ROUNDS];
        double[] cpu = new double[ROUNDS];
        double[] bareRate = new double[ROUNDS];
        double[] bareCpu = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            try (BrokerNode broker = bench.broker()) {
                fill(bench, broker, users, messages);
                AtomicLong received = new AtomicLong();
                try (BridgeProcess bridge = bench.start(
                        broker,
                        // The users are there before the first message is taken.
                        Map.of("plain.confirm", "written", "intake.start-delay", "10s"))) {
                    Waiting.until("readiness", Bench.READY_PATIENCE, bridge::ready);
                    try (Swarm swarm = new Swarm(
                            bridge.socketPort(),
                            1,
                            Dialect.BRIDGE,
                            (client, text, from, to) -> received.incrementAndGet())) {
                        for (int i = 0; i < users; i++) {
                            swarm.connect(Flood.user(Online.PREFIX, i), i);
                        }
                        Waiting.progress("messages to warm up", warmUp, LOOK, Bench.PATIENCE, received::get);
                        double before = received.get();
                        double cpuBefore = ProcessFigures.cpuSeconds(bridge.pid());
                        long began = System.nanoTime();
                        Waiting.progress("messages delivered", messages, LOOK, Bench.PATIENCE, received::get);
                        double counted = messages - before;
                        rate[round] = counted / Waiting.seconds(System.nanoTime() - began);
                        cpu[round] = (ProcessFigures.cpuSeconds(bridge.pid()) - cpuBefore) * 1e6 / counted;
                        bench.settled(broker, bridge);
                    }
                }
                flood(users, messages).publish(broker.uri());
                try (BareConsumer bare = new BareConsumer(broker, Bench.QUEUE, warmUp, messages - warmUp)) {
                    BareConsumer.Seen seen = bare.await();
                    bareRate[round] = (messages - warmUp) / seen.seconds();
                    bareCpu[round] = seen.cpuSeconds() * 1e6 / (messages - warmUp);
                }
            }
            Console.say("  round " + (round + 1) + ": bridge " + Math.round(rate[round]) + ", bare "
                    + Math.round(bareRate[round]) + " messages/s");
        }
        bench.figures().note("bridge: delivered", median(rate), "messages/s");
        bench.figures().note("bare consumer: taken", median(bareRate), "messages/s");
        bench.figures().note("bare consumer: CPU", median(bareCpu), "us/message");
        bench.figures().atMost(12, "bridge: CPU", median(cpu), "us/message");
        bench.figures().atLeast(0.8, "bridge: part of the bare consumer's rate", median(rate) / median(bareRate), "");
    }

    /** A rhythm of half the load, in turn to users who are there and to a bare consumer. */
    static void latency(Bench bench) throws BenchException {
        int users = bench.scaled(USERS, 50);
        int perSecond = bench.scaled(PER_SECOND, 100);
        double[][] p50 = new double[2][ROUNDS];
        double[][] p99 = new double[2][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            try (BrokerNode broker = bench.broker()) {
                try (BridgeProcess bridge = bench.bridge(broker, Map.of("intake.start-delay", "0s"));
                        Online online = new Online(bridge, users);
                        Pace pace = online.pace(broker, perSecond)) {
                    awaitSent(pace, (long) perSecond * WARM_UP_SECONDS);
                    online.takeLatency();
                    awaitSent(pace, (long) perSecond * (WARM_UP_SECONDS + LATENCY_SECONDS));
                    var latency = online.takeLatency();
                    p50[0][round] = Online.millis(latency, 50);
                    p99[0][round] = Online.millis(latency, 99);
                }
                try (BareConsumer bare = new BareConsumer(
                                broker, Bench.QUEUE, perSecond * WARM_UP_SECONDS, perSecond * LATENCY_SECONDS);
                        Pace pace = new Pace(broker, Bench.PREFIX, Online.PREFIX, users, perSecond, Bench.BODY_BYTES)) {
                    BareConsumer.Seen seen = bare.await();
                    p50[1][round] = seen.p50Millis();
                    p99[1][round] = seen.p99Millis();
                }
            }
        }
        bench.figures().note("messages a second", perSecond, "");
        bench.figures().note("bridge: p50", median(p50[0]), "ms");
        bench.figures().note("bridge: p99", median(p99[0]), "ms");
        bench.figures().note("bare consumer: p50", median(p50[1]), "ms");
        bench.figures().note("bare consumer: p99", median(p99[1]), "ms");
        bench.figures().atMost(1.2, "bridge: p50, as a multiple", median(p50[0]) / median(p50[1]), "");
        bench.figures().atMost(1.5, "bridge: p99, as a multiple", median(p99[0]) / median(p99[1]), "");
    }

    private static void awaitSent(Pace pace, long messages) throws BenchException {
        Waiting.progress("messages published", (double) messages, LOOK, Bench.PATIENCE, pace::published);
    }

    private static void fill(Bench bench, BrokerNode broker, int users, int messages) throws BenchException {
        try (BridgeProcess first = bench.bridge(broker, Map.of())) {
            Bench.awaitHeld(first, 0); // the queue exists now
        }
        flood(users, messages).publish(broker.uri());
    }

    private static Flood flood(int users, int messages) {
        return new Flood(Bench.PREFIX, Online.PREFIX, 0, users, 0, messages, Bench.BODY_BYTES, 0);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
