package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CopyMessageTest {

    private static final Instant FAILED_AT = Instant.parse("2030-01-02T03:04:05.678Z");

    private final BasicProperties.Builder published = new BasicProperties.Builder();
    private final Map<String, Object> headers = new HashMap<>();

    @Test
    void whatWouldHarmIsKeptOnlyAsText() {
        published.userId("shop").expiration("60000").priority(7);
        headers.put("CC", List.of("a", "b"));
        headers.put("BCC", List.of("secret"));
        headers.put("x-death", List.of(Map.of("reason", "expired", "queue", "orders", "count", 2L)));
        headers.put("x-first-death-reason", "expired");
        headers.put("x-last-death-queue", "orders");

        BasicProperties copy = copy();
        assertThat(copy.getUserId()).isNull();
        assertThat(copy.getExpiration()).isNull();
        assertThat(copy.getPriority()).isNull();
        assertThat(copy.getHeaders())
                .doesNotContainKeys("CC", "BCC", "x-death", "x-first-death-reason", "x-last-death-queue")
                .containsEntry("x-push-original-user-id", "shop")
                .containsEntry("x-push-original-expiration", "60000")
                .containsEntry("x-push-original-priority", 7)
                .containsEntry("x-push-original-cc", "a, b")
                .containsEntry("x-push-original-death", "expired in orders ×2")
                .containsEntry("x-push-original-first-death-reason", "expired")
                .containsEntry("x-push-original-last-death-queue", "orders");
        assertThat(copy.getHeaders().toString()).doesNotContain("secret");
    }

    @Test
    void whatDescribesTheMessageSurvives() {
        published
                .contentType("application/json")
                .contentEncoding("utf-8")
                .messageId("id")
                .correlationId("correlation")
                .replyTo("receipts")
                .timestamp(Date.from(Instant.EPOCH))
                .type("order.created")
                .appId("shop")
                .deliveryMode(1);
        headers.put("traceparent", "00-1-2-3");
        headers.put("x-push-offline", "drop");
        headers.put("nothing", null);

        BasicProperties copy = copy();
        assertThat(copy.getContentType()).isEqualTo("application/json");
        assertThat(copy.getContentEncoding()).isEqualTo("utf-8");
        assertThat(copy.getMessageId()).isEqualTo("id");
        assertThat(copy.getCorrelationId()).isEqualTo("correlation");
        assertThat(copy.getReplyTo()).isEqualTo("receipts");
        assertThat(copy.getTimestamp()).isEqualTo(Date.from(Instant.EPOCH));
        assertThat(copy.getType()).isEqualTo("order.created");
        assertThat(copy.getAppId()).isEqualTo("shop");
        assertThat(copy.getDeliveryMode()).isEqualTo(2);
        assertThat(copy.getHeaders())
                .containsEntry("traceparent", "00-1-2-3")
                .containsEntry("x-push-offline", "drop")
                .containsKey("nothing");
    }

    @Test
    void theReasonIsAdded() {
        assertThat(copy().getHeaders())
                .containsEntry("x-push-reason", "malformed")
                .containsEntry("x-push-detail", "not JSON")
                .containsEntry("x-push-address", "user.42")
                .containsEntry("x-push-failed-at", "2030-01-02T03:04:05.678Z")
                .containsEntry("x-push-deliveries", 1L)
                .containsEntry("x-push-node", "node-1")
                .containsEntry("x-push-copy-id", "copy-1")
                .containsEntry("x-push-original-exchange", "push")
                .containsEntry("x-push-original-routing-key", "user.42");
    }

    @Test
    void anEarlierCopysHeadersAreReplaced() {
        headers.put("x-push-reason", "offline");
        headers.put("x-push-original-user-id", "somebody");
        headers.put("x-push-original-headers-dropped", true);
        headers.put("x-delivery-count", 3L);
        assertThat(copy().getHeaders())
                .containsEntry("x-push-reason", "malformed")
                .doesNotContainKeys("x-push-original-user-id", "x-push-original-headers-dropped", "x-delivery-count");
    }

    @Test
    void withoutItsHeadersTheCopySaysSo() {
        headers.put("own", "value");
        BasicProperties copy = CopyMessage.properties(
                original(false), "malformed", "not JSON", null, FAILED_AT, "node-1", "copy-1", false);
        assertThat(copy.getHeaders())
                .doesNotContainKeys("own", "x-push-address")
                .containsEntry("x-push-original-headers-dropped", true)
                .containsEntry("x-push-original-routing-key", "user.42");
    }

    @Test
    void theBrokersCountMakesTheDeliveries() {
        headers.put("x-delivery-count", 4L);
        assertThat(original(true).deliveries()).isEqualTo(5);
        assertThat(original(false).deliveries()).isEqualTo(1); // the header could only be the publisher's
    }

    @Test
    void aLongTextIsCutBetweenCharacters() {
        String cut = CopyMessage.cut("ü😀".repeat(1000));
        assertThat(cut.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(1024);
        assertThat(cut).endsWith("…").doesNotContain("\uFFFD");
        assertThat(CopyMessage.cut("x".repeat(1024))).hasSize(1024).doesNotContain("…");
    }

    @Test
    void whatIsNoTextCanStillBeWritten() throws Exception {
        // 200 bytes that are not UTF-8 are read as 200 replacement characters, of three bytes each.
        String unreadable = "\uFFFD".repeat(200);
        published
                .contentType(unreadable)
                .contentEncoding(unreadable)
                .messageId(unreadable)
                .correlationId(unreadable)
                .replyTo(unreadable)
                .type(unreadable)
                .appId(unreadable);

        BasicProperties copy = copy();
        assertThat(copy.toFrame(1, 0).size()).isPositive();
        assertThat(copy.getMessageId().getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(255);
        assertThat(copy.getMessageId()).startsWith("\uFFFD").endsWith("…");
    }

    private BasicProperties copy() {
        return CopyMessage.properties(
                original(false), "malformed", "not JSON", "user.42", FAILED_AT, "node-1", "copy-1", true);
    }

    private AmqpOriginal original(boolean redelivered) {
        return new AmqpOriginal(
                "push", "user.42", redelivered, published.headers(headers).build(), new byte[0]);
    }
}
