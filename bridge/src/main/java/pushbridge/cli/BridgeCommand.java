package pushbridge.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;

/** What commands have in common that ask the running bridge. */
abstract class BridgeCommand implements Callable<Integer> {
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    BridgeCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    /** Does it. */
    abstract ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException;

    @Override
    public Integer call() throws ConfigException, AdminClient.Failed, InterruptedException {
        ExitCode exitCode = run(admin.client(loader, environment));
        out().flush();
        return exitCode.number();
    }

    PrintWriter out() {
        return Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
    }

    PrintWriter err() {
        return Objects.requireNonNull(spec, "set by picocli").commandLine().getErr();
    }

    void print(List<String> lines) {
        lines.forEach(out()::println);
    }
}
