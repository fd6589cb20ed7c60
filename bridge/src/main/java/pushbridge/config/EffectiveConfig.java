package pushbridge.config;

import java.util.List;

/**
 * A configuration that has been checked, and what of it to show.
 *
 * @param values the configuration
 * @param log how the log looks
 * @param changes a line for each key that is not at its default, sorted by key: {@code key = value (from where)},
 *     secrets masked; for the log at the start
 */
public record EffectiveConfig(BridgeConfig values, LogConfig log, List<String> changes) {
    public EffectiveConfig {
        changes = List.copyOf(changes);
    }
}
