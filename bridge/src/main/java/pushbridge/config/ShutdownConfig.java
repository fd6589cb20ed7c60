package pushbridge.config;

import java.time.Duration;

/**
 * How the bridge stops.
 *
 * @param grace how long messages in flight may take to be confirmed, and clients to read their last frames
 */
public record ShutdownConfig(Duration grace) {}
