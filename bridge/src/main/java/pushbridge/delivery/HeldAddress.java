package pushbridge.delivery;

/**
 * What is held for one address.
 *
 * @param address such as {@code user.42}
 * @param messages how many, those that leave already not counted; at least 1
 * @param bytes what they take in the log
 * @param heldMillis when the oldest was held at the latest, in milliseconds since 1970
 * @param expiresMillis when the time of the first is over, in milliseconds since 1970
 * @param connections that are there and could take them
 */
public record HeldAddress(
        String address, int messages, long bytes, long heldMillis, long expiresMillis, int connections) {}
