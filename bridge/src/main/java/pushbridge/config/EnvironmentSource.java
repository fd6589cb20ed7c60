package pushbridge.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads {@code PUSHBRIDGE_*}. */
final class EnvironmentSource {
    private static final String PREFIX = Key.environmentName(Key.PREFIX);

    /** Variables that are no keys, with the reason why they are there; a star stands for any ending. */
    static final Map<String, String> OTHERS = new TreeMap<>(Map.of(
            "PUSHBRIDGE_HOME", "where the distribution is, for scripts",
            "PUSHBRIDGE_BROKER_*", "for the scripts that start a private broker",
            "PUSHBRIDGE_RABBITMQ_SERVER", "for the scripts that start a private broker",
            "PUSHBRIDGE_RUN_DIR", "for the scripts that start a private broker",
            "PUSHBRIDGE_TEST_*", "for the test suite",
            // Kubernetes gives these to every pod beside a service that is named pushbridge.
            "PUSHBRIDGE_PORT", "Kubernetes, for a service named pushbridge",
            "PUSHBRIDGE_PORT_*", "Kubernetes, for a service named pushbridge",
            "PUSHBRIDGE_SERVICE_*", "Kubernetes, for a service named pushbridge"));

    /** The name of an unknown key is its variable's, which needs no repetition. */
    private static final Origin UNKNOWN = new Origin(Origin.Kind.ENVIRONMENT, "environment");

    private EnvironmentSource() {}

    static List<Setting> read(Map<String, String> environment, Problems problems) {
        KeyNames names = KeyNames.ofEnvironment();
        List<Setting> settings = new ArrayList<>();
        new TreeMap<>(environment).forEach((name, text) -> {
            if (!name.startsWith(PREFIX) || isOther(name)) {
                return;
            }
            Setting setting = names.setting(name, text, Origin.environment(name));
            if (setting == null) {
                problems.add(KeyNames.shown(name), UNKNOWN, names.unknown(name));
            } else {
                settings.add(setting);
            }
        });
        return settings;
    }

    private static boolean isOther(String name) {
        return OTHERS.keySet().stream()
                .anyMatch(other -> other.endsWith("*")
                        ? name.startsWith(other.substring(0, other.length() - 1))
                        : name.equals(other));
    }
}
