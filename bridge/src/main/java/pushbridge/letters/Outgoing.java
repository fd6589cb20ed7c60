package pushbridge.letters;

import java.util.Map;

/**
 * Something to be published.
 *
 * @param letterId the id of the letter it was made of
 * @param key the routing key; of {@link Target#ADDRESS} alone, else empty
 * @param properties as in {@link Letter#properties}, {@code expiration} among them
 */
public record Outgoing(
        String letterId,
        Target target,
        String key,
        Map<String, Object> properties,
        Map<String, Object> headers,
        byte[] body) {

    /** Where to. */
    public enum Target {
        /** The exchange, as applications do. */
        ADDRESS,
        /** The queue of instructions, through the default exchange. */
        INSTRUCTIONS,
        /** The queue of dead letters, for what was exported from there. */
        DEAD,
        /** The queue of what expired, likewise. */
        EXPIRED
    }
}
