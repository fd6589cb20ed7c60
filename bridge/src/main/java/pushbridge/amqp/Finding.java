package pushbridge.amqp;

import java.util.Locale;

/**
 * How one exchange, queue, stream or binding of the bridge stands on a broker.
 *
 * @param name its name; of a binding {@code exchange -> queue}
 * @param detail what else is to be known, without a full stop; empty for nothing
 */
public record Finding(Kind kind, String name, State state, String detail) {

    /** What RabbitMQ knows. */
    public enum Kind {
        EXCHANGE,
        QUEUE,
        STREAM,
        BINDING;

        /** For sentences. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How it stands. */
    public enum State {
        /** It was there, as wanted. */
        EXISTS,
        /** It is not there, and was not to be declared. */
        MISSING,
        /** It was missing and is there now. */
        DECLARED,
        /** There is another one of this name; it was left as it is. */
        DIFFERS,
        /** RabbitMQ does not let the user declare it, or compare it with what is wanted. */
        REFUSED,
        /** A binding that is there now and may have been before; AMQP does not tell. */
        BOUND,
        /** A binding that nothing is known of, because only declaring it would tell. */
        UNCHECKED
    }
}
