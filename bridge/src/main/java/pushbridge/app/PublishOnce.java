package pushbridge.app;

import pushbridge.amqp.BrokerException;
import pushbridge.amqp.InstructionPublisher;
import pushbridge.amqp.InstructionPublisher.Publication;
import pushbridge.cli.Publisher;
import pushbridge.config.AmqpConfig;

/** The command {@code publish}: one connection for one instruction. */
public final class PublishOnce {

    private PublishOnce() {}

    /** Publishes and waits for the broker's answer. */
    public static Publisher.Result publish(AmqpConfig amqp, Publisher.Request request) {
        try (InstructionPublisher publisher = new InstructionPublisher(amqp, "pushbridge publish")) {
            InstructionPublisher.Result result = publisher.publish(new Publication(
                    request.address(), request.body(), request.offline(), request.expiration(), request.messageId()));
            Publisher.Outcome outcome = switch (result.outcome()) {
                case CONFIRMED -> Publisher.Outcome.CONFIRMED;
                case RETURNED -> Publisher.Outcome.RETURNED;
                case REFUSED -> Publisher.Outcome.REFUSED;
                case TIMEOUT -> Publisher.Outcome.NO_ANSWER;
            };
            return new Publisher.Result(outcome, "message id " + result.messageId());
        } catch (BrokerException e) {
            return new Publisher.Result(Publisher.Outcome.UNREACHABLE, e.sentence());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Publisher.Result(Publisher.Outcome.NO_ANSWER, "interrupted");
        }
    }
}
