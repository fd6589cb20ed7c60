package pushbridge.config;

/**
 * Telling publishers what became of their messages.
 *
 * @param maxWaiting receipts that may wait for RabbitMQ
 */
public record ReceiptsConfig(int maxWaiting) {}
