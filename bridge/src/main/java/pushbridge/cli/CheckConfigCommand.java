package pushbridge.cli;

import java.io.PrintWriter;
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
import pushbridge.config.TokenConfig;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.SchemaFileException;
import pushbridge.tls.ClientTls;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsException;

@Command(
        name = "check-config",
        description = {
            "Says everything that keeps 'serve' from starting with this configuration, or what it sets.",
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

    private static void certificatesCanBeUsed(BridgeConfig config) throws ConfigException {
        List<String> problems = new ArrayList<>();
        try {
            if (config.socket().tls() != null) {
                new ServerTls(config.socket().tls(), null);
            }
        } catch (TlsException e) {
            problems.add("pushbridge.socket.tls: " + e.getMessage());
        }
        try {
            if (config.admin().tls() != null) {
                new ServerTls(config.admin().tls(), config.admin().clientCaFile());
            }
        } catch (TlsException e) {
            problems.add("pushbridge.admin.tls: " + e.getMessage());
        }
        try {
            ClientTls.context(config.amqp().tls());
        } catch (TlsException e) {
            problems.add("pushbridge.amqp.tls: " + e.getMessage());
        }
        TokenConfig tokens = config.auth().token();
        JwksConfig jwks = tokens == null ? null : tokens.keys().jwks();
        try {
            if (jwks != null) {
                ClientTls.trusting(jwks.caFile());
            }
        } catch (TlsException e) {
            problems.add("pushbridge.auth.jwks-ca-file: " + e.getMessage());
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }
}
