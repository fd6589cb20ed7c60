package pushbridge.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;

@Command(name = "serve", description = "Runs a bridge in the foreground until SIGTERM or Ctrl-C.")
final class ServeCommand implements Callable<Integer> {
    private final Serve serve;
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    ServeCommand(Serve serve, ConfigLoader loader, Map<String, String> environment) {
        this.serve = serve;
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws ConfigException {
        return serve.run(loader.load(config.sources(environment))).number();
    }
}
