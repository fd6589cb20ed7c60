package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What publishers are told who ask what became of their messages. */
@ExtendWith(BrokerExtension.class)
final class ReceiptsIT {

    private static final String NOTE = "{\"type\":\"note\",\"seq\":1,\"payload\":{}}";

    private final Broker broker;
    private final Connection connection;
    private final BlockingQueue<JsonNode> receipts = new LinkedBlockingQueue<>();
    private final Schema schema;
    private TestBridge bridge;

    ReceiptsIT(Broker broker) throws Exception {
        this.broker = broker;
        bridge = TestBridge.start(broker.config());
        bridge.awaitReady();
        schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(Files.readString(
                        Path.of(System.getProperty("pushbridge.root"), "schemas", "receipt.schema.json")));
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        connection = factory.newConnection();
        Channel channel = connection.createChannel();
        String queue = channel.queueDeclare().getQueue();
        channel.queueBind(queue, broker.prefix() + ".receipts", "shop");
        channel.basicConsume(
                queue,
                true,
                (tag, delivery) -> {
                    JsonNode receipt = JsonMapper.shared().readTree(delivery.getBody());
                    assertThat(receipt.path("correlationId").asString())
                            .isEqualTo(delivery.getProperties().getCorrelationId());
                    receipts.add(receipt);
                },
                tag -> {});
    }

    @AfterEach
    void stop() throws Exception {
        connection.abort();
        bridge.close();
    }

    private void publish(String address, String body, String replyTo, Map<String, Object> headers) throws IOException {
        publish(address, body, new BasicProperties.Builder().replyTo(replyTo).headers(headers));
    }

    private void publish(String address, String body, BasicProperties.Builder properties) throws IOException {
        broker.publish(
                broker.prefix(),
                address,
                properties.correlationId("q-1").messageId("m-1").build(),
                body);
    }

    private JsonNode receipt(String outcome) throws InterruptedException {
        JsonNode receipt = receipts.poll(Broker.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        assertThat((Object) receipt).as("a receipt " + outcome).isNotNull();
        assertThat(receipt.path("outcome").asString()).isEqualTo(outcome);
        assertThat(receipt.path("final").asBoolean()).isEqualTo(!outcome.equals("held"));
        assertThat(receipt.path("messageId").asString()).isEqualTo("m-1");
        assertThat(schema.validate(receipt)).as(receipt.toString()).isEmpty();
        return receipt;
    }

    private long counted(String fate) {
        try {
            return bridge.admin("/metrics")
                    .body()
                    .lines()
                    .filter(line -> line.startsWith("pushbridge_receipts_total{fate=\"" + fate + "\"}"))
                    .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private WebClient connect(String user, @Nullable String protocol) {
        WebClient client = protocol == null ? bridge.connect("user=" + user) : bridge.connect("user=" + user, protocol);
        bridge.awaitSessions(1);
        return client;
    }

    @Test
    void deliveredIsToldWhenTheClientHasIt() throws Exception {
        WebClient ann = connect("ann", "pushbridge.v1");
        long published = System.currentTimeMillis() / 1000 * 1000;
        publish(
                "user.ann",
                NOTE,
                new BasicProperties.Builder().replyTo("shop").timestamp(Date.from(Instant.ofEpochMilli(published))));
        ann.await(2);
        assertThat(receipts).isEmpty(); // the page has not acknowledged it
        ann.send("{\"type\":\"ack\",\"count\":1}");
        JsonNode receipt = receipt("delivered");
        assertThat(receipt.path("to").asString()).isEqualTo("user.ann");
        assertThat(java.time.Instant.parse(receipt.path("published").asString()).toEpochMilli())
                .isEqualTo(published);
        assertThat(receipt.has("reason")).isFalse();
    }

    @Test
    void aChannelThatSomebodyHearsIsDeliveredAndOneThatNobodyHearsIsDropped() throws Exception {
        bridge.connect("user=ann&channels=news");
        bridge.awaitSessions(1);
        publish("channel.news", NOTE, "shop", Map.of());
        assertThat(receipt("delivered").path("to").asString()).isEqualTo("channel.news");
        publish("channel.empty", NOTE, "shop", Map.of());
        receipt("dropped");
    }

    @Test
    void aDeadLetterTellsWhy() throws Exception {
        publish("user.ann", "{\"type\":\"note\",\"payload\":{}}", "shop", Map.of());
        JsonNode receipt = receipt("dead-lettered");
        assertThat(receipt.path("reason").asString()).isEqualTo("schema-invalid");
        assertThat(receipt.path("detail").asString()).contains("seq");
        publish("user.ann", NOTE, "shop", Map.of("x-push-offline", "dead-letter"));
        assertThat(receipt("dead-lettered").path("reason").asString()).isEqualTo("offline");
    }

    @Test
    void whatIsHeldIsToldTwiceAlsoWhenAnotherBridgeDeliversIt() throws Exception {
        publish("user.ann", NOTE, "shop", Map.of());
        receipt("held");
        connect("ann", null);
        receipt("delivered"); // its body was still in memory

        publish("user.ben", NOTE, "shop", Map.of());
        receipt("held");
        bridge.close();
        bridge = TestBridge.start(broker.config());
        bridge.awaitReady();
        connect("ben", null);
        assertThat(receipt("delivered").path("to").asString()).isEqualTo("user.ben"); // it was read from the log
    }

    @Test
    void whatExpiresWhileItIsHeldIsTold() throws Exception {
        publish("user.ann", NOTE, new BasicProperties.Builder().replyTo("shop").expiration("300"));
        receipt("held");
        receipt("expired");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".instructions", ".dead", ".anything"})
    void namesOfTheBridgesOwnAreRefused(String name) throws Exception {
        connect("ann", null);
        publish("user.ann", NOTE, broker.prefix() + name, Map.of());
        Broker.await("the refusal", () -> counted("forbidden") == 1);
        assertThat(counted("published")).isZero();
        Broker.await("the delivery all the same", () -> bridge.bridge().stats().delivered() == 1);
    }

    @Test
    void aReceiptThatNobodyWantsIsCountedAndHoldsNothingUp() throws Exception {
        connect("ann", null);
        publish("user.ann", NOTE, "nobody", Map.of());
        publish("user.ann", NOTE, "shop", Map.of());
        receipt("delivered");
        Broker.await("the count", () -> counted("unrouted") == 1);
        assertThat(counted("published")).isEqualTo(2);
    }

    @Test
    void whoDoesNotAskIsToldNothing() throws Exception {
        connect("ann", null);
        broker.publish("user.ann", NOTE);
        broker.publish(
                broker.prefix(),
                "user.ann",
                new BasicProperties.Builder().replyTo("shop").build(),
                NOTE);
        publish("user.ann", NOTE, "shop", Map.of());
        receipt("delivered");
        assertThat(receipts).isEmpty();
        assertThat(counted("published")).isEqualTo(1);
    }
}
