package pushbridge.letters;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One letter in full.
 *
 * @param id 12 hexadecimal digits, the same whenever and by whomever it is read, also after export and import
 * @param reason why: a slug, one of {@code DeadLetterReason}, {@code expired}, or what RabbitMQ calls its own reasons
 * @param detail where and what exactly, one sentence; may be empty
 * @param address whom it was for; null when that cannot be told
 * @param type the envelope's type; null when that cannot be told
 * @param failedAt when it became a letter; RabbitMQ tells whole seconds
 * @param node the bridge that gave it up; null when RabbitMQ did, or nobody knows
 * @param deliveries how often it had been delivered to a bridge; 0 when nobody knows
 * @param exchange where it was published; empty for the default exchange
 * @param routingKey with which key it was published
 * @param history what had happened before, oldest first, one sentence each
 * @param properties the AMQP properties by their names in camel case; the timestamp is a Long of milliseconds
 * @param headers the AMQP headers as they are in the queue; strings, numbers, booleans, and what is rarer
 * @param body as it was published
 */
public record Letter(
        String id,
        LetterQueue queue,
        String reason,
        String detail,
        @Nullable String address,
        @Nullable String type,
        Instant failedAt,
        @Nullable String node,
        long deliveries,
        String exchange,
        String routingKey,
        List<String> history,
        Map<String, Object> properties,
        Map<String, Object> headers,
        byte[] body) {

    /** Whether the text stands in the body, the detail or a header, whatever the case. */
    boolean contains(String lowerCase) {
        return contains(new String(body, StandardCharsets.UTF_8), lowerCase)
                || contains(detail, lowerCase)
                || properties.values().stream().anyMatch(value -> contains(value.toString(), lowerCase))
                || headers.entrySet().stream()
                        .anyMatch(header -> contains(header.getKey() + ": " + header.getValue(), lowerCase));
    }

    private static boolean contains(String text, String lowerCase) {
        return text.toLowerCase(java.util.Locale.ROOT).contains(lowerCase);
    }
}
