package pushbridge.delivery;

import java.util.List;

/**
 * How it stands with one address at a moment.
 *
 * @param connections how many it is for: of the user, subscribed to the channel, …
 * @param first some of them, at most {@value #MOST_CONNECTIONS}
 * @param lane what becomes of the next message
 * @param unsettled messages in hand that RabbitMQ has not been told to forget, those on the way into the held log included
 * @param held messages in the held log, as far as this process has read it
 * @param nextExpiryMillis when the first of them expires, in milliseconds since 1970; 0 when none is held
 */
public record Standing(
        String address,
        int connections,
        List<Connection> first,
        Lane lane,
        int unsettled,
        int held,
        long nextExpiryMillis) {

    /** Connections told in full. */
    static final int MOST_CONNECTIONS = 20;

    /** What becomes of the next message. */
    public enum Lane {
        /** Nothing is under way. */
        IDLE,
        /** It is offered at once, when the window has room. */
        LIVE,
        /** It goes into the held log, behind what is there already. */
        HELD
    }

    /**
     * One connection.
     *
     * @param id its id
     * @param confirmation what tells that it has a message
     * @param offered envelopes put into its outbox since it was opened
     * @param confirmed of these, those it has
     * @param full whether its outbox is full
     */
    public record Connection(String id, Confirmation confirmation, long offered, long confirmed, boolean full) {}
}
