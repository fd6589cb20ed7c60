package pushbridge.amqp;

import org.jspecify.annotations.Nullable;

/**
 * RabbitMQ cannot be reached or refuses what the bridge needs. The message is one sentence for an operator: what, where
 * and what to do; it never contains a password.
 */
public final class BrokerException extends Exception {
    private final String sentence;

    BrokerException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
        this.sentence = sentence;
    }

    /** The message: one sentence without its full stop. */
    public String sentence() {
        return sentence;
    }
}
