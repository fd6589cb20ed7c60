package pushbridge.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * One measured number.
 *
 * @param scenario what was played
 * @param name what was measured
 * @param unit of the value and the target; empty for a count
 * @param atLeast the target, when more is better; null without
 * @param atMost the target, when less is better; null without
 */
record Figure(
        String scenario,
        String name,
        double value,
        String unit,
        @Nullable Double atLeast,
        @Nullable Double atMost) {

    /** Whether the target is reached; null when there is none. */
    @JsonProperty
    @Nullable
    Boolean reached() {
        if (atLeast != null) {
            return value >= atLeast;
        }
        return atMost == null ? null : (Boolean) (value <= atMost);
    }
}
