package pushbridge.config;

import java.time.Duration;

/**
 * What is kept for absent users, and for how long.
 *
 * @param ttl how long a message waits at most; its own expiration may be shorter
 * @param maxMessages messages held in all; more become dead letters
 * @param maxPerAddress messages held for one address; more become dead letters
 * @param maxBytes what all held messages may take in the log; more become dead letters
 * @param cacheBytes bodies of held messages kept in memory, the latest ones; those being read for their clients take
 *     as much again
 * @param segmentBytes size of one file of the log, the unit in which RabbitMQ frees disk
 */
public record HoldConfig(
        Duration ttl, int maxMessages, int maxPerAddress, long maxBytes, long cacheBytes, long segmentBytes) {}
