package pushbridge.envelope;

import org.jspecify.annotations.Nullable;

/**
 * What a publisher asked for who wants to know what became of a message.
 *
 * @param replyTo where the receipt goes: the routing key on the exchange of receipts
 * @param correlationId the publisher's name for the question, given back
 * @param messageId the publisher's name for the message; null when it has none
 * @param publishedMillis when it was published, in milliseconds since 1970; 0 when nobody noted that
 */
public record AskedReceipt(
        String replyTo, String correlationId, @Nullable String messageId, long publishedMillis) {}
