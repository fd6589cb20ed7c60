package pushbridge.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;
import pushbridge.delivery.OfflinePolicy;

/** Publishes one instruction, mandatory and confirmed. */
@FunctionalInterface
public interface Publisher {

    /**
     * One instruction.
     *
     * @param address whom it is for; the routing key
     * @param body the envelope, UTF-8
     * @param offline what becomes of it when nobody is there; null for the default of the address
     * @param expiration how long it may wait; null for no limit of its own
     * @param messageId the property {@code message_id}; null for none
     */
    record Request(
            String address,
            byte[] body,
            @Nullable OfflinePolicy offline,
            @Nullable Duration expiration,
            @Nullable String messageId) {}

    /** What became of a publish. */
    enum Outcome {
        /** Routed to at least one queue, and confirmed. */
        CONFIRMED,
        /** Returned: no queue takes it, or there is no such exchange. */
        RETURNED,
        /** Refused by the broker: basic.nack. */
        REFUSED,
        /** No confirm came in time; it may or may not have been taken. */
        NO_ANSWER,
        /** The broker could not be reached. */
        UNREACHABLE
    }

    /**
     * What became of a publish.
     *
     * @param outcome which of the closed list
     * @param detail what else is known, to stand in brackets; empty for nothing
     */
    record Result(Outcome outcome, String detail) {}

    /** Connects, publishes, waits for the answer and disconnects; throws nothing that {@link Outcome} can say. */
    Result publish(AmqpConfig amqp, Request request);
}
