package pushbridge.config;

/** What a command for dead letters needs when no bridge runs. */
public record DeadLetterSettings(AmqpConfig amqp, LettersConfig letters, MessageConfig message) {}
