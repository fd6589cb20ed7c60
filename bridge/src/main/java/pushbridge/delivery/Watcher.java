package pushbridge.delivery;

import org.jspecify.annotations.Nullable;

/**
 * Looks on at what the delivery loop does. Called by the loop's thread, so it must neither block nor take long, and what it
 * throws ends the loop.
 */
public interface Watcher {

    /** Whether it wants to hear of this address; null for what is about all, or has no address. */
    boolean wants(@Nullable String address);

    /** Something has happened that it wants to hear of. */
    void saw(Happening happening);
}
