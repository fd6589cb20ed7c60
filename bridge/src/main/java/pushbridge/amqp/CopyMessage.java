package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The properties of a copy: what stays as it was, what the bridge adds, and what must not live on. A live {@code
 * user_id} is refused by the broker (406), an {@code expiration} makes the copy vanish from its queue, {@code CC} and
 * {@code BCC} route it elsewhere too, and {@code x-death} is believed by RabbitMQ up to 3.13.
 */
final class CopyMessage {

    static final String REASON = "x-push-reason";
    static final String DETAIL = "x-push-detail";
    static final String ADDRESS = "x-push-address";
    static final String FAILED_AT = "x-push-failed-at";
    static final String DELIVERIES = "x-push-deliveries";
    static final String NODE = "x-push-node";
    /** The same on every attempt to publish a copy, so a copy that arrived twice can be told. */
    static final String COPY_ID = "x-push-copy-id";

    static final String HEADERS_DROPPED = "x-push-original-headers-dropped";
    static final String ORIGINAL = "x-push-original-";

    /** Longest text of a header we write, in bytes of UTF-8: all of them together stay far below a frame. */
    static final int MAX_TEXT_BYTES = 1024;

    /** Longest text of a property: AMQP counts its bytes in one. */
    private static final int MAX_PROPERTY_BYTES = 255;

    /** From an earlier copy of the same message, or written by the broker for one delivery: never carried over. */
    private static final Set<String> STALE = Set.of(
            REASON, DETAIL, ADDRESS, FAILED_AT, DELIVERIES, NODE, COPY_ID, "x-delivery-count", "x-acquired-count");

    private CopyMessage() {}

    /**
     * @param reason the slug of the reason
     * @param detail cut to {@value #MAX_TEXT_BYTES} bytes
     * @param keepHeaders false to leave the message's own headers out
     */
    static BasicProperties properties(
            AmqpOriginal original,
            String reason,
            String detail,
            @Nullable String address,
            Instant failedAt,
            String node,
            String copyId,
            boolean keepHeaders) {
        BasicProperties from = original.properties();
        Map<String, Object> headers = new HashMap<>();
        if (keepHeaders) {
            original.headers().forEach((name, value) -> carry(name, value, headers));
        } else {
            headers.put(HEADERS_DROPPED, true);
        }
        put(headers, ORIGINAL + "exchange", original.exchange());
        put(headers, ORIGINAL + "routing-key", original.routingKey());
        put(headers, ORIGINAL + "user-id", from.getUserId());
        put(headers, ORIGINAL + "expiration", from.getExpiration());
        if (from.getPriority() != null) {
            headers.put(ORIGINAL + "priority", from.getPriority()); // live it would change the order in the queue
        }
        put(headers, REASON, reason);
        put(headers, DETAIL, detail);
        put(headers, ADDRESS, address);
        put(headers, FAILED_AT, failedAt.truncatedTo(ChronoUnit.MILLIS).toString());
        put(headers, NODE, node);
        put(headers, COPY_ID, copyId);
        headers.put(DELIVERIES, original.deliveries());
        return new BasicProperties.Builder()
                .contentType(shortText(from.getContentType()))
                .contentEncoding(shortText(from.getContentEncoding()))
                .messageId(shortText(from.getMessageId()))
                .correlationId(shortText(from.getCorrelationId()))
                .replyTo(shortText(from.getReplyTo()))
                .timestamp(from.getTimestamp())
                .type(shortText(from.getType()))
                .appId(shortText(from.getAppId()))
                .deliveryMode(2)
                .headers(headers)
                .build();
    }

    private static void carry(String name, @Nullable Object value, Map<String, Object> headers) {
        if (name.equals("CC")) {
            put(headers, ORIGINAL + "cc", text(value));
        } else if (name.equals("x-death")) {
            put(headers, ORIGINAL + "death", deaths(value));
        } else if (name.startsWith("x-first-death-") || name.startsWith("x-last-death-")) {
            put(headers, ORIGINAL + name.substring("x-".length()), text(value));
        } else if (!name.equals("BCC") && !name.startsWith(ORIGINAL) && !STALE.contains(name)) {
            headers.put(name, value); // BCC is blind: it is not kept in any form
        }
    }

    /** One scalar of a list. */
    private static String text(@Nullable Object value) {
        if (value instanceof List<?> list) {
            List<String> texts = new ArrayList<>();
            list.forEach(element -> texts.add(String.valueOf(element)));
            return String.join(", ", texts);
        }
        return String.valueOf(value);
    }

    /** For example {@code expired in orders ×2, rejected in shipping ×1}. */
    private static String deaths(@Nullable Object value) {
        if (!(value instanceof List<?> list)) {
            return text(value);
        }
        List<String> texts = new ArrayList<>();
        for (Object element : list) {
            texts.add(
                    element instanceof Map<?, ?> death
                            ? "%s in %s ×%s".formatted(death.get("reason"), death.get("queue"), death.get("count"))
                            : String.valueOf(element));
        }
        return String.join(", ", texts);
    }

    private static void put(Map<String, Object> headers, String name, @Nullable String text) {
        if (text != null) {
            headers.put(name, cut(text));
        }
    }

    /**
     * A property as it was, unless it cannot be written again: bytes that are no UTF-8 are read as replacement characters,
     * and those take more room than the bytes did.
     */
    private static @Nullable String shortText(@Nullable String text) {
        return text == null ? null : cut(text, MAX_PROPERTY_BYTES);
    }

    /** At most {@value #MAX_TEXT_BYTES} bytes, ending with a whole character. */
    static String cut(String text) {
        return cut(text, MAX_TEXT_BYTES);
    }

    private static String cut(String text, int maxBytes) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= maxBytes) {
            return text;
        }
        int end = maxBytes - "…".getBytes(StandardCharsets.UTF_8).length;
        while ((bytes[end] & 0xC0) == 0x80) { // inside a character
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8) + "…";
    }
}
