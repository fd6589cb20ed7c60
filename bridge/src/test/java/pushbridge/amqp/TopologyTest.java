package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TopologyTest {

    @Test
    void anInequivalentArgumentBecomesASentence() {
        assertThat(Topology.sentence(
                        "queue push.dead",
                        "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'push.dead' in vhost '/':"
                                + " received the value '1000' of type 'long' but current is the value '5' of type"
                                + " 'signedint'"))
                .isEqualTo(
                        "The queue push.dead exists with x-max-length = 5, but the configuration wants 1000: configure"
                                + " what exists, or move its messages away and delete it, or choose another amqp.prefix");
    }

    @Test
    void anotherRefusalNamesWhatAndKeepsTheReason() {
        assertThat(Topology.sentence("queue push.dead", "ACCESS_REFUSED - access to queue 'push.dead' refused"))
                .contains("queue push.dead")
                .contains("ACCESS_REFUSED")
                .contains("right to configure");
    }
}
