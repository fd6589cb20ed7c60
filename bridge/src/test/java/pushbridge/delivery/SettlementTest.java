package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Reading;

final class SettlementTest {

    private static final int PREFETCH = 64;

    private final Settlement settlement = new Settlement(new CountingChannel());
    private long acknowledged;

    /** The full dead-letter queue refuses one copy for a day: what passes by meanwhile must leave no trace. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void oneThatLagsForAMillionOthersCostsNeitherMemoryNorTime() { // I5
        Instruction lagging = take(1);
        for (long tag = 2; tag <= 1_000_000; tag++) {
            settlement.settle(take(tag));
            settlement.flush(true);
        }
        assertThat(acknowledged).isEqualTo(999_999);
        assertThat(settlement.unsettled()).isEqualTo(1);

        settlement.settle(lagging);
        settlement.flush(false);
        assertThat(acknowledged).isEqualTo(1_000_000);
    }

    private Instruction take(long tag) {
        Instruction instruction = new Instruction(
                settlement.channel(),
                tag,
                new CoreHarness.Body(new byte[0], false),
                new Reading.Refusal(DeadLetterReason.MALFORMED, "not JSON", null),
                OfflinePolicy.DEAD_LETTER,
                Instruction.NEVER);
        settlement.take(instruction);
        return instruction;
    }

    private final class CountingChannel implements IntakeChannel {
        @Override
        public long generation() {
            return 1;
        }

        @Override
        public int atMostInHand() {
            return PREFETCH;
        }

        @Override
        public void ack(long tag, boolean multiple) {
            assertThat(multiple).as("one at a time, in this test").isFalse();
            acknowledged++;
        }

        @Override
        public void flush() {}
    }
}
