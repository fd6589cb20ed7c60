package pushbridge.config;

/**
 * The whole configuration of one bridge: validated, immutable. One record for each part of the bridge that takes it.
 * Which keys there are, what they are called in public, their defaults and their limits is told by the table in
 * {@code Keys}, which is the truth; the reference {@code CONFIGURATION.md} is generated from it. Most keys are called
 * {@code pushbridge.<section>.<component>}; a few have a shorter name of their own, such as {@code hold.after}.
 */
public record BridgeConfig(
        AmqpConfig amqp,
        IntakeConfig intake,
        MessageConfig message,
        DeliveryConfig delivery,
        HoldConfig hold,
        OutboxConfig outbox,
        SocketConfig socket,
        AuthConfig auth,
        AdminConfig admin,
        LettersConfig letters,
        ReceiptsConfig receipts,
        ShutdownConfig shutdown) {}
