package pushbridge.cli;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigLoader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "reload",
        description = {
            "Has the running bridge read its configuration again, with payload schemas, token keys and certificates.",
            "It takes what needs no restart and names what does; when anything is wrong it takes nothing."
        })
final class ReloadCommand implements Callable<Integer> {
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    ReloadCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws Exception {
        JsonNode done = admin.client(loader, environment)
                .act("POST", "/api/reload", JsonMapper.shared().createObjectNode());
        var out = Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
        out.println("the configuration was read again, with payload schemas and certificates");
        done.path("taken").forEach(key -> out.println("  taken: " + key.asString()));
        done.path("needRestart").forEach(key -> out.println("  changed, but needs a restart: " + key.asString()));
        return ExitCode.OK.number();
    }
}
