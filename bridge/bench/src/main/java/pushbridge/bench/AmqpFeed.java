package pushbridge.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.io.IOException;

/** A publisher of messages to all, persistent and confirmed, as applications publish. One thread. */
final class AmqpFeed implements AutoCloseable {

    private static final int WINDOW = 4_000;

    private final Connection connection;
    private final Channel channel;
    private final ConfirmWindow window;
    private final String exchange;
    private final BasicProperties persistent =
            new BasicProperties.Builder().deliveryMode(2).build();

    AmqpFeed(BrokerNode broker, String exchange) throws BenchException {
        this.exchange = exchange;
        connection = broker.connect("feed");
        try {
            channel = connection.createChannel();
            window = ConfirmWindow.on(channel, WINDOW);
        } catch (IOException e) {
            throw new BenchException("cannot open a channel", e);
        }
    }

    void send(byte[] envelope) throws BenchException {
        try {
            window.enter();
            channel.basicPublish(exchange, "all", persistent, envelope);
        } catch (IOException e) {
            throw new BenchException("publishing failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    @Override
    public void close() throws BenchException {
        try {
            connection.close();
        } catch (IOException e) {
            throw new BenchException("cannot close the publisher's connection", e);
        }
    }
}
