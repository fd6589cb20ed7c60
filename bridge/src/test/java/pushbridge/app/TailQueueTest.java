package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.delivery.Happening;
import pushbridge.delivery.Happening.Kind;
import pushbridge.delivery.Happening.Message;

final class TailQueueTest {

    private static Happening received(@Nullable String address, byte @Nullable [] body) {
        return new Happening(0, Kind.RECEIVED, address, new Message(1, 1, 0, null, "note", 1, 10, body), null, 1, "");
    }

    @Test
    void aSlowReaderLosesWhatDoesNotFitAndIsToldHowMuch() { // I5
        TailQueue queue = new TailQueue(List.of("user.*"));
        for (int i = 0; i < TailQueue.MOST + 7; i++) {
            queue.saw(received("user.ann", null));
        }
        assertThat(queue.takeMissed()).isEqualTo(7);
        assertThat(queue.takeMissed()).isZero();
        assertThat(queue.take(10)).hasSize(10);
        queue.saw(received("user.ann", null));
        assertThat(queue.takeMissed()).isZero();
        assertThat(queue.take(Integer.MAX_VALUE)).hasSize(TailQueue.MOST - 9);
    }

    @Test
    void bodiesThatWaitAreBoundedToo() { // I5
        TailQueue queue = new TailQueue(List.of("*"));
        for (int i = 0; i < 10; i++) {
            queue.saw(received("user.ann", new byte[1 << 20]));
        }
        assertThat(queue.takeMissed()).isEqualTo(6);
        queue.take(1);
        queue.saw(received("user.ann", new byte[1 << 20]));
        assertThat(queue.takeMissed()).isZero();
    }

    @Test
    void onlyWhoWantsEverythingHearsOfMessagesWithoutAnAddress() {
        TailQueue some = new TailQueue(List.of("user.*"));
        TailQueue all = new TailQueue(List.of("*"));
        for (TailQueue queue : List.of(some, all)) {
            queue.saw(received(null, null));
            queue.saw(new Happening(0, Kind.RETURNED, null, null, null, 3, ""));
        }
        assertThat(some.take(9)).extracting(Happening::kind).containsExactly(Kind.RETURNED);
        assertThat(all.take(9)).extracting(Happening::kind).containsExactly(Kind.RECEIVED, Kind.RETURNED);
        assertThat(some.wants("user.ann")).isTrue();
        assertThat(some.wants("channel.user.")).isFalse();
    }
}
