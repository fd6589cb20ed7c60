package pushbridge.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/** A push to very many absent users, while others are there and go on being served. */
final class HoldAbsent {

    private static final int ABSENT = 1_000_000;
    private static final int ONLINE = 1_000;
    private static final int ONLINE_PER_SECOND = 1_000;
    /** How often messages for users who are there come in the prefilled queue. */
    private static final int PARTS = 50;

    private static final double GOAL_PER_SECOND = 30_000;
    private static final double GOAL_HEAP_BYTES = 150;
    private static final Duration QUIET = Duration.ofSeconds(5);
    private static final Duration LOOK = Duration.ofMillis(100);

    /** The cache of bodies is out of the count: next to none, and full before the count begins. */
    private static final Map<String, String> SETTINGS =
            Map.of("hold.max-messages", "3000000", "hold.cache-bytes", "1MiB");

    private HoldAbsent() {}

    static void run(Bench bench) throws BenchException {
        live(bench);
        drain(bench);
    }

    /** Publisher, broker, bridge and clients at the same time. */
    private static void live(Bench bench) throws BenchException {
        int absent = bench.scaled(ABSENT, 1_000);
        try (BrokerNode broker = bench.broker();
                BridgeProcess bridge = bench.bridge(broker, SETTINGS);
                Online online = new Online(bridge, bench.scaled(ONLINE, 10))) {
            Pace pace = online.pace(broker, bench.scaled(ONLINE_PER_SECOND, 100));
            double published;
            try (pace) {
                warmUp(bench, broker, bridge, absent / 20);
                online.takeLatency();
                Waiting.pause(QUIET);
                Histogram before = online.takeLatency();
                latency(bench, "online users before", before);
                double heldBefore = bridge.metrics().get("held_messages");
                long heapBefore = bridge.liveHeapBytes();

                Console.say("  " + absent + " messages to as many absent users");
                online.takeLatency();
                CpuWindow cpu = new CpuWindow(bridge, broker);
                double seconds;
                double deepest;
                Flood flood = new Flood(Bench.PREFIX, "a", 0, absent, 0, absent, Bench.BODY_BYTES, 0);
                try (Flood.FloodProcess publisher = flood.start(broker.uri())) {
                    deepest = watch(broker, bridge, heldBefore + absent);
                    seconds = cpu.seconds();
                    cpu.tell(bench.figures(), "live", absent);
                    Flood.FloodProcess.Used used = publisher.await();
                    bench.figures().note("live: publisher's CPU", used.cpuSeconds() * 1e6 / absent, "us/message");
                    bench.figures().note("live: published", absent / used.seconds(), "messages/s");
                }
                latency(bench, "online users meanwhile", online.takeLatency());
                bench.figures().atLeast(GOAL_PER_SECOND, "live: held", absent / seconds, "messages/s");
                bench.figures().note("live: deepest queue", deepest, "messages");
                bench.figures().note("live: RSS", ProcessFigures.rssMib(bridge.pid()), "MiB");

                double held = bridge.metrics().get("held_messages") - heldBefore;
                bench.figures()
                        .atMost(
                                GOAL_HEAP_BYTES,
                                "heap per held message, without bodies",
                                (bridge.liveHeapBytes() - heapBefore) / held,
                                "bytes");
            }
            published = (double) pace.published();
            Waiting.progress(
                    "messages at online users", published, LOOK, Bench.PATIENCE, () -> (double) online.received());
            bench.figures().none("online users' connections lost", online.closed());
            bench.settled(broker, bridge);
        }
    }

    /**
     * The queue is full before the bridge takes the first: what bridge and broker do without a publisher beside them, with
     * messages for users who are there strewn in.
     */
    private static void drain(Bench bench) throws BenchException {
        int absent = bench.scaled(ABSENT, 1_000);
        int online = bench.scaled(ONLINE, 10);
        try (BrokerNode broker = bench.broker()) {
            try (BridgeProcess first = bench.bridge(broker, SETTINGS)) {
                Console.say("  prefilling the queue"); // which exists now
                Bench.awaitHeld(first, 0);
            }
            for (int part = 0; part < PARTS; part++) {
                int messages = absent / PARTS;
                new Flood(Bench.PREFIX, "a", part * messages, messages, 0, messages, Bench.BODY_BYTES, 0)
                        .publish(broker.uri());
                new Flood(Bench.PREFIX, Online.PREFIX, 0, online, (long) part * online, online, Bench.BODY_BYTES, 0)
                        .publish(broker.uri());
            }
            double all = absent / PARTS * PARTS;
            // Time for the users to connect before the first is taken.
            Map<String, String> settings = new HashMap<>(SETTINGS);
            settings.put("intake.start-delay", "15s");
            try (BridgeProcess bridge = bench.start(broker, settings)) {
                Waiting.until("readiness", Bench.READY_PATIENCE, bridge::ready);
                try (Online users = new Online(bridge, online)) {
                    Waiting.until(
                            "the first message held",
                            Bench.READY_PATIENCE,
                            () -> bridge.metrics().get("held_messages") > 0);
                    double heldBefore = bridge.metrics().get("held_messages");
                    double servedBefore = users.received();
                    CpuWindow cpu = new CpuWindow(bridge, broker);
                    watch(broker, bridge, all);
                    double held = all - heldBefore;
                    bench.figures().atLeast(GOAL_PER_SECOND, "drain: held", held / cpu.seconds(), "messages/s");
                    bench.figures()
                            .note(
                                    "drain: delivered to online users",
                                    (users.received() - servedBefore) / cpu.seconds(),
                                    "messages/s");
                    cpu.tell(bench.figures(), "drain", held);
                    bench.settled(broker, bridge);
                    Waiting.progress("messages at online users", PARTS * online, LOOK, Bench.PATIENCE, users::received);
                    bench.figures().none("drain: online users' connections lost", users.closed());
                }
            }
        }
    }

    /** Holds some, so that code is compiled and the small cache of bodies is full. */
    private static void warmUp(Bench bench, BrokerNode broker, BridgeProcess bridge, int messages)
            throws BenchException {
        Console.say("  warming up");
        new Flood(Bench.PREFIX, "w", 0, messages, 0, messages, Bench.BODY_BYTES, 0).publish(broker.uri());
        Bench.awaitHeld(bridge, messages);
        bench.figures().note("held to warm up", messages, "messages");
    }

    /** Waits until as many are held; the most messages that waited in the queue. */
    private static double watch(BrokerNode broker, BridgeProcess bridge, double messages) throws BenchException {
        double[] deepest = {0};
        try (Connection connection = broker.connect("watch")) {
            Channel channel = connection.createChannel();
            Waiting.progress("messages held", messages, LOOK, Bench.PATIENCE, () -> {
                deepest[0] = Math.max(deepest[0], (double) BrokerNode.ready(channel, Bench.QUEUE));
                return bridge.metrics().get("held_messages");
            });
            channel.close();
        } catch (IOException | TimeoutException e) {
            throw new BenchException("cannot look at the queue", e);
        }
        return deepest[0];
    }

    private static void latency(Bench bench, String who, Histogram latency) {
        bench.figures().note(who + ": p50", Online.millis(latency, 50), "ms");
        bench.figures().note(who + ": p99", Online.millis(latency, 99), "ms");
    }
}
