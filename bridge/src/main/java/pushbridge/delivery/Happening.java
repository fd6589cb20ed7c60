package pushbridge.delivery;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened in the delivery loop, for who looks on. Immutable; bodies are shared and never modified.
 *
 * @param atMillis when, in milliseconds since 1970 by the loop's clock
 * @param address whom it is about; null when it is about all, or about a message without an address
 * @param message the message; null when it is about no single one
 * @param session the connection; null when it is about none, or about several
 * @param count how many messages or connections it is about
 * @param detail more about it, such as why, without a full stop; empty for nothing
 */
public record Happening(
        long atMillis,
        Kind kind,
        @Nullable String address,
        @Nullable Message message,
        @Nullable String session,
        int count,
        String detail) {

    /** What can happen. */
    public enum Kind {
        /** An instruction came from the broker, and its envelope is valid. */
        RECEIVED,
        /** An instruction came from the broker that can never be delivered; the detail begins with the reason. */
        REFUSED,
        /** It was taken out again: the held log has it already. */
        DUPLICATE,
        /** It is in a connection's outbox; for many, in the outboxes of so many. */
        OFFERED,
        /** It could not be offered yet. */
        WAITING,
        /** A connection's outbox is full; it gets the rest when it has read. */
        FULL,
        /** A connection has it: it is settled, or released from the held log. */
        DELIVERED,
        /** A connection has it that does not count, since another one of this user acknowledges. */
        COPIED,
        /** It is on its way into the held log. */
        HOLDING,
        /** The held log has it. */
        HELD,
        /** So many held messages are back in the lane of an address, to be offered. */
        RELEASED,
        /** Its time is over, and the copy is on its way to the expired ones. */
        EXPIRING,
        /** That copy is safe. */
        EXPIRED,
        /** Its policy is to forget it when nobody is there. */
        DROPPED,
        /** The copy is on its way to the dead letters; the detail begins with the reason. */
        DEAD_LETTERING,
        /** That copy is safe. */
        DEAD_LETTERED,
        /** It stays with the broker, since the bridge is stopping. */
        LEFT,
        /** The channel to the broker ended with so many unsettled; the broker delivers them again. */
        RETURNED,
        /** The held log had it no more when it was needed. */
        LOST,
        /** A connection was opened. */
        CONNECTED,
        /** A connection is gone. */
        DISCONNECTED,
        /** A connection listens to a channel. */
        SUBSCRIBED,
        /** A connection listens to it no more. */
        UNSUBSCRIBED,
        /** From now on what comes for an address goes through the held log, although somebody is connected. */
        LANE_HELD,
        /** What was held for an address is delivered: it is offered at once again. */
        LANE_LIVE,
        /** Another bridge delivers from now on. */
        FENCED;

        /** As in JSON: {@code dead-lettered}. */
        public String slug() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * Which message; as much of it as is known where it happened.
     *
     * @param generation of the intake it came from, with {@code tag} a name for it until it is settled; 0 when it comes
     *     from the held log
     * @param tag its delivery tag
     * @param heldId its name in the held log; 0 while it has none
     * @param messageId the publisher's; null when it has none, or it is not known
     * @param type the envelope's; null when it is not known
     * @param seq the envelope's; -1 when it is not known
     * @param bytes of its body, or a few more
     * @param body the envelope, where type and seq are not known but this is; else null
     */
    public record Message(
            long generation,
            long tag,
            long heldId,
            @Nullable String messageId,
            @Nullable String type,
            long seq,
            int bytes,
            byte @Nullable [] body) {}
}
