package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HoldTimesTest {

    private final HoldTimes times = new HoldTimes();

    @Test
    void aMessageWasHeldByTheTimeOfTheFirstSightThatIsNotBeforeIt() {
        times.saw(10, 1_000);
        times.saw(20, 60_000);
        assertThat(times.heldBy(7, 99_000)).isEqualTo(1_000);
        assertThat(times.heldBy(10, 99_000)).isEqualTo(1_000);
        assertThat(times.heldBy(11, 99_000)).isEqualTo(60_000);
        assertThat(times.heldBy(21, 99_000)).as("not known: now").isEqualTo(99_000);
    }

    @Test
    void aCopyOfAnEarlierMessageDoesNotMakeItYounger() {
        times.saw(10, 1_000);
        times.saw(5, 90_000);
        assertThat(times.heldBy(5, 99_000)).isEqualTo(1_000);
    }

    @Test
    void daysOfHoldingAreToldToALittleMoreThanTheirShareOfTheRoom() {
        long seconds = 3 * 24 * 3_600;
        for (long second = 0; second < seconds; second++) {
            times.saw(second, second * 1_000);
        }
        long worst = 0;
        for (long second = 0; second < seconds; second += 7) {
            long heldBy = times.heldBy(second, Long.MAX_VALUE);
            assertThat(heldBy).isGreaterThanOrEqualTo(second * 1_000);
            worst = Math.max(worst, heldBy - second * 1_000);
        }
        assertThat(worst).isLessThan(200_000);
    }
}
