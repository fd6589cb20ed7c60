import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;

/**
 * {@code java -cp 'lib/*' Publish.java ADDRESS TYPE PAYLOAD-JSON}, with AMQP_URI in the environment; the distribution's
 * {@code lib} has RabbitMQ's client. A real application keeps its connection, and a channel for each thread.
 */
final class Publish {

    private static final long CONFIRM_MILLIS = 5_000;

    private Publish() {}

    public static void main(String[] args) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(System.getenv("AMQP_URI"));
        try (Connection connection = factory.newConnection("publish");
                Channel channel = connection.createChannel()) {
            String returned = push(channel, args[0], args[1], args[2]);
            if (returned != null) {
                throw new IllegalStateException("RabbitMQ has no queue for it: " + returned);
            }
        } catch (Exception e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            System.err.println("not sent: " + cause.getMessage());
            System.exit(1);
        }
    }

    /**
     * Returns when RabbitMQ has confirmed the message: null, or why it went to no queue.
     *
     * @param payload JSON; with a library for it, as every application has one, this would be an object
     */
    static String push(Channel channel, String address, String type, String payload) throws Exception {
        AtomicReference<String> returned = new AtomicReference<>();
        channel.addReturnListener(r -> returned.set(r.getReplyText()));
        channel.confirmSelect();
        String body = "{\"type\":\"%s\",\"payload\":%s,\"seq\":%d}"
                .formatted(type, payload, System.currentTimeMillis() * 1000);
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .deliveryMode(2)
                .contentType("application/json")
                .build();
        channel.basicPublish("push", address, true, properties, body.getBytes(StandardCharsets.UTF_8));
        channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
        return returned.get();
    }
}
