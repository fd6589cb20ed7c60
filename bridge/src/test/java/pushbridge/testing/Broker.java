package pushbridge.testing;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import pushbridge.config.AmqpConfig;

/**
 * The real RabbitMQ as one test sees it: everything is named after a prefix of its own and removed afterwards. For the
 * test's own thread.
 */
public final class Broker implements AutoCloseable {

    /** Longest wait for anything to become true; tests that fail wait this long, others do not notice it. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    /** The variable for {@link #rabbitmqctl}. */
    public static final String CTL_VARIABLE = "PUSHBRIDGE_TEST_RABBITMQCTL";

    private static final List<String> QUEUES = List.of(".instructions", ".dead", ".expired", ".owner", ".held");
    private static final List<String> EXCHANGES = List.of("", ".deaths", ".deaths.other", ".receipts");

    private final URI uri;
    private final String prefix = "test-" + UUID.randomUUID();
    private final Connection connection;
    private Channel channel;

    /** One message of a queue. */
    public record Message(String exchange, String routingKey, BasicProperties properties, String body) {

        /** A header as text, or null. */
        public @Nullable String header(String name) {
            Object value = headers().get(name);
            return value == null ? null : value.toString();
        }

        /** All headers, as the client library gives them; sorted. */
        public Map<String, Object> headers() {
            Map<String, Object> headers = properties.getHeaders();
            return headers == null ? Map.of() : new TreeMap<>(headers);
        }
    }

    Broker(URI uri) {
        this.uri = uri;
        try {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(uri);
            factory.setAutomaticRecoveryEnabled(false);
            connection = factory.newConnection("test " + prefix);
            channel = connection.createChannel();
            channel.confirmSelect();
        } catch (IOException | TimeoutException | java.security.GeneralSecurityException e) {
            throw new IllegalStateException("no broker at " + uri.getHost() + ":" + uri.getPort(), e);
        }
    }

    /** Starts the name of every exchange and queue of this test. */
    public String prefix() {
        return prefix;
    }

    /** Where the broker is, with credentials. */
    public URI uri() {
        return uri;
    }

    /** The test's own connection. */
    public Connection connection() {
        return connection;
    }

    /** A configuration for a bridge on this broker, with short pauses. */
    public AmqpConfig config() {
        return config(uri);
    }

    /** The same for a bridge that reaches the broker another way, or has several to try. */
    public AmqpConfig config(URI... via) {
        return config(List.of(via), 100, 1_000);
    }

    /** The same for a bridge with more in hand. */
    public AmqpConfig config(int prefetch, long maxMessages) {
        return config(List.of(uri), prefetch, maxMessages);
    }

    private AmqpConfig config(List<URI> via, int prefetch, long maxMessages) {
        return new AmqpConfig(
                via,
                prefix,
                prefetch,
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                Duration.ofSeconds(10),
                Duration.ofMillis(20),
                Duration.ofMillis(200),
                1 << 20,
                maxMessages,
                maxMessages,
                Duration.ofMinutes(10),
                Plain.AMQP_TLS);
    }

    /** Publishes to the test's exchange and waits for the confirm. */
    public void publish(String routingKey, String body) throws IOException {
        publish(
                prefix,
                routingKey,
                new BasicProperties.Builder().deliveryMode(2).build(),
                body);
    }

    /** Publishes to any exchange and waits for the confirm. */
    public void publish(String exchange, String routingKey, BasicProperties properties, String body)
            throws IOException {
        channel.basicPublish(exchange, routingKey, properties, body.getBytes(StandardCharsets.UTF_8));
        try {
            if (!channel.waitForConfirms(PATIENCE.toMillis())) {
                throw new AssertionError("RabbitMQ refused a message to " + exchange + " " + routingKey);
            }
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no confirm for a message to " + exchange + " " + routingKey, e);
        }
    }

