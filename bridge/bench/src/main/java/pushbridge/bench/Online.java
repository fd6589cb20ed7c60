package pushbridge.bench;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Users who are there all the time and get the messages of a {@link Pace}. */
final class Online implements AutoCloseable {

    /** What stands before the number in a user's id. */
    static final String PREFIX = "o";

    private static final long LONGEST_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Swarm swarm;
    private final List<Client> clients = new ArrayList<>();
    private final LongAdder received = new LongAdder();
    private final LongAdder closed = new LongAdder();
    private volatile Histogram latency = new ConcurrentHistogram(LONGEST_NANOS, 3);

    /** Opens them, and waits until they are. */
    Online(BridgeProcess bridge, int users) throws BenchException {
        swarm = new Swarm(bridge.socketPort(), 1, new Swarm.Listener() {
            @Override
            public void message(Client client, ByteBuffer text, int from, int to) {
                long nanos = System.nanoTime() - Text.at(text, from, to);
                latency.recordValue(Math.min(LONGEST_NANOS, Math.max(0, nanos)));
                received.increment();
            }

            @Override
            public void closed(Client client, String why) {
                Console.say("    an online user's connection: " + why);
                closed.increment();
            }
        });
        for (int i = 0; i < users; i++) {
            clients.add(swarm.connect(Flood.user(PREFIX, i), i));
        }
        Waiting.until(
                "online users to connect",
                Bench.PATIENCE,
                () -> clients.stream().allMatch(client -> client.state == Client.State.OPEN));
    }

    /** A publisher for them. */
    Pace pace(BrokerNode broker, int perSecond) throws BenchException {
        return new Pace(broker, Bench.PREFIX, PREFIX, clients.size(), perSecond, Bench.BODY_BYTES);
    }

    /** From intended sending to arrival, since the last call; what arrives from now on counts anew. */
    Histogram takeLatency() {
        Histogram past = latency;
        latency = new ConcurrentHistogram(LONGEST_NANOS, 3);
        return past;
    }

    /** All messages that arrived. */
    long received() {
        return received.sum();
    }

    /** Connections that did not last. */
    long closed() {
        return closed.sum();
    }

    @Override
    public void close() throws BenchException {
        swarm.close();
    }

    static double millis(Histogram histogram, double percentile) {
        return histogram.getValueAtPercentile(percentile) / 1e6;
    }
}
