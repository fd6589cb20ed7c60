package pushbridge.delivery;

import java.util.List;
import pushbridge.envelope.Wildcard;

/**
 * Which addresses with held messages are meant: those to which everything given applies.
 *
 * @param patterns any of these, {@code *} for any characters; empty for all
 * @param heldBeforeMillis the oldest message was held before then, in milliseconds since 1970; {@link Long#MAX_VALUE} for any
 * @param atLeast messages are held
 */
public record HeldFilter(List<String> patterns, long heldBeforeMillis, int atLeast) {

    /** Every address. */
    public static final HeldFilter ALL = new HeldFilter(List.of(), Long.MAX_VALUE, 1);

    public HeldFilter {
        patterns = List.copyOf(patterns);
    }

    boolean fits(String address) {
        if (patterns.isEmpty()) {
            return true;
        }
        for (String pattern : patterns) {
            if (Wildcard.matches(pattern, address)) {
                return true;
            }
        }
        return false;
    }

    boolean fits(HeldAddress held) {
        return held.messages() >= atLeast && held.heldMillis() < heldBeforeMillis;
    }
}
