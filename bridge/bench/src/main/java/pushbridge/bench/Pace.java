package pushbridge.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Publishes at a steady rate to users who are there, round and round. Each message carries the time at which it should
 * have been sent: when the broker makes the publisher late, that counts as latency, as it would for the users.
 */
final class Pace implements AutoCloseable {

    private static final int WINDOW = 10_000;

    private final Thread thread;
    private final String exchange;
    private final String userPrefix;
    private final int users;
    private final int perSecond;
    private final int bodyBytes;
    private volatile boolean stopping;
    private volatile long published;
    private volatile @Nullable BenchException failure;

    /** Starts. */
    Pace(BrokerNode broker, String exchange, String userPrefix, int users, int perSecond, int bodyBytes)
            throws BenchException {
        this.exchange = exchange;
        this.userPrefix = userPrefix;
        this.users = users;
        this.perSecond = perSecond;
        this.bodyBytes = bodyBytes;
        Connection connection = broker.connect("pace");
        thread = new Thread(() -> run(connection), "pushbridge-bench-pace");
        thread.setDaemon(true);
        thread.start();
    }

    private void run(Connection connection) {
        BasicProperties properties =
                new BasicProperties.Builder().deliveryMode(2).build();
        try (connection) {
            Channel channel = connection.createChannel();
            ConfirmWindow window = ConfirmWindow.on(channel, WINDOW);
            long began = System.nanoTime();
            for (long i = 0; !stopping; i++) {
                long due = began + i * 1_000_000_000L / perSecond;
                for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                window.enter();
                String address = "user." + Flood.user(userPrefix, (int) (i % users));
                channel.basicPublish(exchange, address, properties, Text.envelope(i, due, bodyBytes));
                published = i + 1;
            }
            window.drain();
        } catch (IOException | ShutdownSignalException e) {
            failure = new BenchException("publishing at a steady rate failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (BenchException e) {
            failure = e;
        }
    }

    /** How many so far. */
    long published() {
        return published;
    }

    /** Ends, when all is confirmed. */
    @Override
    public void close() throws BenchException {
        stopping = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
        BenchException failed = failure;
        if (failed != null) {
            throw failed;
        }
    }
}
