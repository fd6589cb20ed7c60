package pushbridge.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import pushbridge.config.ConfigSources;

/** The options of every command that reads the configuration. */
final class ConfigOptions {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML file to read the configuration from; PUSHBRIDGE_* in the environment overrides it.")
    @Nullable
    Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Sets one key, above all other sources, such as --set amqp.prefetch=100; repeatable.")
    List<String> settings = new ArrayList<>();

    ConfigSources sources(Map<String, String> environment) {
        return new ConfigSources(file, environment, settings);
    }
}
