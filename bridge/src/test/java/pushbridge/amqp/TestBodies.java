package pushbridge.amqp;

import java.nio.charset.StandardCharsets;
import pushbridge.envelope.Address;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;

/** Reads bodies without looking into them: {@code bad…} is malformed, everything else is for the routing key. */
final class TestBodies {
    private TestBodies() {}

    static Reading read(String exchange, String routingKey, byte[] body) {
        if (new String(body, StandardCharsets.UTF_8).startsWith("bad")) {
            return new Reading.Refusal(DeadLetterReason.MALFORMED, "it is bad", routingKey);
        }
        try {
            return new Envelope(Address.parse(routingKey), "test", 1, body);
        } catch (Address.InvalidAddressException e) {
            return new Reading.Refusal(DeadLetterReason.UNADDRESSABLE, String.valueOf(e.getMessage()), routingKey);
        }
    }
}
