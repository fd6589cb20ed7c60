package pushbridge.config;

import java.time.Duration;

/**
 * When instructions are taken.
 *
 * @param startDelay from the sockets' opening to the first instruction, so that returning clients are there
 * @param standbyPatience how long a bridge that was not the owner waits before it tries to become it
 * @param heapPercent share of the heap that prefetch × message.max-bytes may take; more refuses to start
 * @param poisonAfter deliveries without settlement after which a message is poisoned, unless others may be the cause
 */
public record IntakeConfig(Duration startDelay, Duration standbyPatience, int heapPercent, int poisonAfter) {}
