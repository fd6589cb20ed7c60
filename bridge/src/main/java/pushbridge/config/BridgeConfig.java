package pushbridge.config;

/**
 * The whole configuration of one bridge: validated, immutable. One record a section; the section's name is the prefix
 * of its keys, so {@code amqp().prefetch()} is {@code pushbridge.amqp.prefetch}.
 */
public record BridgeConfig(
        AmqpConfig amqp,
        IntakeConfig intake,
        MessageConfig message,
        DeliveryConfig delivery,
        OutboxConfig outbox,
        SocketConfig socket,
        AuthConfig auth,
        AdminConfig admin,
        ShutdownConfig shutdown) {}
