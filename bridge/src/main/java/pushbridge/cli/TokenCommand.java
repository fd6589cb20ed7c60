package pushbridge.cli;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import pushbridge.auth.TokenMinter;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.TokenConfig;
import pushbridge.envelope.Address;

@Command(
        name = "token",
        description =
                "Makes a token for trying out, signed with auth.secret; whoever has it is that user until it expires.",
        footer = {"", "Example: pushbridge token --user 42 --channels 'news,team-*' --ttl 1h"})
final class TokenCommand implements Callable<Integer> {
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Option(names = "--user", required = true, paramLabel = "ID", description = "Whose token it is (sub).")
    String user = "";

    @Option(
            names = "--channels",
            paramLabel = "NAMES",
            description = "The channels that it grants, separated by commas; * stands for any characters.")
    String channels = "";

    @Option(
            names = "--ttl",
            paramLabel = "TIME",
            description = "How long it is good, such as 15m or 8h; an hour otherwise.")
    Duration ttl = Duration.ofHours(1);

    TokenCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws ConfigException {
        CommandSpec command = Objects.requireNonNull(spec, "set by picocli");
        if (ttl.isNegative() || ttl.isZero()) {
            throw new ParameterException(
                    command.commandLine(), "Invalid value for option '--ttl': a token must be good for some time");
        }
        TokenConfig tokens = loader.loadTokens(config.sources(environment));
        if (tokens.keys().secret() == null) {
            throw new ConfigException(List.of(
                    "pushbridge.auth.secret (not set): tokens are signed with it here; where public keys check them"
                            + " (auth.public-key, auth.jwks-url), only whoever has the private key can make one"));
        }
        try {
            Address.parse("user." + user);
        } catch (Address.InvalidAddressException e) {
            command.commandLine().getErr().println("pushbridge: " + e.getMessage());
            return ExitCode.DATA.number();
        }
        List<String> granted = Arrays.stream(channels.split(",", -1))
                .map(String::trim)
                .filter(name -> !name.isEmpty())
                .toList();
        command.commandLine()
                .getOut()
                .println(new TokenMinter(tokens).mint(user, granted, System.currentTimeMillis(), ttl));
        return ExitCode.OK.number();
    }
}
