package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random runs of the core, see {@link ModelRun} for what must hold. A failure names the seed that repeats it, and the
 * fewest steps found that still fail. {@code -Dpushbridge.model.runs=N} plays more or fewer runs, {@code
 * -Dpushbridge.seed=N} others.
 */
final class DeliveryCoreModelTest {

    private static final int RUNS = Integer.getInteger("pushbridge.model.runs", 500);
    private static final int STEPS = 600;

    @Test
    void randomRunsWithoutAHeldLogKeepTheInvariants() {
        play(false, RUNS / 2);
    }

    @Test
    void randomRunsWithAHeldLogCrashesAndTakeoversKeepTheInvariants() {
        play(true, RUNS);
    }

    private static void play(boolean holding, int runs) {
        long base = Long.getLong("pushbridge.seed", 20_261_121L);
        for (long seed = base; seed < base + runs; seed++) {
            long[] steps = new Random(seed).longs(STEPS).toArray();
            Failure failure = play(holding, steps);
            if (failure != null) {
                Failure shortest = shrink(holding, failure);
                throw new AssertionError(
                        "seed %d (-Dpushbridge.seed=%d repeats it): %s%nThe fewest steps that fail (%s):%n  %s"
                                .formatted(
                                        seed,
                                        seed,
                                        failure.cause.getMessage(),
                                        shortest.cause.getMessage(),
                                        String.join("\n  ", shortest.trace)),
                        shortest.cause);
            }
        }
    }

    private record Failure(long[] steps, List<String> trace, Throwable cause) {}

    private static @Nullable Failure play(boolean holding, long[] steps) {
        ModelRun run = new ModelRun(holding, steps);
        try {
            run.play();
            return null;
        } catch (AssertionError | RuntimeException e) {
            return new Failure(Arrays.copyOf(steps, run.played()), new ArrayList<>(run.trace()), e);
        }
    }

    /** Leaves out ever smaller parts as long as what is left fails, in whatever way. */
    private static Failure shrink(boolean holding, Failure failure) {
        Failure shortest = failure;
        for (int part = shortest.steps.length / 2; part > 0; part /= 2) {
            for (int from = 0; from < shortest.steps.length; ) {
                Failure shorter = play(holding, without(shortest.steps, from, part));
                if (shorter == null) {
                    from += part;
                } else {
                    shortest = shorter;
                }
            }
        }
        return shortest;
    }

    private static long[] without(long[] steps, int from, int length) {
        int to = Math.min(steps.length, from + length);
        long[] left = Arrays.copyOf(steps, steps.length - (to - from));
        System.arraycopy(steps, to, left, from, steps.length - to);
        return left;
    }
}
