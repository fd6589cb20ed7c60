package pushbridge.hold;

/**
 * How much may be held.
 *
 * @param maxMessages in all, at least 1
 * @param maxPerAddress for one address, at least 1
 * @param maxBytes in all, in bytes of log, see {@link HeldIndex#bytes()}; at least 1
 */
public record HoldLimits(int maxMessages, int maxPerAddress, long maxBytes) {

    /** Checks. */
    public HoldLimits {
        if (maxMessages < 1 || maxPerAddress < 1 || maxBytes < 1) {
            throw new IllegalArgumentException("limits of what is held are at least 1, these are " + maxMessages
                    + " messages, " + maxPerAddress + " an address, " + maxBytes + " bytes");
        }
    }
}
