package pushbridge.letters;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How letters are to be replayed.
 *
 * @param to another address for all of them; null for each one's own
 * @param patch what to change in the bodies; null for nothing
 * @param body another body, for a single letter; null for its own
 * @param expiration how long they may wait from now on; null for as long as they could before, counted anew
 * @param anyway also what a bridge would refuse again
 */
public record Replay(
        @Nullable String to,
        @Nullable JsonPatch patch,
        byte @Nullable [] body,
        @Nullable Duration expiration,
        boolean anyway) {

    /** As they are. */
    public static final Replay PLAIN = new Replay(null, null, null, null, false);
}
