package pushbridge.cli;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigLoader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "log-level",
        description = {
            "Shows how much the running bridge logs, or changes it until its next restart.",
            "For example: pushbridge log-level debug --logger pushbridge.socket"
        })
final class LogLevelCommand implements Callable<Integer> {
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Parameters(arity = "0..1", paramLabel = "LEVEL", description = "error, warn, info, debug or trace; none to look.")
    @Nullable
    String level;

    @Option(names = "--logger", paramLabel = "NAME", description = "Only for this class or package.")
    String logger = "ROOT";

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    LogLevelCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws Exception {
        AdminClient client = admin.client(loader, environment);
        var out = Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
        if (level == null) {
            JsonNode levels = client.get("/api/log/levels").path("levels");
            levels.properties().forEach(entry -> out.println(entry.getValue().asString() + "  " + entry.getKey()));
        } else {
            JsonNode done = client.act(
                    "POST",
                    "/api/log/levels",
                    JsonMapper.shared().createObjectNode().put("logger", logger).put("level", level));
            out.println(
                    done.path("logger").asString() + ": " + done.path("level").asString());
        }
        return ExitCode.OK.number();
    }
}
