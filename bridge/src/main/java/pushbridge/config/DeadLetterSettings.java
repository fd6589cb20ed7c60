package pushbridge.config;

/** What a command for dead letters needs. */
public record DeadLetterSettings(AmqpConfig amqp, LettersConfig letters, MessageConfig message, AdminConfig admin) {}
