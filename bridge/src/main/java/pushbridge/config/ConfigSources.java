package pushbridge.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a configuration is read from, weakest first; below all of them are the defaults.
 *
 * @param file a YAML file; null for none
 * @param environment the environment variables, of which those starting with {@code PUSHBRIDGE_} are read
 * @param settings {@code key=value} each, from the command line
 */
public record ConfigSources(@Nullable Path file, Map<String, String> environment, List<String> settings) {

    public ConfigSources {
        environment = Map.copyOf(environment);
        settings = List.copyOf(settings);
    }
}
