package pushbridge.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Clients of one server that all get the same messages. */
final class Crowd implements AutoCloseable, Swarm.Listener {

    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final Swarm swarm;
    private final List<Client> clients = new ArrayList<>();
    private final LongAdder received = new LongAdder();
    private final LongAdder closed = new LongAdder();
    /** Whether the time in each message is looked at, which costs the clients more than receiving it. */
    private volatile boolean timed;

    private volatile Histogram latency = new ConcurrentHistogram(LONGEST_NANOS, 3);

    /** Opens them, and waits until they are. */
    Crowd(int port, Dialect dialect, int size) throws BenchException {
        swarm = new Swarm(port, 1, dialect, this);
        for (int i = 0; i < size; i++) {
            clients.add(swarm.connect(Flood.user(Online.PREFIX, i), i));
        }
        Waiting.until(
                "a crowd to connect",
                Bench.PATIENCE,
                () -> clients.stream().allMatch(client -> client.state == Client.State.OPEN));
    }

    @Override
    public void message(Client client, ByteBuffer text, int from, int to) {
        if (timed) {
            long nanos = System.nanoTime() - Text.at(text, from, to);
            latency.recordValue(Math.min(LONGEST_NANOS, Math.max(0, nanos)));
        }
        received.increment();
    }

    @Override
    public void closed(Client client, String why) {
        if (!client.deaf) {
            Console.say("    a client's connection: " + why);
            closed.increment();
        }
    }

    /** Opens more, who read nothing but the answer to their handshake, and waits until they are there. */
    List<Client> deaf(int size) throws BenchException {
        List<Client> opened = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            opened.add(swarm.connectDeaf(Flood.user("deaf", i), i));
        }
        Waiting.until(
                "deaf clients to connect",
                Bench.PATIENCE,
                () -> opened.stream().allMatch(client -> client.state == Client.State.OPEN));
        return opened;
    }

    void close(List<Client> some) {
        some.forEach(swarm::close);
    }

    int size() {
        return clients.size();
    }

    long received() {
        return received.sum();
    }

    long closed() {
        return closed.sum();
    }

    /** From now on, or no longer, the latency of each message counts. */
    void timed(boolean now) {
        timed = now;
    }

    /** From intended sending to arrival, since the last call. */
    Histogram takeLatency() {
        Histogram past = latency;
        latency = new ConcurrentHistogram(LONGEST_NANOS, 3);
        return past;
    }

    /** Waits until so many messages have arrived at each of them since there were {@code before} in all. */
    void await(long before, long each) throws BenchException {
        Waiting.progress("messages", (double) (before + each * size()), Duration.ofMillis(2), Bench.PATIENCE, () ->
                (double) received());
    }

    @Override
    public void close() throws BenchException {
        swarm.close();
    }
}
