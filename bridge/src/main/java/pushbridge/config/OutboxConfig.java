package pushbridge.config;

/**
 * What may wait for one connection, and for all.
 *
 * @param maxFrames frames waiting for one connection
 * @param maxBytes bytes waiting for one connection
 * @param heapPercent share of the heap that all outboxes together may take; above it intake pauses
 */
public record OutboxConfig(int maxFrames, int maxBytes, int heapPercent) {}
