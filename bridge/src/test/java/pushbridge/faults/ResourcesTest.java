package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import pushbridge.faults.Resources.Sample;

/** A look that never finds growth proves nothing. */
final class ResourcesTest {

    private final Resources resources = new Resources();

    private void add(int count, long heap, long resident, int threads, long files) {
        for (int i = 0; i < count; i++) {
            resources.add("one", new Sample(heap, resident, threads, files));
        }
    }

    @Test
    void whatStaysIsFlat() {
        add(12, 20_000_000, 200_000_000, 40, 60);
        assertThat(resources.judges()).isTrue();
        assertThat(resources.flat()).isTrue();
    }

    @Test
    void oneHighValueIsNoGrowth() {
        add(11, 20_000_000, 200_000_000, 40, 60);
        add(1, 90_000_000, 200_000_000, 40, 60);
        assertThat(resources.flat()).isTrue();
    }

    @Test
    void aHeapThatGrowsIsFound() {
        add(6, 20_000_000, 200_000_000, 40, 60);
        add(6, 25_000_000, 200_000_000, 40, 60);
        assertThat(resources.flat()).isFalse();
    }

    @Test
    void memoryThatGrowsIsFound() {
        add(6, 20_000_000, 200_000_000, 40, 60);
        add(6, 20_000_000, 230_000_000, 40, 60);
        assertThat(resources.flat()).isFalse();
    }

    @Test
    void threadsThatRemainAreFound() {
        add(6, 20_000_000, 200_000_000, 40, 60);
        add(6, 20_000_000, 200_000_000, 46, 60);
        assertThat(resources.flat()).isFalse();
    }

    @Test
    void filesThatRemainOpenAreFound() {
        add(6, 20_000_000, 200_000_000, 40, 60);
        add(6, 20_000_000, 200_000_000, 40, 70);
        assertThat(resources.flat()).isFalse();
    }

    @Test
    void aShortLifeIsNotJudged() {
        add(3, 20_000_000, 200_000_000, 40, 60);
        add(3, 90_000_000, 900_000_000, 90, 90);
        assertThat(resources.judges()).isFalse();
        assertThat(resources.flat()).isTrue();
    }
}
