package pushbridge.delivery;

/**
 * What a client asks of the delivery loop. Each is answered with a frame to that client.
 */
public sealed interface ClientRequest {

    /** The channel's name, without the prefix {@code channel.}. */
    String channel();

    /** The client's own {@code seq}, repeated in the answer; 0 when it sent none. */
    long seq();

    /** From now on messages to the channel go to this connection. */
    record Subscribe(String channel, long seq) implements ClientRequest {}

    /** Messages to the channel no longer go to this connection. */
    record Unsubscribe(String channel, long seq) implements ClientRequest {}
}
