package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeldStreamTest {

    @Test
    void aBrokerWithoutStreamsIsRecognised() {
        assertThat(HeldStream.lacksStreams("INTERNAL_ERROR - Cannot declare a queue 'queue 'push.held' in vhost '/'' of"
                        + " type 'rabbit_stream_queue' on node 'a@b': the corresponding feature flag is disabled"))
                .isTrue();
        assertThat(HeldStream.lacksStreams("PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'push.held' in"
                        + " vhost '/': \"unsupported queue type 'stream'\""))
                .isTrue();
        assertThat(HeldStream.lacksStreams("ACCESS_REFUSED")).isFalse();
    }

    @Test
    void aNodeWithoutAReplicaIsRecognised() {
        assertThat(
                        HeldStream.needsOtherNode(
                                "PRECONDITION_FAILED - queue 'push.held' in vhost '/' does not have a replica on the local node"))
                .isTrue();
        assertThat(HeldStream.needsOtherNode(
                        "queue 'push.held' in vhost '/' does not have a running replica on the local" + " node"))
                .isTrue();
        assertThat(HeldStream.needsOtherNode(null)).isFalse();
    }
}
