package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import pushbridge.letters.LetterException;
import pushbridge.letters.Printable;

/**
 * Makes sure that one reads letters at a time: two would each see a part. The lock is an exclusive queue, which RabbitMQ
 * takes away with the connection it belongs to. RabbitMQ does not tell whose it is; so whoever finds it taken asks through
 * the queue itself, which everybody may publish to, and its holder answers.
 */
final class ReaderLock {

    private static final long ANSWER_MILLIS = 2_000;

    /** RabbitMQ's own name for the way back to a channel that asks. */
    private static final String REPLY_TO = "amq.rabbitmq.reply-to";

    private ReaderLock() {}

    /**
     * Takes the lock on a channel of this connection; it ends with the connection.
     *
     * @param holder who we are, for whoever asks
     * @param lost called when the lock is lost although the connection lives; on the connection's worker, must not block
     * @throws LetterException somebody else has it
     */
    static void take(Connection connection, String queue, String holder, Runnable lost)
            throws LetterException, InterruptedException, BrokerException {
        try {
            Topology.onChannel(
                    connection,
                    "the lock " + queue,
                    channel -> channel.queueDeclare(queue, false, true, true, Map.of()));
            Channel channel = connection.createChannel();
            // Never deleted by itself while this consumer is there; and when it is deleted, the consumer hears of it.
            channel.basicConsume(queue, true, new Porter(channel, holder, lost));
        } catch (Topology.RefusedException e) {
            if (e.replyCode == AMQP.RESOURCE_LOCKED) {
                throw new LetterException(LetterException.Kind.LOCKED, locked(who(connection, queue)));
            }
            throw new LetterException(
                    LetterException.Kind.UNAVAILABLE,
                    "RabbitMQ refuses the lock %s (%s): give the user of amqp.uri the right to configure, write and read it"
                            .formatted(queue, e.replyText));
        } catch (IOException | ShutdownSignalException e) {
            throw new BrokerException(
                    "The connection to RabbitMQ was lost while taking the lock %s (%s)"
                            .formatted(queue, Connector.describe(e)),
                    e);
        }
    }

    private static String locked(@Nullable String holder) {
        return holder == null
                ? "the letters are being read by somebody who does not answer; one reads at a time, so try again when it"
                        + " has ended (rabbitmqctl list_consumers shows its connection)"
                : "the letters are being read by %s; one reads at a time, so ask there, or try again when it has ended"
                        .formatted(holder);
    }

    /** Asks the holder; null when it does not answer. */
    private static @Nullable String who(Connection connection, String queue) throws InterruptedException {
        try {
            Channel channel = connection.createChannel();
            BlockingQueue<String> answers = new ArrayBlockingQueue<>(1);
            channel.basicConsume(REPLY_TO, true, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body) {
                    answers.offer(new String(body, StandardCharsets.UTF_8));
                }
            });
            channel.basicPublish(
                    "",
                    queue,
                    new BasicProperties.Builder().replyTo(REPLY_TO).build(),
                    "who".getBytes(StandardCharsets.UTF_8));
            String answer = answers.poll(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
            channel.abort();
            return answer == null ? null : Printable.line(answer);
        } catch (IOException | ShutdownSignalException e) {
            return null; // that it is locked is known; by whom is not
        }
    }

    /** Says who is inside. */
    private static final class Porter extends DefaultConsumer {
        private final String holder;
        private final Runnable lost;

        Porter(Channel channel, String holder, Runnable lost) {
            super(channel);
            this.holder = holder;
            this.lost = lost;
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body)
                throws IOException {
            if (properties.getReplyTo() != null) {
                getChannel().basicPublish("", properties.getReplyTo(), null, holder.getBytes(StandardCharsets.UTF_8));
            }
        }

        @Override
        public void handleCancel(String tag) {
            lost.run(); // the queue is gone: somebody else may take the lock
        }
    }
}
