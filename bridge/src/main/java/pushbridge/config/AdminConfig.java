package pushbridge.config;

/**
 * The listener for operators: health and metrics. Never on the public one.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 takes a free one
 */
public record AdminConfig(String host, int port) {}
