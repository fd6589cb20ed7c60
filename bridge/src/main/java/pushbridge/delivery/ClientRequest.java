package pushbridge.delivery;

import java.util.function.Predicate;

/**
 * What a client asks of the delivery loop. Each is answered with a frame to that client.
 */
public sealed interface ClientRequest {

    /** The client's own {@code seq}, repeated in the answer; 0 when it sent none. */
    long seq();

    /**
     * From now on messages to the channel go to this connection.
     *
     * @param channel its name, without the prefix {@code channel.}
     */
    record Subscribe(String channel, long seq) implements ClientRequest {}

    /** Messages to the channel no longer go to this connection. */
    record Unsubscribe(String channel, long seq) implements ClientRequest {}

    /**
     * The connection has new credentials: channels that they do not grant are left.
     *
     * @param granted whether a channel of this name is granted; asked on the loop's thread, must not block
     * @param expiresAt when they expire, in seconds since the epoch; {@link Newcomer#NEVER} when they do not
     */
    record Renew(Predicate<String> granted, long expiresAt, long seq) implements ClientRequest {}
}
