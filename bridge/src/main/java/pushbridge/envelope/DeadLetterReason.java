package pushbridge.envelope;

import java.util.Locale;

/**
 * Why an instruction was dead-lettered: the closed list used by code, headers, metrics and documentation. The
 * {@linkplain #slug() slug} is what stands in the header {@code x-push-reason}.
 */
public enum DeadLetterReason {
    /** The body is not one JSON object in UTF-8: bad bytes, bad syntax, a duplicate member, text after the end. */
    MALFORMED("The body is not exactly one JSON object in UTF-8."),
    /** The body is JSON but breaks {@code envelope.schema.json}. */
    SCHEMA_INVALID("The envelope breaks envelope.schema.json."),
    /** The envelope is right, the payload breaks the schema of its type. */
    PAYLOAD_INVALID("The payload breaks the schema of its type."),
    /** The type is one of those that belong to the protocol itself. */
    RESERVED_TYPE("The type is reserved for the protocol."),
    /** There is no address, it cannot be parsed, or {@code to} contradicts the routing key. */
    UNADDRESSABLE("No usable address."),
    /** An AMQP property or header that counts has a value that cannot be used. */
    BAD_PROPERTY("An AMQP property or header cannot be used."),
    /** The body is larger than {@code message.max-bytes}. */
    TOO_LARGE("The body is larger than message.max-bytes."),
    /** Nobody was connected to receive it, and it may not or cannot be held. */
    OFFLINE("Nobody was there to receive it."),
    /** The held log is full: in all, or for this address. */
    HOLD_FULL("The held log is full."),
    /** It was redelivered so often that it, and nothing near it, must be what breaks its consumers. */
    POISONED("Redelivered too often.");

    private final String slug = name().toLowerCase(Locale.ROOT).replace('_', '-');
    private final String meaning;

    DeadLetterReason(String meaning) {
        this.meaning = meaning;
    }

    /** The name in headers, metrics and documentation, for example {@code schema-invalid}. */
    public String slug() {
        return slug;
    }

    /** One sentence for people. */
    public String meaning() {
        return meaning;
    }
}
