package pushbridge.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/** From the start of the process to readiness, where everything is declared already and nothing is held. */
final class Start {

    private static final int ROUNDS = 5;
    private static final double GOAL_SECONDS = 1.5;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Start() {}

    static void run(Bench bench) throws BenchException {
        double[] seconds = new double[ROUNDS];
        double[] cpu = new double[ROUNDS];
        try (BrokerNode broker = bench.broker()) {
            bench.bridge(broker, Map.of()).close(); // declares everything, and has the files in the page cache
            for (int round = 0; round < ROUNDS; round++) {
                try (BridgeProcess bridge = bench.start(broker, Map.of())) {
                    bridge.awaitReady(PATIENCE);
                    seconds[round] = Waiting.seconds(System.nanoTime() - bridge.startedNanos());
                    cpu[round] = ProcessFigures.cpuSeconds(bridge.pid());
                }
            }
        }
        Arrays.sort(seconds);
        Arrays.sort(cpu);
        bench.figures().atMost(GOAL_SECONDS, "start to ready, median of " + ROUNDS, seconds[ROUNDS / 2], "s");
        bench.figures().note("the same, longest", seconds[ROUNDS - 1], "s");
        bench.figures().note("processor time until then, median", cpu[ROUNDS / 2], "s");
    }
}
