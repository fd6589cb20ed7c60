package pushbridge.delivery;

import java.util.List;

/**
 * Some of what is held, in the order of the log.
 *
 * @param messages at most as many as were asked for
 * @param more whether others follow behind the last of them
 */
public record HeldPage(List<Held> messages, boolean more) {

    /**
     * One message that waits for its reader.
     *
     * @param id its name in the held log
     * @param address whom it is for
     * @param expiresMillis when its time is over, in milliseconds since 1970
     * @param bytes of its body
     */
    public record Held(long id, String address, long expiresMillis, int bytes) {}
}
