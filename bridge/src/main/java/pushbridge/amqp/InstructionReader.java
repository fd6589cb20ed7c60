package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Envelope;
import java.time.Instant;
import java.util.Date;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.envelope.Address;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Reading;

/** Makes an instruction of a delivery: reads the body, then the properties that count. Stateless; any thread. */
final class InstructionReader {

    /** The header that says what becomes of a message when nobody is there. */
    static final String OFFLINE = "x-push-offline";

    /** No plausible time lies behind it; a timestamp in milliseconds, the common mistake, does. */
    private static final Instant LATEST_TIMESTAMP = Instant.parse("9999-12-31T23:59:59Z");

    /** RabbitMQ takes at most 2^32-1 itself; whatever has more digits than this is a mistake, not a deadline. */
    private static final int EXPIRATION_DIGITS = 15;

    private final BodyReader bodies;
    private final Clock clock;

    InstructionReader(BodyReader bodies, Clock clock) {
        this.bodies = bodies;
        this.clock = clock;
    }

    Instruction read(IntakeChannel channel, Envelope delivery, BasicProperties properties, byte[] body) {
        AmqpOriginal original = new AmqpOriginal(
                delivery.getExchange(), delivery.getRoutingKey(), delivery.isRedeliver(), properties, body);
        Checked checked = check(original);
        return new Instruction(
                channel, delivery.getDeliveryTag(), original, checked.reading, checked.policy, checked.expiresAtMillis);
    }

    /** What it would be refused for if it came now; null when it would be taken. */
    Reading.@Nullable Refusal refusal(AmqpOriginal original) {
        return check(original).reading instanceof Reading.Refusal refusal ? refusal : null;
    }

    private record Checked(Reading reading, OfflinePolicy policy, long expiresAtMillis) {}

    private Checked check(AmqpOriginal original) {
        Reading reading = bodies.read(original.exchange(), original.routingKey(), original.body());
        BasicProperties properties = original.properties();
        OfflinePolicy policy = OfflinePolicy.DEAD_LETTER;
        long expiresAt = Instruction.NEVER;
        if (reading instanceof pushbridge.envelope.Envelope envelope) {
            try {
                policy = policy(original.headers().get(OFFLINE), envelope.to().kind());
                expiresAt = expiresAtMillis(properties.getExpiration(), properties.getTimestamp());
            } catch (BadPropertyException e) {
                reading = new Reading.Refusal(
                        DeadLetterReason.BAD_PROPERTY, e.sentence, envelope.to().text());
            }
        }
        return new Checked(reading, policy, expiresAt);
    }

    /** Makes an instruction that is refused as poisoned, without looking into it: that may be what breaks the bridge. */
    Instruction poisoned(IntakeChannel channel, Envelope delivery, BasicProperties properties, byte[] body) {
        AmqpOriginal original = new AmqpOriginal(
                delivery.getExchange(), delivery.getRoutingKey(), delivery.isRedeliver(), properties, body);
        Reading refusal = new Reading.Refusal(
                DeadLetterReason.POISONED,
                "it came back unsettled %d times because the bridge or its connection broke, the last times while it"
                                .formatted(original.deliveries() - 1)
                        + " alone was handled",
                // The default exchange's routing key is the queue, and the address is in the body.
                original.exchange().isEmpty() ? null : original.routingKey());
        return new Instruction(
                channel, delivery.getDeliveryTag(), original, refusal, OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
    }

    private static OfflinePolicy policy(@Nullable Object header, Address.Kind kind) throws BadPropertyException {
        if (header == null) {
            return switch (kind) {
                case USER -> OfflinePolicy.HOLD;
                case CHANNEL, ALL -> OfflinePolicy.DROP;
                case CONNECTION -> OfflinePolicy.DEAD_LETTER;
            };
        }
        return switch (header.toString()) {
            case "hold" -> {
                if (kind != Address.Kind.USER) {
                    throw new BadPropertyException(
                            "header x-push-offline is hold, but only messages to user.<id> can be held: use drop or"
                                    + " dead-letter");
                }
                yield OfflinePolicy.HOLD;
            }
            case "drop" -> OfflinePolicy.DROP;
            case "dead-letter" -> OfflinePolicy.DEAD_LETTER;
            default ->
                throw new BadPropertyException(
                        "header x-push-offline is " + quoted(header) + ": expected hold, drop or dead-letter");
        };
    }

    private long expiresAtMillis(@Nullable String expiration, @Nullable Date timestamp) throws BadPropertyException {
        if (expiration == null) {
            return Instruction.NEVER;
        }
        if (!isNumber(expiration)) {
            throw new BadPropertyException("property expiration is " + quoted(expiration)
                    + ": expected milliseconds as a text of digits, for example \"60000\"");
        }
        long from = clock.wallMillis();
        if (timestamp != null) {
            Instant published = timestamp.toInstant();
            if (published.isBefore(Instant.EPOCH) || published.isAfter(LATEST_TIMESTAMP)) {
                throw new BadPropertyException(
                        "property timestamp is outside the years 1970 to 9999: it counts seconds, not milliseconds");
            }
            from = published.toEpochMilli();
        }
        return from + Long.parseLong(expiration); // no overflow: both are bounded far below
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty()
                && text.length() <= EXPIRATION_DIGITS
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** For a sentence: cut and without control characters, so that it can stand in a header or a log line. */
    private static String quoted(Object value) {
        String text = value.toString();
        String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
    }

    private static final class BadPropertyException extends Exception {
        private final String sentence;

        BadPropertyException(String sentence) {
            // Without a stack trace: it is an answer about bad input, made on the hot path.
            super(sentence, null, false, false);
            this.sentence = sentence;
        }
    }
}
