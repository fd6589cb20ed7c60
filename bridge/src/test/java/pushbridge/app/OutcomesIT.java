package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.testing.Broker;
import pushbridge.testing.Broker.Message;
import pushbridge.testing.BrokerExtension;

/** Each outcome and each dead-letter reason, from the publish to the browser or the queue. */
@ExtendWith(BrokerExtension.class)
final class OutcomesIT {

    private final Broker broker;
    private final TestBridge bridge;

    OutcomesIT(Broker broker, @TempDir Path types) throws Exception {
        this.broker = broker;
        Files.writeString(types.resolve("order.schema.json"), """
                {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["id"]}
                """);
        bridge = TestBridge.start(TestBridge.config(broker.config(), TestBridge.LONG, types));
    }

    @BeforeEach
    void ready() {
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    private static String envelope(String text) {
        return """
                {"type":"note","payload":{"text":"%s"},"seq":1}""".formatted(text);
    }

    private void awaitDelivered(long count) {
        Broker.await(count + " delivered", () -> bridge.bridge().stats().delivered() == count);
    }

    // ---- delivered ---------------------------------------------------------------------------------------------

    @Test
    void aUserGetsTheBodyByteForByteWithItsAddress() throws IOException {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        broker.publish("user.ann", "{ \"type\":\"note\",\"payload\":{\"text\":\"ä 👋\"},  \"seq\":1e3}");

        assertThat(ann.await(1))
                .containsExactly(
                        "{\"to\":\"user.ann\", \"type\":\"note\",\"payload\":{\"text\":\"ä 👋\"},  \"seq\":1e3}");
        awaitDelivered(1); // I1: by the pong that the client's library sent by itself
        bridge.bridge().stats();
        assertThat(broker.ready(broker.prefix() + ".instructions")).isZero();
    }

    @Test
    void aPageThatAcknowledgesDecidesWhenAMessageIsDelivered() throws IOException { // I1
        WebClient page = bridge.connect("user=ann", "pushbridge.v1");
        assertThat(page.await(1).get(0)).contains("bridge.welcome").contains("\"user\":\"ann\"");
        bridge.awaitSessions(1);
        broker.publish("user.ann", envelope("one"));
        page.await(2);
        assertThat(bridge.bridge().stats().delivered()).isZero();

        page.send("{\"type\":\"ack\",\"count\":1}");
        awaitDelivered(1);
    }

    @Test
    void channelsReachTheirSubscribersAndAllReachesEverybody() throws IOException {
        WebClient ann = bridge.connect("user=ann&channels=news");
        WebClient bob = bridge.connect("user=bob");
        bridge.awaitSessions(2);
        bob.send("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"news\"},\"seq\":5}");
        assertThat(bob.await(1).get(0)).contains("bridge.subscribed").contains("\"seq\":5");
        broker.publish("channel.news", envelope("news"));
        broker.publish("all", envelope("all"));
        ann.await(2);
        bob.await(3);
        bob.send("{\"type\":\"unsubscribe\",\"payload\":{\"channel\":\"news\"}}");
        bob.await(4);
        broker.publish("channel.news", envelope("more"));
        broker.publish("all", envelope("end"));

        assertThat(ann.await(4)).extracting(OutcomesIT::text).containsExactly("news", "all", "more", "end");
        assertThat(bob.await(5).get(4)).contains("end");
        awaitDelivered(4);
    }

    @Test
    void oneConnectionCanBeAddressed() throws IOException {
        WebClient page = bridge.connect("user=ann", "pushbridge.v1");
        String id = page.await(1).get(0).replaceAll(".*\"connection\":\"([^\"]+)\".*", "$1");
        bridge.awaitSessions(1);
        broker.publish("connection." + id, envelope("just you"));

        assertThat(page.await(2).get(1)).contains("just you").contains("connection." + id);
    }

    @Test
    void theDefaultExchangeWorksWithTheAddressInTheBody() throws IOException {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        String body = "{\"type\":\"note\",\"payload\":{},\"seq\":1,\"to\":\"user.ann\"}";
        broker.publish("", broker.prefix() + ".instructions", new BasicProperties(), body);

        assertThat(ann.await(1)).containsExactly(body);
    }

    private static String text(String frame) {
        return frame.replaceAll(".*\"text\":\"([^\"]*)\".*", "$1");
    }

    // ---- dropped, expired --------------------------------------------------------------------------------------

    @Test
    void whatNobodyWatchesIsDroppedAndCounted() throws IOException {
        broker.publish("channel.empty", envelope("one"));
        broker.publish(
                broker.prefix(),
                "user.nobody",
                new BasicProperties.Builder()
                        .headers(Map.of("x-push-offline", "drop"))
                        .build(),
                envelope("two"));
        Broker.await("2 dropped", () -> bridge.bridge().stats().dropped() == 2);

        assertThat(broker.ready(broker.prefix() + ".dead")).isZero();
    }

    @Test
    void anExpiredMessageIsCopiedToTheExpiredOnes() throws IOException {
        broker.publish(
                broker.prefix(),
                "user.ann",
                new BasicProperties.Builder()
                        .timestamp(Date.from(Instant.now().minusSeconds(3_600)))
                        .expiration("60000")
                        .build(),
                envelope("late"));

        Message copy = broker.awaitMessages(broker.prefix() + ".expired", 1).get(0);
        assertThat(copy.header("x-push-reason")).isEqualTo("expired");
        assertThat(copy.header("x-push-original-expiration")).isEqualTo("60000");
        assertThat(copy.properties().getExpiration()).isNull();
        Broker.await("1 expired", () -> bridge.bridge().stats().expired() == 1);
    }

    // ---- dead --------------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "malformed       | user.ann | {\"type\":\"note\",\"type\":\"note\",\"payload\":{},\"seq\":1}",
                "malformed       | user.ann | {\"type\":\"note\",\"payload\":{},\"seq\":1} x",
                "schema-invalid  | user.ann | {\"type\":\"note\",\"payload\":[],\"seq\":1}",
                "payload-invalid | user.ann | {\"type\":\"order\",\"payload\":{},\"seq\":1}",
                "reserved-type   | user.ann | {\"type\":\"bridge.welcome\",\"payload\":{},\"seq\":1}",
                "unaddressable   | nobody   | {\"type\":\"note\",\"payload\":{},\"seq\":1}",
                "unaddressable   | user.ann | {\"type\":\"note\",\"payload\":{},\"seq\":1,\"to\":\"user.bob\"}",
                "offline         | connection.x | {\"type\":\"note\",\"payload\":{},\"seq\":1}",
            })
    void whatCanNeverBeDeliveredBecomesADeadLetterWithItsReason(String reason, String routingKey, String body)
            throws IOException {
        broker.publish(routingKey, body);

        Message letter = broker.awaitMessages(broker.prefix() + ".dead", 1).get(0);
        assertThat(letter.header("x-push-reason")).isEqualTo(reason);
        assertThat(letter.header("x-push-detail")).isNotBlank();
        assertThat(letter.header("x-push-address")).isEqualTo(routingKey);
        assertThat(letter.body()).isEqualTo(body);
        DeadLetterReason expected = List.of(DeadLetterReason.values()).stream()
                .filter(one -> one.slug().equals(reason))
                .findFirst()
                .orElseThrow();
        Broker.await("counted as " + reason, () -> bridge.bridge().stats().dead(expected) == 1);
    }

    @Test
    void aBodyLargerThanTheLimitIsTooLarge() throws IOException {
        broker.publish("user.ann", envelope("x".repeat(64 * 1024)));

        Message letter = broker.awaitMessages(broker.prefix() + ".dead", 1).get(0);
        assertThat(letter.header("x-push-reason")).isEqualTo("too-large");
    }

    @Test
    void aPropertyThatCannotBeUsedIsABadProperty() throws IOException {
        broker.publish(
                broker.prefix(),
                "channel.news",
                new BasicProperties.Builder()
                        .headers(Map.of("x-push-offline", "hold"))
                        .build(),
                envelope("one"));

        Message letter = broker.awaitMessages(broker.prefix() + ".dead", 1).get(0);
        assertThat(letter.header("x-push-reason")).isEqualTo("bad-property");
        assertThat(letter.header("x-push-detail")).contains("x-push-offline");
    }

    @Test
    void aBadMessageDoesNotDelayTheOnesBehindIt() throws IOException {
        WebClient ann = bridge.connect("user=ann");
        bridge.awaitSessions(1);
        broker.publish("user.ann", "not JSON");
        broker.publish("user.ann", envelope("good"));

        assertThat(ann.await(1).get(0)).contains("good");
    }

    @Test
    void aConnectionThatConfirmsNothingMovesItsMessagesIntoTheHeldLog() throws Exception { // I4
        bridge.close();
        try (TestBridge impatient =
                TestBridge.start(TestBridge.config(broker.config(), Duration.ofMillis(300), null))) {
            impatient.awaitReady();
            WebClient page = impatient.connect("user=ann", "pushbridge.v1");
            page.await(1);
            impatient.awaitSessions(1);
            broker.publish("user.ann", envelope("one"));
            page.await(2);
            Broker.await("1 held", () -> impatient.bridge().stats().held() == 1);
            page.send("{\"type\":\"ack\",\"count\":1}");

            Broker.await(
                    "released by the late acknowledgement",
                    () -> impatient.bridge().stats().heldMessages() == 0);
            assertThat(page.received()).isEqualTo(2);
        }
    }
}
