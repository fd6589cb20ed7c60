package pushbridge.config;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A configuration that has been checked, and what of it to show.
 *
 * @param values the configuration
 * @param log how the log looks
 * @param settings every key, sorted, secrets masked
 * @param raw the value of every key that has one, secrets as they are: only to be compared
 * @param again reads the same sources once more
 */
public record EffectiveConfig(
        BridgeConfig values, LogConfig log, List<ShownSetting> settings, Map<String, Object> raw, Again again) {

    /** The sources of a configuration. */
    @FunctionalInterface
    public interface Again {
        /**
         * What they say now.
         *
         * @throws ConfigException with all problems
         */
        EffectiveConfig read() throws ConfigException;
    }

    public EffectiveConfig {
        settings = List.copyOf(settings);
        raw = Map.copyOf(raw);
    }

    /** A line for each key that is not at its default, sorted by key: {@code key = value (from where)}; for the log. */
    public List<String> changes() {
        return settings.stream()
                .filter(setting -> !setting.isDefault())
                .map(ShownSetting::line)
                .toList();
    }

    /** The keys, sorted, whose values another one has otherwise. */
    public List<String> differences(EffectiveConfig other) {
        return settings.stream()
                .map(ShownSetting::key)
                .filter(key -> !java.util.Objects.equals(raw.get(key), other.raw.get(key)))
                .toList();
    }

    /** Whether a running bridge takes a new value of this key. */
    public static boolean isReloadable(String key) {
        return Keys.RELOADABLE.stream().anyMatch(one -> one.fullName().equals(key));
    }

    /** This one with what {@code next} says of the keys that a running bridge takes: what is in effect after a reload. */
    public EffectiveConfig taking(EffectiveConfig next) {
        Map<String, ShownSetting> shown = new TreeMap<>();
        settings.forEach(setting -> shown.put(setting.key(), setting));
        Map<String, Object> merged = new TreeMap<>(raw);
        for (ShownSetting setting : next.settings) {
            if (isReloadable(setting.key())) {
                shown.put(setting.key(), setting);
                merged.remove(setting.key());
                Object value = next.raw.get(setting.key());
                if (value != null) {
                    merged.put(setting.key(), value);
                }
            }
        }
        return new EffectiveConfig(values, log, List.copyOf(shown.values()), merged, again);
    }
}
