package pushbridge.config;

import java.time.Duration;

/**
 * How the bridge stops.
 *
 * @param grace how long messages in flight may take to be confirmed, and clients to read their last frames
 * @param spread the time over which clients are asked to come back
 */
public record ShutdownConfig(Duration grace, Duration spread) {}
