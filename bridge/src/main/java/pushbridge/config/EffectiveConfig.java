package pushbridge.config;

import java.util.List;

/**
 * A configuration that has been checked, and what of it to show.
 *
 * @param values the configuration
 * @param log how the log looks
 * @param settings every key, sorted, secrets masked
 */
public record EffectiveConfig(BridgeConfig values, LogConfig log, List<ShownSetting> settings) {
    public EffectiveConfig {
        settings = List.copyOf(settings);
    }

    /** A line for each key that is not at its default, sorted by key: {@code key = value (from where)}; for the log. */
    public List<String> changes() {
        return settings.stream()
                .filter(setting -> !setting.isDefault())
                .map(ShownSetting::line)
                .toList();
    }
}
