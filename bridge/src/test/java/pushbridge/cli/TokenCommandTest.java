package pushbridge.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.auth.KeySource;
import pushbridge.auth.TokenVerifier;
import pushbridge.auth.Verdict;
import pushbridge.config.ConfigLoader;
import pushbridge.config.ConfigSources;
import pushbridge.config.Machine;
import pushbridge.config.TokenConfig;

/** {@code pushbridge token}: what it prints gets in at a bridge with the same configuration. */
class TokenCommandTest {

    private static final String SECRET = "0123456789abcdef0123456789abcdef";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    Path folder;

    @Test
    void whatItPrintsIsTakenByABridgeOfThisConfiguration() throws Exception {
        Path secret = Files.writeString(folder.resolve("secret"), SECRET + "\n");
        Path file = Files.writeString(folder.resolve("bridge.yaml"), """
                pushbridge:
                  auth:
                    mode: token
                    secret-file: %s
                    secret-previous: another secret of thirty-two bytes
                    issuer: https://id.example
                    audience: push
                    channels-claim: may
                """.formatted(secret));
        String[] arguments = {
            "token", "--config", file.toString(), "--user", "42", "--channels", "news, team-*,", "--ttl", "15m"
        };
        long before = System.currentTimeMillis() / 1000;
        assertThat(run(Map.of(), arguments)).isZero();
        assertThat(err.toString(UTF_8)).isEmpty();
        String token = out.toString(UTF_8).strip();

        TokenConfig config =
                new ConfigLoader(new Machine(2L << 30, 2)).loadTokens(new ConfigSources(file, Map.of(), List.of()));
        assertThat(verifier(config).verify(token)).isInstanceOfSatisfying(Verdict.Valid.class, valid -> {
            assertThat(valid.credentials().user()).isEqualTo("42");
            assertThat(valid.credentials().channels()).hasToString("[news, team-*]");
            assertThat(valid.credentials().expiresAt())
                    .isBetween(before + 900, System.currentTimeMillis() / 1000 + 900);
        });
        TokenConfig other = new ConfigLoader(new Machine(2L << 30, 2))
                .loadTokens(new ConfigSources(
                        null, Map.of(), List.of("auth.secret=" + "f".repeat(32), "auth.audience=push")));
        assertThat(verifier(other).verify(token)).isInstanceOf(Verdict.Invalid.class);
    }

    @Test
    void theSecretMayBeInTheEnvironment() {
        assertThat(run(Map.of("PUSHBRIDGE_AUTH_SECRET", SECRET), "token", "--user", "42"))
                .isZero();
        assertThat(out.toString(UTF_8).strip().split("\\.", -1)).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "token --user 42 | 78 | pushbridge.auth.secret (not set): tokens are signed with it here",
                "token --user 42 --set auth.jwks-url=https://h/k | 78 | only whoever has the private key can make one",
                "token --user 42 --set auth.secret=short | 78 | pushbridge.auth.secret (from command line): it is too short",
                "token --user 42 --set auth.secrt=x | 78 | did you mean pushbridge.auth.secret",
                "token --set auth.secret=SECRET | 2 | Missing required option: '--user=ID'",
                "token --user= --set auth.secret=SECRET | 65 | pushbridge: ",
                "token --user 42 --ttl soon --set auth.secret=SECRET | 2 | --ttl",
                "token --user 42 --ttl 0s --set auth.secret=SECRET | 2 | --ttl",
                "token --user 42 --ttl=-1h --set auth.secret=SECRET | 2 | --ttl",
            })
    void whatIsWrongIsOneSentence(String line, int code, String sentence) {
        assertThat(run(Map.of(), line.replace("SECRET", SECRET).split(" ", -1)))
                .as(err.toString(UTF_8))
                .isEqualTo(code);
        assertThat(err.toString(UTF_8))
                .contains(sentence)
                .doesNotContain(SECRET)
                .doesNotContain("\tat ");
        assertThat(out.toString(UTF_8)).isEmpty();
    }

    private static TokenVerifier verifier(TokenConfig config) {
        return new TokenVerifier(
                config, KeySource.of(config.keys(), null, System::nanoTime), System::currentTimeMillis);
    }

    private int run(Map<String, String> environment, String... arguments) {
        Publisher nobody = (amqp, request) -> {
            throw new AssertionError("nothing is published");
        };
        return new Cli(
                        config -> ExitCode.OK,
                        nobody,
                        (amqp, hold, create) -> new TopologyCheck.Checked(List.of()),
                        (letters, holder) -> {
                            throw new AssertionError("no letters are read");
                        },
                        new Machine(2L << 30, 2))
                .run(arguments, environment, new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
    }
}
