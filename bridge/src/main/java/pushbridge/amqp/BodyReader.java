package pushbridge.amqp;

import pushbridge.envelope.Reading;

/** Reads the body of one delivery; {@code EnvelopeReader::read}. */
@FunctionalInterface
public interface BodyReader {

    /**
     * Reads and checks; never throws. Called by the thread that reads from the broker connection.
     *
     * @param exchange empty for the default exchange, where the routing key is no address
     */
    Reading read(String exchange, String routingKey, byte[] body);
}
