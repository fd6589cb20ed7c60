package pushbridge.socket;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AllowanceTest {

    private static final long SECOND = 1_000_000_000L;

    @Test
    void aBurstIsTakenAndThenSoManyASecond() {
        Allowance allowance = new Allowance(10, 4, 0);
        assertThat(allowance.take(40, 0)).isTrue();
        assertThat(allowance.take(1, 0)).isFalse();
        assertThat(allowance.take(1, SECOND / 10)).isTrue();
        assertThat(allowance.take(1, SECOND / 10)).isFalse();
        assertThat(allowance.take(10, SECOND * 11 / 10)).isTrue();
        assertThat(allowance.take(1, SECOND * 11 / 10)).isFalse();
    }

    @Test
    void itFillsUpToTheBurstAndNoFurther() {
        Allowance allowance = new Allowance(10, 4, 0);
        assertThat(allowance.take(41, 100 * SECOND)).isFalse();
        assertThat(allowance.take(40, 100 * SECOND)).isTrue();
    }

    @Test
    void whoIsRefusedIsNotLockedOutByAskingAgain() {
        Allowance allowance = new Allowance(10, 1, 0);
        assertThat(allowance.take(10, 0)).isTrue();
        for (int i = 1; i < 10; i++) {
            assertThat(allowance.take(1, i)).isFalse();
        }
        assertThat(allowance.take(1, SECOND / 10)).isTrue();
    }

    @Test
    void aClockThatStartsFarBelowZeroMakesNoDifference() {
        long start = Long.MIN_VALUE + 5;
        Allowance allowance = new Allowance(10, 1, start);
        assertThat(allowance.take(10, start)).isTrue();
        assertThat(allowance.take(1, start)).isFalse();
        assertThat(allowance.take(1, start + SECOND)).isTrue();
    }
}
