package pushbridge.envelope;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.io.JsonStringEncoder;

/**
 * The texts of what the bridge itself says to a client ({@code server-frame.schema.json}). An answer repeats the
 * {@code seq} of the client's frame; what nobody asked for has 0.
 */
public final class ServerFrames {

    /** The expiry of what does not expire. */
    public static final long NEVER = Long.MAX_VALUE;

    private ServerFrames() {}

    /** The answer to a ping. */
    public static String pong(long seq) {
        return frame("pong", "{}", seq);
    }

    /**
     * The connection is open.
     *
     * @param connection its id
     * @param user who is connected; null for an anonymous client
     * @param complete whether the bridge knows that nothing was missed since the last connection
     */
    public static String welcome(String connection, @Nullable String user, boolean complete) {
        return welcome(connection, user, complete, NEVER);
    }

    /**
     * The connection is open, until its credentials expire.
     *
     * @param expiresAt seconds since the epoch; {@link #NEVER} when they do not, and then it is not told
     */
    public static String welcome(String connection, @Nullable String user, boolean complete, long expiresAt) {
        String name = user == null ? "null" : quoted(user);
        String expiry = expiresAt == NEVER ? "" : ",\"expiresAt\":" + expiresAt;
        return frame(
                "bridge.welcome",
                "{\"connection\":" + quoted(connection) + ",\"user\":" + name + ",\"complete\":" + complete + expiry
                        + '}',
                0);
    }

    /**
     * The client's new credentials are good.
     *
     * @param expiresAt until when, in seconds since the epoch; {@link #NEVER} for ever, and then it is null
     */
    public static String renewed(long expiresAt, long seq) {
        return frame("bridge.renewed", "{\"expiresAt\":" + (expiresAt == NEVER ? "null" : expiresAt) + '}', seq);
    }

    /**
     * Messages of a channel come from now on.
     *
     * @param complete whether the bridge knows that nothing of the channel was missed
     */
    public static String subscribed(String channel, boolean complete, long seq) {
        return frame("bridge.subscribed", "{\"channel\":" + quoted(channel) + ",\"complete\":" + complete + '}', seq);
    }

    /** Messages of a channel come no longer. */
    public static String unsubscribed(String channel, long seq) {
        return frame("bridge.unsubscribed", "{\"channel\":" + quoted(channel) + '}', seq);
    }

    /**
     * A frame of the client could not be served.
     *
     * @param detail one sentence for the developer of the page
     */
    public static String error(ClientError code, String detail, long seq) {
        return frame("bridge.error", "{\"code\":" + quoted(code.slug()) + ",\"detail\":" + quoted(detail) + '}', seq);
    }

    /** The client may not listen to this channel; whether there is anything to hear is not told. */
    public static String forbidden(String channel, long seq) {
        return frame(
                "bridge.error",
                "{\"code\":" + quoted(ClientError.FORBIDDEN.slug())
                        + ",\"detail\":\"Your token does not grant this channel.\",\"channel\":" + quoted(channel)
                        + '}',
                seq);
    }

    /**
     * The bridge is about to close this connection.
     *
     * @param delay how long the client should wait before it connects again; told in whole milliseconds
     */
    public static String goingAway(Duration delay) {
        return frame("bridge.going-away", "{\"delay\":" + delay.toMillis() + '}', 0);
    }

    private static String frame(String type, String payload, long seq) {
        return "{\"type\":\"" + type + "\",\"payload\":" + payload + ",\"seq\":" + seq + '}';
    }

    private static String quoted(String text) {
        return '"' + String.valueOf(JsonStringEncoder.getInstance().quoteAsCharArray(text)) + '"';
    }
}
