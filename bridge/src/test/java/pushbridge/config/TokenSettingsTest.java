package pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may be set for tokens and certificates, and what goes together. */
class TokenSettingsTest {

    private static final String SECRET = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @Test
    void keysComeFromASecretAndTheOneBefore() throws Exception {
        Path before = Files.writeString(folder.resolve("before"), "before before before before before\n");
        TokenKeys keys = tokens("auth.secret=" + SECRET, "auth.secret-previous-file=" + before);
        assertThat(keys.secret()).isEqualTo(SECRET);
        assertThat(keys.previousSecret()).isEqualTo("before before before before before");
        assertThat(keys.toString()).doesNotContain(SECRET).doesNotContain("before");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://id.example.com/keys",
                "https://id.example.com:8443/a/b?tenant=1",
                "http://127.0.0.1:9000/keys",
                "http://localhost/keys",
                "http://[::1]:9000/keys"
            })
    void orFromAnAddressThatNobodyCanStandInFrontOf(String url) throws Exception {
        JwksConfig jwks = Objects.requireNonNull(tokens("auth.jwks-url=" + url).jwks());
        assertThat(jwks.url()).isEqualTo(URI.create(url));
        assertThat(jwks.refresh()).isEqualTo(Duration.ofMinutes(5));
        assertThat(jwks.leastInterval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(jwks.maxAge()).isEqualTo(Duration.ofHours(24));
        assertThat(jwks.maxBytes()).isEqualTo(256 * 1024);
    }

    @Test
    void orFromAnyWhenSomebodySaysSo() throws Exception {
        assertThat(tokens("auth.jwks-url=http://192.0.2.1/keys", "auth.jwks-allow-http=true")
                        .jwks())
                .isNotNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "auth.jwks-url=ftp://h/k | auth.jwks-url | starts with https://",
                "auth.jwks-url=/keys | auth.jwks-url | starts with https://",
                "auth.jwks-url=https:/x | auth.jwks-url | starts with https://",
                "auth.jwks-url=https://u:hidden@h/k | auth.jwks-url | it has a user name, a password",
                "auth.jwks-url=http://192.0.2.1/keys | auth.jwks-url | use https://, or set pushbridge.auth.jwks-allow-http",
                "auth.jwks-url=https://h/k auth.jwks-refresh=10s auth.jwks-least-interval=1m | auth.jwks-refresh | at least",
                "auth.jwks-url=https://h/k auth.jwks-refresh=1h auth.jwks-max-age=1m | auth.jwks-max-age | at least",
                "auth.jwks-url=https://h/k auth.secret=SECRET | auth.mode | one kind of key, and several are set",
                "auth.jwks-url=http://localhost/k auth.jwks-ca-file=FILE | auth.jwks-ca-file | use https://",
                "auth.secret=SECRET auth.jwks-ca-file=FILE | auth.jwks-ca-file | of no use without",
                "auth.secret=SECRET auth.secret-previous=SECRET | auth.secret-previous | the same as",
                "auth.secret=SECRET auth.secret-previous=short | auth.secret-previous | too short to be safe",
                "auth.jwks-url=https://h/k auth.secret-previous=SECRET | auth.secret-previous | of no use without",
                "auth.public-key=FILE | auth.public-key | has no block",
                "auth.issuer=x | auth.mode | a key, and none is set",
                "auth.secret=SECRET socket.tls.certificate-file=FILE | socket.tls.certificate-file | of no use without"
                        + " pushbridge.socket.tls.key-file",
                "auth.secret=SECRET socket.tls.key-file=FILE | socket.tls.key-file | of no use without"
                        + " pushbridge.socket.tls.certificate-file",
                "auth.secret=SECRET admin.tls.pkcs12-file=FILE | admin.tls.pkcs12-file | of no use without"
                        + " pushbridge.admin.tls.pkcs12-password",
                "auth.secret=SECRET amqp.tls.pkcs12-password=x | amqp.tls.pkcs12-password | of no use without"
                        + " pushbridge.amqp.tls.pkcs12-file",
                "auth.secret=SECRET socket.tls.certificate-file=FILE socket.tls.key-file=FILE socket.tls.pkcs12-file=FILE"
                        + " socket.tls.pkcs12-password=x | socket.tls.pkcs12-file | set only one of the two",
                "auth.secret=SECRET amqp.tls.ca-file=/does/not/exist | amqp.tls.ca-file | is not a file that exists",
                "auth.secret=SECRET amqp.tls.verify=no | amqp.tls.verify | is neither true nor false",
            })
    void whatCannotBeOrDoesNotGoTogetherIsOneSentence(String settings, String key, String sentence) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "nothing");
        String[] all = ("auth.mode=token " + settings)
                .replace("SECRET", SECRET)
                .replace("FILE", file.toString())
                .split(" ", -1);
        ConfigException refused = catchThrowableOfType(
                ConfigException.class, () -> new ConfigLoader(new Machine(2L << 30, 2)).load(sources(all)));
        assertThat(refused.problems())
                .singleElement()
                .asString()
                .startsWith("pushbridge." + key + " (")
                .contains(sentence)
                .doesNotContain("hidden")
                .doesNotContain(SECRET);
    }

    @Test
    void certificatesAreKnownToEachOfTheThreePlaces() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "read later");
        List<String> settings = new ArrayList<>(List.of("auth.mode=dev", "admin.tls.client-ca-file=" + file));
        for (String place : List.of("socket", "admin")) {
            settings.add(place + ".tls.certificate-file=" + file);
            settings.add(place + ".tls.key-file=" + file);
        }
        settings.add("amqp.tls.pkcs12-file=" + file);
        settings.add("amqp.tls.pkcs12-password=hidden");
        settings.add("amqp.tls.ca-file=" + file);
        BridgeConfig config = new ConfigLoader(new Machine(2L << 30, 2))
                .load(sources(settings.toArray(String[]::new)))
                .values();
        TlsConfig pem = new TlsConfig(file, file, null, null);
        assertThat(config.socket().tls()).isEqualTo(pem);
        assertThat(config.admin().tls()).isEqualTo(pem);
        assertThat(config.admin().clientCaFile()).isEqualTo(file);
        assertThat(config.amqp().tls().identity()).isEqualTo(new TlsConfig(null, null, file, "hidden"));
        assertThat(config.amqp().tls().verify()).isTrue();
        assertThat(config.amqp().tls().toString()).doesNotContain("hidden");
    }

    private static TokenKeys tokens(String... settings) throws ConfigException {
        List<String> all = new ArrayList<>(List.of("auth.mode=token"));
        all.addAll(List.of(settings));
        TokenConfig tokens = new ConfigLoader(new Machine(2L << 30, 2))
                .load(sources(all.toArray(String[]::new)))
                .values()
                .auth()
                .token();
        return Objects.requireNonNull(tokens).keys();
    }

    private static ConfigSources sources(String... settings) {
        return new ConfigSources(null, Map.of(), List.of(settings));
    }
}
