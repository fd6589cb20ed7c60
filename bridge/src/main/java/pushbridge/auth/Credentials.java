package pushbridge.auth;

import org.jspecify.annotations.Nullable;
import pushbridge.envelope.ServerFrames;

/**
 * What a client has shown itself to be.
 *
 * @param user who it is; null for an anonymous client
 * @param channels what it may subscribe to
 * @param expiresAt seconds since the epoch; {@link #NEVER} when nothing ends it
 */
public record Credentials(@Nullable String user, ChannelGrants channels, long expiresAt) {

    /** The expiry of what does not expire. */
    public static final long NEVER = ServerFrames.NEVER;

    /** A client that nobody asks for credentials. */
    public static Credentials unchecked(@Nullable String user) {
        return new Credentials(user, ChannelGrants.ALL, NEVER);
    }
}
