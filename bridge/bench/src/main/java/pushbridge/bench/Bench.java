package pushbridge.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * What every scenario is given.
 *
 * @param distribution the built bridge
 * @param brokerScript {@code scripts/broker}
 * @param brokerName the name of the broker that belongs to the benchmarks
 * @param brokerHome where that script keeps it
 * @param work a folder for logs
 * @param scale 1 for the full size, less for trying out
 */
record Bench(
        Path distribution,
        Path brokerScript,
        String brokerName,
        Path brokerHome,
        Path work,
        double scale,
        Figures figures) {

    /** The prefix of exchange and queues: the default one. */
    static final String PREFIX = "push";

    static final String QUEUE = PREFIX + ".instructions";

    /** What a message of the goals is long. */
    static final int BODY_BYTES = 175;

    /** Enough for a slow machine; a scenario that makes no progress for so long has failed. */
    static final Duration PATIENCE = Duration.ofSeconds(90);

    /** Replaying a long log makes no visible progress until it is done. */
    static final Duration READY_PATIENCE = Duration.ofMinutes(15);

    private static final Duration LOOK = Duration.ofMillis(100);

    /** A number of the full size, brought to the size of this run. */
    int scaled(int full, int least) {
        return Math.max(least, (int) (full * scale));
    }

    BrokerNode broker() throws BenchException {
        return BrokerNode.start(brokerScript, brokerName, brokerHome);
    }

    /** A bridge that is ready. */
    BridgeProcess bridge(BrokerNode broker, Map<String, String> settings) throws BenchException {
        BridgeProcess bridge = start(broker, settings);
        bridge.awaitReady(READY_PATIENCE);
        return bridge;
    }

    /** A bridge that is not ready yet. */
    BridgeProcess start(BrokerNode broker, Map<String, String> settings) throws BenchException {
        return new BridgeProcess(distribution, broker, settings, work.resolve("bridge.log"));
    }

    /** Waits until as many messages are held. */
    static void awaitHeld(BridgeProcess bridge, double messages) throws BenchException {
        Waiting.progress(
                "messages held",
                messages,
                LOOK,
                PATIENCE,
                () -> bridge.metrics().get("held_messages"));
    }

    /** Waits until nothing is held, queued or unsettled any more, and says what is left. */
    void awaitEmpty(BrokerNode broker, BridgeProcess bridge) throws BenchException {
        try {
            Waiting.until(
                    "the held log to be empty", PATIENCE, () -> bridge.metrics().get("held_messages") == 0);
        } catch (BenchException e) {
            Console.say("    " + e.getMessage());
        }
        figures.none("held at the end", bridge.metrics().get("held_messages"));
        settled(broker, bridge);
    }

    /** Says what is neither delivered nor held. */
    void settled(BrokerNode broker, BridgeProcess bridge) throws BenchException {
        awaitTaken(broker, bridge);
        // The broker hears of the last settlements a moment later.
        long[] left = {0};
        try {
            Waiting.until("the broker to count none unacknowledged", Duration.ofSeconds(20), () -> {
                left[0] = broker.messages().getOrDefault(QUEUE, 0L);
                return left[0] == 0;
            });
        } catch (BenchException e) {
            Console.say("    " + e.getMessage());
        }
        figures.none("queued or unacknowledged at the end", left[0]);
        figures.none("counted as lost", bridge.metrics().get("held_lost_total"));
        figures.none("dead-lettered", bridge.metrics().get("instructions_dead_total"));
    }

    /** Waits until the bridge has taken and settled all there is. */
    static void awaitTaken(BrokerNode broker, BridgeProcess bridge) throws BenchException {
        try (Connection connection = broker.connect("look")) {
            Channel channel = connection.createChannel();
            Waiting.progress(
                    "of what is queued or unsettled",
                    0,
                    LOOK,
                    PATIENCE,
                    () -> -BrokerNode.ready(channel, QUEUE) - bridge.metrics().get("instructions_unsettled"));
            channel.close();
        } catch (IOException | TimeoutException e) {
            throw new BenchException("cannot look at the queue", e);
        }
    }
}
