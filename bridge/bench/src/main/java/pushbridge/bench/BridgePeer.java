package pushbridge.bench;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/** The bridge, fed through RabbitMQ; broker's time does not count. */
final class BridgePeer implements Peer {

    private final String name;
    private final BridgeProcess bridge;
    private final AmqpFeed feed;

    /** @param prefix of its exchange and queues, so that two of them can share a broker */
    BridgePeer(Bench bench, BrokerNode broker, String name, String prefix) throws BenchException {
        this.name = name;
        bridge = bench.bridge(broker, Map.of("amqp.prefix", prefix, "intake.start-delay", "0s"));
        feed = new AmqpFeed(broker, prefix);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int port() {
        return bridge.socketPort();
    }

    @Override
    public Dialect dialect() {
        return Dialect.BRIDGE;
    }

    @Override
    public Collection<Long> pids() {
        return List.of(bridge.pid());
    }

    @Override
    public void send(byte[] envelope) throws BenchException {
        feed.send(envelope);
    }

    @Override
    public void close() throws BenchException {
        feed.close();
        bridge.close();
    }
}
