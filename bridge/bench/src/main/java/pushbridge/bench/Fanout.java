package pushbridge.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/** One message to everybody: bursts, a steady rhythm, very many clients, and some that read nothing. */
final class Fanout {

    private static final int CLIENTS = 1_000;
    private static final int BURST = 500;
    private static final int WIDE_CLIENTS = 15_000;
    private static final int WIDE_BURST = 100;
    /** Longer than outboxes and kernel buffers hold, so that clients which read nothing matter. */
    private static final int STALLED_BURST = 4_000;

    private static final int WARM_UP_ROUNDS = 6;
    private static final int ROUNDS = 7;
    private static final int STEADY_PER_SECOND = 50;
    private static final int STEADY_SECONDS = 8;
    private static final int STEADY_ROUNDS = 3;

    /** For what a server still does when the last frame is out: settling, answering. */
    private static final Duration AFTERWARDS = Duration.ofMillis(150);

    private Fanout() {}

    private record Stand(Peer peer, Crowd crowd, List<Measured> rounds) implements AutoCloseable {

        Stand(Peer peer, int clients) throws BenchException {
            this(peer, new Crowd(peer.port(), peer.dialect(), clients), new ArrayList<>());
        }

        @Override
        public void close() throws BenchException {
            crowd.close();
            peer.close();
        }

        double median(java.util.function.ToDoubleFunction<Measured> what) {
            double[] sorted = rounds.stream().mapToDouble(what).sorted().toArray();
            return sorted[sorted.length / 2];
        }
    }

    private record Measured(double framesPerSecond, double cpuMicros, double p50Millis, double p99Millis) {}

    // ---- scenarios ---------------------------------------------------------------------------------------------

    static void burst(Bench bench) throws BenchException {
        int clients = bench.scaled(CLIENTS, 50);
        int messages = bench.scaled(BURST, 100);
        try (BrokerNode broker = bench.broker()) {
            Map<String, Stand> stands = open(bench, broker, clients);
            try {
                for (int round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
                    for (Stand stand : stands.values()) {
                        Measured measured = burst(stand.peer(), stand.crowd(), messages);
                        if (round >= WARM_UP_ROUNDS) {
                            stand.rounds().add(measured);
                        }
                    }
                }
                Stand bridge = stands.get("bridge");
                Stand nchan = stands.get("Nchan");
                for (Map.Entry<String, Stand> each : stands.entrySet()) {
                    Stand stand = each.getValue();
                    double cpu = stand.median(Measured::cpuMicros);
                    double rate = stand.median(Measured::framesPerSecond);
                    if (each.getKey().equals("bridge")) {
                        bench.figures().atMost(1, "bridge: CPU", cpu, "us/frame");
                        bench.figures().atLeast(1_000_000, "bridge: sent", rate, "frames/s");
                    } else {
                        bench.figures().note(stand.peer().name() + ": CPU", cpu, "us/frame");
                        bench.figures().note(stand.peer().name() + ": sent", rate, "frames/s");
                    }
                }
                if (bridge != null && nchan != null) {
                    bench.figures()
                            .atMost(
                                    0.4,
                                    "bridge: CPU, as a part of Nchan's",
                                    bridge.median(Measured::cpuMicros) / nchan.median(Measured::cpuMicros),
                                    "");
                }
                lost(bench, stands);
            } finally {
                close(stands);
            }
        }
    }

    static void steady(Bench bench) throws BenchException {
        int clients = bench.scaled(CLIENTS, 50);
        try (BrokerNode broker = bench.broker()) {
            Map<String, Stand> stands = open(bench, broker, clients);
            try {
                for (int round = -1; round < STEADY_ROUNDS; round++) {
                    for (Stand stand : stands.values()) {
                        Measured measured = steady(stand.peer(), stand.crowd());
                        if (round >= 0) {
                            stand.rounds().add(measured);
                        }
                    }
                }
                for (Stand stand : stands.values()) {
                    String name = stand.peer().name();
                    bench.figures().note(name + ": p50", stand.median(Measured::p50Millis), "ms");
                    bench.figures().note(name + ": p99", stand.median(Measured::p99Millis), "ms");
                    bench.figures().note(name + ": CPU", stand.median(Measured::cpuMicros), "us/frame");
                }
                Stand bridge = stands.get("bridge");
                Stand nchan = stands.get("Nchan");
                if (bridge != null && nchan != null) {
                    bench.figures()
                            .atMost(
                                    2,
                                    "bridge: p99, as a multiple of Nchan's",
                                    bridge.median(Measured::p99Millis) / nchan.median(Measured::p99Millis),
                                    "");
                    bench.figures()
                            .atMost(
                                    1,
                                    "bridge: CPU, as a multiple of Nchan's",
                                    bridge.median(Measured::cpuMicros) / nchan.median(Measured::cpuMicros),
                                    "");
                }
                lost(bench, stands);
            } finally {
                close(stands);
            }
        }
    }