    /** Takes everything that is ready in a queue without single active consumer. */
    public List<Message> drain(String queue) throws IOException {
        List<Message> messages = new ArrayList<>();
        for (GetResponse got = channel.basicGet(queue, true); got != null; got = channel.basicGet(queue, true)) {
            messages.add(new Message(
                    got.getEnvelope().getExchange(),
                    got.getEnvelope().getRoutingKey(),
                    got.getProps(),
                    new String(got.getBody(), StandardCharsets.UTF_8)));
        }
        return messages;
    }

    /** Waits for a number of messages in a queue, then takes them. */
    public List<Message> awaitMessages(String queue, int count) throws IOException {
        List<Message> messages = new ArrayList<>();
        await(count + " messages in " + queue, () -> {
            messages.addAll(uncheckedDrain(queue));
            return messages.size() >= count;
        });
        if (messages.size() > count) {
            throw new AssertionError("expected " + count + " messages in " + queue + ", got " + messages);
        }
        return messages;
    }

    /** Messages ready in a queue; those delivered but unsettled are not counted. */
    public long ready(String queue) {
        try (Channel probe = connection.createChannel()) {
            return probe.messageCount(queue);
        } catch (IOException | TimeoutException e) {
            throw new AssertionError("cannot count the messages of " + queue, e);
        }
    }

    /** Waits for a number of ready messages. */
    public void awaitReady(String queue, long count) {
        await(count + " ready messages in " + queue, () -> ready(queue) == count);
    }

    /** Deletes a queue with all it has. */
    public void deleteQueue(String queue) throws IOException {
        channel.queueDelete(queue);
    }

    /**
     * Runs rabbitmqctl, as the command {@value #CTL_VARIABLE} says, for example {@code rabbitmqctl -n rabbit@localhost};
     * skips the test where that is not set.
     *
     * @return what it has written
     */
    public static String rabbitmqctl(String... arguments) {
        String ctl = System.getenv(CTL_VARIABLE);
        Assumptions.assumeTrue(ctl != null && !ctl.isBlank(), CTL_VARIABLE + " names no rabbitmqctl");
        List<String> command = new ArrayList<>(List.of(String.valueOf(ctl).split(" ", -1)));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(command + " failed: " + output);
            }
            return output;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(command + " could not run", e);
        }
    }

    /**
     * Waits until an alarm is in force at the connections: rabbitmqctl is back when it is raised, and what is published before
     * every connection has heard of it gets through and is confirmed, without the connection ever being blocked.
     */
    public void awaitPublishersBlocked() throws IOException, TimeoutException {
        ConnectionFactory factory = new ConnectionFactory();
        try {
            factory.setUri(uri);
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
        factory.setAutomaticRecoveryEnabled(false);
        AtomicBoolean blocked = new AtomicBoolean();
        Connection probe = factory.newConnection("alarm probe " + prefix);
        try {
            probe.addBlockedListener(reason -> blocked.set(true), () -> blocked.set(false));
            Channel publishing = probe.createChannel();
            await("the alarm at the connections", () -> {
                try {
                    publishing.basicPublish("", "nobody." + prefix, null, new byte[1]);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                return blocked.get();
            });
        } finally {
            probe.abort(100); // a blocked connection is not read, so its close is not answered
        }
    }

    /** Waits until it is so; fails with the description. */
    public static void await(String what, Supplier<Boolean> condition) {
        Awaitility.await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(condition::get);
    }

    private List<Message> uncheckedDrain(String queue) {
        try {
            return drain(queue);
        } catch (IOException e) {
            throw new AssertionError("cannot read " + queue, e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel = connection.createChannel(); // the test may have lost its own
            for (String queue : QUEUES) {
                channel.queueDelete(prefix + queue);
            }
            for (String exchange : EXCHANGES) {
                channel.exchangeDelete(prefix + exchange);
            }
        } finally {
            connection.abort(2_000);
        }
    }
}
