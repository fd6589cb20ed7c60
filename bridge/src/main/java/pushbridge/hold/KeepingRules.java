package pushbridge.hold;

import java.time.Duration;

/**
 * How the log is kept short.
 *
 * @param checkpointRecords a checkpoint is due after this many records, at least 1: how far a reader has to look back
 * @param checkpointBytes a checkpoint is due after this many bytes, at least 1
 * @param spanFactor the span of the log that is still needed is at most about this many times what is held, at least 2;
 *     a larger one takes more disk and copies less, about 1 byte for every {@code spanFactor - 1} appended
 * @param floorBytes the span is never worth shortening below this, at least 1
 * @param copyAge what is older than this is copied forward; well below the age at which the broker cuts the log off
 * @param stepMessages most messages copied in one step, at least 1
 * @param stepBytes most bytes copied in one step, unless a single message is larger; more than is appended during a step,
 *     or the log grows in spite of it
 */
public record KeepingRules(
        long checkpointRecords,
        long checkpointBytes,
        int spanFactor,
        long floorBytes,
        Duration copyAge,
        int stepMessages,
        int stepBytes) {

    /** How old the oldest is, is told to a minute. */
    private static final long MARK_MILLIS = 60_000;

    /** Checks. */
    public KeepingRules {
        if (checkpointRecords < 1
                || checkpointBytes < 1
                || spanFactor < 2
                || floorBytes < 1
                || copyAge.isNegative()
                || copyAge.isZero()
                || stepMessages < 1
                || stepBytes < 1) {
            throw new IllegalArgumentException("these rules cannot keep a log: " + checkpointRecords + " records or "
                    + checkpointBytes + " bytes to a checkpoint, span factor " + spanFactor + ", floor " + floorBytes
                    + " bytes, copy age " + copyAge + ", steps of " + stepMessages + " messages or " + stepBytes
                    + " bytes");
        }
    }

    /**
     * The longest the needed span gets, in bytes, while at most this much is held: what the broker must keep. It adds to
     * the factor and the floor what can be appended and copied while the oldest is being copied forward.
     */
    public long longestSpanBytes(long maxHeldBytes) {
        return Math.addExact(
                Math.multiplyExact(maxHeldBytes, spanFactor + 2L), floorBytes + 4L * stepBytes + 2 * markBytes());
    }

    /** How exactly the keeper knows which offset is how many bytes back. */
    long markBytes() {
        return Math.max(1, floorBytes / 64);
    }

    /** How exactly the keeper knows how old an offset is. */
    long markMillis() {
        return Math.max(1, Math.min(MARK_MILLIS, copyAge.toMillis() / 16));
    }
}