    /** The same bridge with few and with many clients: two of them, so that the rounds can be interleaved. */
    static void wide(Bench bench) throws BenchException {
        int few = bench.scaled(CLIENTS, 50);
        int many = bench.scaled(WIDE_CLIENTS, 500);
        try (BrokerNode broker = bench.broker();
                Stand narrow = new Stand(new BridgePeer(bench, broker, "few", "narrow"), few);
                Stand wide = new Stand(new BridgePeer(bench, broker, "many", "wide"), many)) {
            for (int round = 0; round < WARM_UP_ROUNDS / 2 + ROUNDS; round++) {
                // As many frames each: what differs is to how many they go.
                Measured a = burst(narrow.peer(), narrow.crowd(), WIDE_BURST * many / few);
                Measured b = burst(wide.peer(), wide.crowd(), WIDE_BURST);
                if (round >= WARM_UP_ROUNDS / 2) {
                    narrow.rounds().add(a);
                    wide.rounds().add(b);
                }
            }
            double fewCpu = narrow.median(Measured::cpuMicros);
            double manyCpu = wide.median(Measured::cpuMicros);
            bench.figures().note(few + " clients: CPU", fewCpu, "us/frame");
            bench.figures().note(many + " clients: CPU", manyCpu, "us/frame");
            bench.figures().note(many + " clients: sent", wide.median(Measured::framesPerSecond), "frames/s");
            bench.figures().atMost(1, "CPU, as a multiple of that with few", manyCpu / fewCpu, "");
            bench.figures()
                    .none(
                            "connections lost",
                            narrow.crowd().closed() + wide.crowd().closed());
        }
    }

    /** A burst to clients of which a twentieth reads nothing, and comes back each time; beside it one without such. */
    static void stalled(Bench bench) throws BenchException {
        int clients = bench.scaled(CLIENTS, 50);
        int deaf = Math.max(1, clients / 20);
        try (BrokerNode broker = bench.broker();
                Stand calm = new Stand(new BridgePeer(bench, broker, "all read", "calm"), clients - deaf);
                Stand mixed = new Stand(new BridgePeer(bench, broker, "5% read nothing", "mixed"), clients - deaf)) {
            for (int round = 0; round < 2 + 5; round++) {
                calm.crowd().timed(true);
                mixed.crowd().timed(true);
                Measured a = burst(calm.peer(), calm.crowd(), STALLED_BURST);
                List<Client> silent = mixed.crowd().deaf(deaf);
                Measured b = burst(mixed.peer(), mixed.crowd(), STALLED_BURST);
                mixed.crowd().close(silent);
                if (round >= 2) {
                    calm.rounds().add(a);
                    mixed.rounds().add(b);
                }
            }
            double whole = calm.median(Measured::framesPerSecond);
            double rest = mixed.median(Measured::framesPerSecond);
            bench.figures().note("all read: sent", whole, "frames/s");
            bench.figures().note("5% read nothing: sent to the rest", rest, "frames/s");
            bench.figures().atLeast(0.9, "5% read nothing: part of the throughput", rest / whole, "");
            bench.figures()
                    .atMost(
                            1.1,
                            "5% read nothing: p99, as a multiple",
                            mixed.median(Measured::p99Millis) / calm.median(Measured::p99Millis),
                            "");
            bench.figures()
                    .none(
                            "connections lost of those that read",
                            calm.crowd().closed() + mixed.crowd().closed());
        }
    }

    // ---- the parts ---------------------------------------------------------------------------------------------

    private static Map<String, Stand> open(Bench bench, BrokerNode broker, int clients) throws BenchException {
        Map<String, Stand> stands = new LinkedHashMap<>();
        stands.put("bridge", new Stand(new BridgePeer(bench, broker, "bridge", Bench.PREFIX), clients));
        if (NchanPeer.isInstalled()) {
            stands.put("Nchan", new Stand(new NchanPeer(bench), clients));
        } else {
            Console.say("  Nchan is skipped: the packages nginx and libnginx-mod-nchan are not installed");
        }
        return stands;
    }

    private static void close(Map<String, Stand> stands) throws BenchException {
        for (Stand stand : stands.values()) {
            stand.close();
        }
    }

    private static void lost(Bench bench, Map<String, Stand> stands) {
        for (Stand stand : stands.values()) {
            bench.figures()
                    .none(
                            stand.peer().name() + ": connections lost",
                            stand.crowd().closed());
        }
    }

    private static Measured burst(Peer peer, Crowd crowd, int messages) throws BenchException {
        crowd.takeLatency();
        long before = crowd.received();
        double cpu = ProcessFigures.cpuSeconds(peer.pids());
        long began = System.nanoTime();
        for (int i = 0; i < messages; i++) {
            peer.send(Text.envelope(i, System.nanoTime(), Bench.BODY_BYTES));
        }
        crowd.await(before, messages);
        double seconds = Waiting.seconds(System.nanoTime() - began);
        Waiting.pause(AFTERWARDS);
        double frames = (double) messages * crowd.size();
        return measured(frames, seconds, ProcessFigures.cpuSeconds(peer.pids()) - cpu, crowd.takeLatency());
    }

    private static Measured steady(Peer peer, Crowd crowd) throws BenchException {
        crowd.timed(true);
        crowd.takeLatency();
        long before = crowd.received();
        double cpu = ProcessFigures.cpuSeconds(peer.pids());
        long began = System.nanoTime();
        int messages = STEADY_PER_SECOND * STEADY_SECONDS;
        for (int i = 0; i < messages; i++) {
            long due = began + i * 1_000_000_000L / STEADY_PER_SECOND;
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            peer.send(Text.envelope(i, due, Bench.BODY_BYTES));
        }
        crowd.await(before, messages);
        double seconds = Waiting.seconds(System.nanoTime() - began);
        double frames = (double) messages * crowd.size();
        return measured(frames, seconds, ProcessFigures.cpuSeconds(peer.pids()) - cpu, crowd.takeLatency());
    }

    private static Measured measured(double frames, double seconds, double cpuSeconds, Histogram latency) {
        return new Measured(
                frames / seconds, cpuSeconds * 1e6 / frames, Online.millis(latency, 50), Online.millis(latency, 99));
    }
}
