package pushbridge.amqp;

import java.time.Duration;

/**
 * How the held log is kept and read. Trusted: the configuration has checked the ranges.
 *
 * @param maxAge the broker may delete segments whose newest record is older; zero for no limit by age
 * @param maxBytes the broker deletes the oldest segments beyond this size; 0 for no limit by size
 * @param segmentBytes size of one segment file, the unit the broker deletes
 * @param appendRecords appended records that may wait for their confirms at the same time. A chunk of the log holds
 *     at most these, and readers always get whole chunks: so this bounds their memory, too (I5)
 * @param appendBytes the same in bytes; one larger record goes alone
 * @param tailPrefetch records the tail may have waiting for its listener, beside those of one chunk
 * @param readers cold reads that run at the same time, each on a channel of its own; at least 2: one serves the newest
 *     requests, the others scan
 * @param readPrefetch records one cold read may have waiting, beside those of one chunk
 */
public record LogSettings(
        Duration maxAge,
        long maxBytes,
        long segmentBytes,
        int appendRecords,
        int appendBytes,
        int tailPrefetch,
        int readers,
        int readPrefetch) {}
