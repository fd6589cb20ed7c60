package pushbridge.config;

import java.time.Duration;

/**
 * Reading dead letters, while somebody does.
 *
 * @param maxMessages how many of a queue are in hand at a time; the oldest
 * @param maxBytes the size of the temporary file with their bodies; of each queue
 * @param idleClose how long they stay in hand after the last question
 * @param sessionMax how long they stay in hand at most; below the broker's consumer timeout
 */
public record LettersConfig(int maxMessages, long maxBytes, Duration idleClose, Duration sessionMax) {}
