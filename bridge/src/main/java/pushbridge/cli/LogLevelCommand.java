package pushbridge.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import pushbridge.config.ConfigLoader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "log-level",
        description = {
            "Shows how much the running bridge logs, or changes it until its next restart.",
            "For example: pushbridge log-level debug --logger pushbridge.socket"
        })
final class LogLevelCommand extends BridgeCommand {

    @Parameters(arity = "0..1", paramLabel = "LEVEL", description = "error, warn, info, debug or trace; none to look.")
    @Nullable
    String level;

    @Option(names = "--logger", paramLabel = "NAME", description = "Only for this class or package.")
    String logger = "ROOT";

    LogLevelCommand(ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        if (level == null) {
            JsonNode levels = bridge.get("/api/log/levels").path("levels");
            levels.properties().forEach(entry -> out().println(entry.getValue().asString() + "  " + entry.getKey()));
        } else {
            JsonNode done = bridge.act(
                    "POST",
                    "/api/log/levels",
                    JsonMapper.shared().createObjectNode().put("logger", logger).put("level", level));
            out().println(done.path("logger").asString() + ": "
                    + done.path("level").asString());
        }
        return ExitCode.OK;
    }
}
