package pushbridge.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.ServerFrames;

/**
 * A client that has just connected.
 *
 * @param id random and unguessable; whoever knows it can address {@code connection.<id>}
 * @param user who it is; null for an anonymous client
 * @param channels names of the channels it listens to from the start
 * @param refused names of channels that it asked for and may not listen to; it is told of each
 * @param expiresAt when its credentials expire, in seconds since the epoch; {@link #NEVER} when they do not
 * @param resumes the id of the connection it says it had before; null when it says nothing
 */
public record Newcomer(
        String id,
        @Nullable String user,
        List<String> channels,
        List<String> refused,
        long expiresAt,
        @Nullable String resumes) {

    /** The expiry of what does not expire. */
    public static final long NEVER = ServerFrames.NEVER;
}
