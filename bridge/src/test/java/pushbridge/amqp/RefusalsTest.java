package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.core.IntervalFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class RefusalsTest {

    /** 1, 2, 4 and so on seconds, 20 at most. */
    private final Refusals refusals = new Refusals(attempt -> Math.min(20_000L, 1_000L << (attempt - 1)));

    private static long seconds(long count) {
        return TimeUnit.SECONDS.toNanos(count);
    }

    @Test
    void aChannelIsSuspectOnceItHasRefusedAQueueForAWhile() {
        refusals.refused("dead", seconds(100));
        refusals.refused("dead", seconds(107));
        assertThat(refusals.suspectChannel(seconds(107))).isFalse();
        assertThat(refusals.suspectChannel(seconds(108))).isTrue();
    }

    @Test
    void aChannelThatTakesNowAndThenIsNotSuspect() {
        refusals.refused("dead", seconds(100));
        refusals.taken("dead");
        refusals.refused("dead", seconds(107));
        assertThat(refusals.suspectChannel(seconds(114))).isFalse();
    }

    @Test
    void whatOneQueueTakesSaysNothingAboutAnother() {
        refusals.refused("dead", seconds(100));
        refusals.taken("expired");
        assertThat(refusals.suspectChannel(seconds(108))).isTrue();
    }

    @Test
    void aFullQueueGetsNewChannelsLessAndLessOftenUpToABound() {
        List<Long> lives = new ArrayList<>();
        long now = 0;
        for (int channel = 0; channel < 4; channel++) {
            long opened = now;
            while (!refusals.suspectChannel(seconds(now))) {
                refusals.refused("dead", seconds(++now));
            }
            refusals.newChannel(seconds(now));
            lives.add(now - opened - 1); // the first refusal came after a second
        }
        assertThat(lives).containsExactly(8L, 16L, 20L, 20L);
    }

    @Test
    void onceTheQueueHasTakenSomethingTheStoryBeginsAnew() {
        refusals.refused("dead", seconds(0));
        refusals.newChannel(seconds(8));
        refusals.refused("dead", seconds(9));
        refusals.taken("dead");
        refusals.refused("dead", seconds(10));
        assertThat(refusals.suspectChannel(seconds(18))).isTrue();
    }

    @Test
    void aChannelThatWasLostForAnotherReasonDoesNotCount() {
        refusals.refused("dead", seconds(0));
        refusals.newChannel(seconds(5));
        refusals.refused("dead", seconds(10));
        assertThat(refusals.suspectChannel(seconds(18))).isTrue();
    }

    @Test
    void theRealPausesAreBounded() {
        Refusals real = new Refusals(IntervalFunction.ofExponentialRandomBackoff(500L, 2.0, 0.5, 30_000L));
        long now = 0;
        for (int channel = 0; channel < 50; channel++) {
            real.refused("dead", now);
            now += seconds(30);
            assertThat(real.suspectChannel(now)).isTrue();
            real.newChannel(now);
        }
    }
}
