package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

@ExtendWith(BrokerExtension.class)
class HeldStreamIT extends HeldLogCase {

    HeldStreamIT(Broker broker) throws IOException {
        super(broker);
    }

    @Test
    void declaringTwiceChangesNothing() throws Exception {
        HeldStream held = new HeldStream(broker.config(), large());
        held.declare(broker.connection());
        held.declare(broker.connection());
    }

    @Test
    void anotherRetentionIsNamedWithBothValues() throws Exception {
        new HeldStream(broker.config(), settings(1_000_000, 500_000)).declare(broker.connection());
        assertThatThrownBy(() ->
                        new HeldStream(broker.config(), settings(2_000_000, 500_000)).declare(broker.connection()))
                .isInstanceOf(BrokerException.class)
                .hasMessageContaining("The queue " + stream + " exists with x-max-length-bytes = 1000000, but the"
                        + " configuration wants 2000000: configure what exists, or delete it once nothing is held");
    }

    @Test
    void anOrdinaryQueueOfThatNameIsNamed() throws Exception {
        broker.connection().createChannel().queueDeclare(stream, true, false, false, null);
        assertThatThrownBy(() -> new HeldStream(broker.config(), large()).declare(broker.connection()))
                .isInstanceOf(BrokerException.class)
                .hasMessageContaining("The queue " + stream + " exists with ");
    }
}
