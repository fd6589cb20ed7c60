package pushbridge.hold;

/**
 * A message as it stands in a {@link LogRecord.Hold}. The arrays are shared and nobody may change them.
 *
 * @param id unique for ever; a lane is ordered by it
 * @param deadlineMillis when its time is over, in milliseconds since 1970
 * @param contentHash see {@link ContentHash}
 * @param properties its original properties, serialized; opaque here
 * @param body its body, byte for byte
 */
public record HeldMessage(long id, long deadlineMillis, long contentHash, byte[] properties, byte[] body) {

    /** Checks the id. */
    public HeldMessage {
        if (id < 0) {
            throw new IllegalArgumentException("a held message's id is 0 or more, this is " + id);
        }
    }
}
