package pushbridge.cli;

import java.util.Map;
import picocli.CommandLine.Command;
import pushbridge.config.ConfigLoader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "reload",
        description = {
            "Has the running bridge read its configuration again, with payload schemas, token keys and certificates.",
            "It takes what needs no restart and names what does; when anything is wrong it takes nothing."
        })
final class ReloadCommand extends BridgeCommand {

    ReloadCommand(ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        JsonNode done = bridge.act("POST", "/api/reload", JsonMapper.shared().createObjectNode());
        out().println("the configuration was read again, with payload schemas and certificates");
        done.path("taken").forEach(key -> out().println("  taken: " + key.asString()));
        done.path("needRestart").forEach(key -> out().println("  changed, but needs a restart: " + key.asString()));
        return ExitCode.OK;
    }
}
