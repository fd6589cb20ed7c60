package pushbridge.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import pushbridge.config.BridgeConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.JwksConfig;
import pushbridge.config.TlsConfig;
import pushbridge.config.TokenConfig;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.SchemaFileException;
import pushbridge.tls.ClientTls;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsException;

@Command(
        name = "check-config",
        description = {
            "Says everything that keeps 'serve' from starting with this configuration, or what it sets;",
            "and which certificates will be refused because they have expired.",
            "It connects to nothing, and does not try whether the ports are free."
        })
final class CheckConfigCommand implements Callable<Integer> {
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    CheckConfigCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws ConfigException {
        EffectiveConfig effective = loader.load(config.sources(environment));
        payloadSchemasCompile(effective);
        certificatesCanBeUsed(effective.values());
        PrintWriter out =
                Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
        out.println("the configuration is valid; not at its default is:");
        // Never empty, since auth.mode has no default.
        effective.changes().forEach(change -> out.println("  " + change));
        return ExitCode.OK.number();
    }

    /** What only 'serve' would find, before it connects. */
    private static void payloadSchemasCompile(EffectiveConfig effective) throws ConfigException {
        try {
            new EnvelopeReader(effective.values().message());
        } catch (SchemaFileException e) {
            throw new ConfigException(e.problems().stream()
                    .map(problem -> "pushbridge.message.types-dir: " + problem)
                    .toList());
        }
    }

    private interface Check {
        @Nullable
        String problem() throws TlsException;
    }

    private static void certificatesCanBeUsed(BridgeConfig config) throws ConfigException {
        List<String> problems = new ArrayList<>();
        check(
                problems,
                "pushbridge.socket.tls",
                () -> serverProblem(config.socket().tls(), null));
        check(
                problems,
                "pushbridge.admin.tls",
                () -> serverProblem(config.admin().tls(), config.admin().clientCaFile()));
        check(problems, "pushbridge.amqp.tls", () -> {
            ClientTls.context(config.amqp().tls());
            return ClientTls.problem(config.amqp().tls());
        });
        TokenConfig tokens = config.auth().token();
        JwksConfig jwks = tokens == null ? null : tokens.keys().jwks();
        check(problems, "pushbridge.auth.jwks-ca-file", () -> {
            if (jwks != null) {
                ClientTls.trusting(jwks.caFile());
            }
            return null;
        });
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private static void check(List<String> problems, String name, Check check) {
        try {
            String problem = check.problem();
            if (problem != null) {
                problems.add(name + ": " + problem);
            }
        } catch (TlsException e) {
            problems.add(name + ": " + e.getMessage());
        }
    }

    private static @Nullable String serverProblem(@Nullable TlsConfig tls, @Nullable Path clientCaFile)
            throws TlsException {
        return tls == null ? null : new ServerTls(tls, clientCaFile).problem();
    }
}
