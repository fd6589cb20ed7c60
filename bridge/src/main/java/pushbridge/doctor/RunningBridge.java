package pushbridge.doctor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bridge that may run with this configuration. */
@FunctionalInterface
public interface RunningBridge {

    /** What asking it came to. */
    sealed interface Answer {}

    /** Nobody listens where its operators would ask. */
    record Nobody() implements Answer {}

    /**
     * Something listens there and is no bridge, or gives no answer.
     *
     * @param sentence what it says, without a full stop
     */
    record Strange(String sentence) implements Answer {}

    /**
     * It runs.
     *
     * @param ready whether it does its work now
     * @param standby whether it stands by for another one that does
     * @param problems what it says against itself, one sentence each
     * @param metrics what a scrape gives; null when it does not give it to us
     */
    record Runs(
            boolean ready,
            boolean standby,
            List<String> problems,
            @Nullable String metrics) implements Answer {}

    /** Asks it. Waits some seconds at most. */
    Answer ask() throws InterruptedException;
}
