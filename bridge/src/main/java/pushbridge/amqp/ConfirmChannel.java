package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A channel in confirm mode with a connection of its own, for one thread that publishes and is told what became of it. The
 * connection is its own because under a memory or disk alarm the broker reads nothing from one that publishes.
 *
 * <p>Answers come on the connection's reader, which only passes them on: {@link Answers} is called by the publishing thread,
 * in the broker's order, and not any more once that thread has given the channel up. So a number of one channel is never
 * taken for that of another.
 */
final class ConfirmChannel {

    /** Told by the publishing thread what the broker says. */
    interface Answers {
        /**
         * What became of the publish with this number, or of all up to it.
         *
         * @param taken false when a queue refused
         */
        void settled(long number, boolean multiple, boolean taken);

        /** No queue has taken what had these properties. It comes before its confirm, for the broker confirms that, too. */
        void returned(BasicProperties properties);

        /**
         * The broker takes nothing, or takes everything again.
         *
         * @param reason null when it takes again
         */
        void blocked(@Nullable String reason);

        /** Nothing more follows. */
        void ended(ShutdownSignalException signal);
    }

    private final Connection connection;
    private final Channel channel;
    private final Consumer<Runnable> thread;
    private final long confirmNanos;
    private final long openedNanos = System.nanoTime();

    /** Known before {@link Answers} is told, so that whoever publishes in a row stops at once. */
    private volatile boolean blocked;

    private volatile long unblockedNanos = openedNanos;
    private boolean abandoned; // publishing thread

    private ConfirmChannel(Connection connection, Channel channel, Consumer<Runnable> thread, Duration confirmTimeout) {
        this.connection = connection;
        this.channel = channel;
        this.thread = thread;
        this.confirmNanos = confirmTimeout.toNanos();
    }

    /**
     * Opens the channel; if that fails, the connection is closed.
     *
     * @param confirmTimeout how long an answer may take
     * @param thread runs what it is given on the publishing thread, in that order; must not block
     */
    static ConfirmChannel open(
            Connection connection, Duration confirmTimeout, Consumer<Runnable> thread, Answers answers)
            throws IOException {
        try {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            ConfirmChannel opened = new ConfirmChannel(connection, channel, thread, confirmTimeout);
            opened.listen(answers);
            return opened;
        } catch (IOException | RuntimeException e) {
            Connector.abort(connection);
            throw e;
        }
    }

    private void listen(Answers answers) {
        connection.addBlockedListener(new BlockedListener() {
            @Override
            public void handleBlocked(String reason) {
                blocked = true;
                tell(() -> answers.blocked(reason));
            }

            @Override
            public void handleUnblocked() {
                unblockedNanos = System.nanoTime(); // first, or what has waited would be overdue
                blocked = false;
                tell(() -> answers.blocked(null));
            }
        });
        channel.addConfirmListener(
                (number, multiple) -> tell(() -> answers.settled(number, multiple, true)),
                (number, multiple) -> tell(() -> answers.settled(number, multiple, false)));
        channel.addReturnListener(message -> tell(() -> answers.returned(message.getProperties())));
        channel.addShutdownListener(signal -> tell(() -> answers.ended(signal)));
    }

    private void tell(Runnable answer) {
        thread.accept(() -> {
            if (!abandoned) {
                answer.run();
            }
        });
    }

    Connection connection() {
        return connection;
    }

    /** When it was opened, of {@link System#nanoTime}. */
    long openedNanos() {
        return openedNanos;
    }

    /** Whether the broker takes nothing at the moment. What is published all the same may block until it does. */
    boolean isBlocked() {
        return blocked;
    }

    /** The number of the next publish. */
    long nextNumber() {
        return channel.getNextPublishSeqNo();
    }

    /** Whether these properties fit into a frame; what does not cannot be sent. */
    boolean fits(BasicProperties properties) throws IOException {
        int most = connection.getFrameMax();
        return most == 0 || properties.toFrame(channel.getChannelNumber(), 0).size() <= most;
    }

    /** Publishes straight to a queue, and wants it back when there is none. */
    void publish(String queue, BasicProperties properties, byte[] body) throws IOException {
        publish("", queue, properties, body);
    }

    /** The same through an exchange. */
    void publish(String exchange, String routingKey, BasicProperties properties, byte[] body) throws IOException {
        channel.basicPublish(exchange, routingKey, true, properties, body);
    }

    /** Until when what was published at that time may wait for its answer; the time of a block does not count. */
    long deadlineNanos(long publishedNanos) {
        long unblocked = unblockedNanos;
        return Math.max(publishedNanos - unblocked, 0) + unblocked + confirmNanos;
    }

    /** Gives it up, with its connection: nothing is told any more. */
    void abandon() {
        abandoned = true;
        Connector.abort(connection);
    }
}
