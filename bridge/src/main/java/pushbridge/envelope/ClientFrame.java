package pushbridge.envelope;

/** What a client asks for in one text frame. The {@code seq} of each is the client's own; 0 when it sent none. */
public sealed interface ClientFrame {

    /** Answer with a pong. */
    record Ping(long seq) implements ClientFrame {}

    /**
     * The page has handled envelopes.
     *
     * @param count the first so many of this connection, from 0
     */
    record Ack(long count) implements ClientFrame {}

    /**
     * From now on the client wants the messages of a channel.
     *
     * @param channel its name; with {@code channel.} in front it is a valid address
     */
    record Subscribe(String channel, long seq) implements ClientFrame {}

    /** The client no longer wants the messages of a channel. */
    record Unsubscribe(String channel, long seq) implements ClientFrame {}

    /** New credentials in place of those the connection was opened with. */
    record Auth(String token, long seq) implements ClientFrame {

        /** Without the token, which must not get into a log. */
        @Override
        public String toString() {
            return "Auth[token=…, seq=" + seq + "]";
        }
    }

    /**
     * A frame that cannot be served; answered with {@link ServerFrames#error}.
     *
     * @param detail one sentence for the developer of the page, starting with the JSON pointer where there is one
     */
    record Invalid(ClientError code, String detail, long seq) implements ClientFrame {}
}
