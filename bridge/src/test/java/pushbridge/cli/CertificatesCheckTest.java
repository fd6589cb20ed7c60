package pushbridge.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.Machine;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;

/** {@code check-config} says what is wrong with certificates and keys, a sentence each, before anybody connects. */
class CertificatesCheckTest {

    @TempDir
    static Path folder;

    private static Certificates authority;
    private static Issued good;
    private static Issued other;
    private static Issued expired;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new Certificates(folder, "authority");
        good = authority.issue("good", "EC", true);
        other = authority.issue("other", "RSA", true);
        expired = authority.issueExpired("expired");
    }

    @Test
    void goodOnesAreGoodInEachPlace() {
        List<String> settings = new ArrayList<>();
        for (String place : List.of("socket", "admin", "amqp")) {
            settings.addAll(pem(place, good.certificate(), good.key()));
        }
        settings.add("admin.tls.client-ca-file=" + authority.ca);
        settings.add("amqp.tls.ca-file=" + authority.ca);
        assertThat(check(settings)).as(err.toString(UTF_8)).isZero();
    }

    @Test
    void aPkcs12FileWithItsPasswordIsGood() {
        assertThat(check(pkcs12("socket", good.pkcs12(), Certificates.PASSWORD)))
                .isZero();
        assertThat(out.toString(UTF_8))
                .contains("pushbridge.socket.tls.pkcs12-password = ***")
                .doesNotContain(Certificates.PASSWORD);
    }

    @ParameterizedTest
    @ValueSource(strings = {"socket", "admin", "amqp"})
    void anExpiredOneIsNamedWithItsDay(String place) throws Exception {
        problem(place, pem(place, expired.certificate(), expired.key()), "has expired on 20");
    }

    @ParameterizedTest
    @ValueSource(strings = {"socket", "admin", "amqp"})
    void aKeyOfAnotherCertificateIsNotTaken(String place) {
        problem(place, pem(place, good.certificate(), other.key()), "The key does not belong to the certificate");
        problem(place, pem(place, other.certificate(), good.key()), "The key does not belong to the certificate");
    }

    @ParameterizedTest
    @ValueSource(strings = {"socket", "admin", "amqp"})
    void aWrongPasswordAndWhatIsNoPkcs12AreOneSentence(String place) {
        problem(place, pkcs12(place, good.pkcs12(), "wrong"), "is no PKCS12 file, or its password is another one");
        problem(place, pkcs12(place, good.key(), "wrong"), "is no PKCS12 file, or its password is another one");
    }

    @Test
    void whatIsNoCertificateOrKeyIsNamed() throws Exception {
        Path nonsense = Files.writeString(folder.resolve("nonsense"), "nonsense");
        Path empty = Files.writeString(folder.resolve("empty"), "");
        Path old = Files.writeString(
                folder.resolve("old.key"), "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
        problem("socket", pem("socket", nonsense, good.key()), "nonsense holds no certificate");
        problem("socket", pem("socket", empty, good.key()), "empty holds no certificate");
        problem("socket", pem("socket", good.key(), good.key()), "holds no certificate");
        problem("socket", pem("socket", good.certificate(), nonsense), "nonsense holds no private key");
        problem("socket", pem("socket", good.certificate(), old), "openssl pkcs8 -topk8");
        problem("amqp", List.of("amqp.tls.ca-file=" + nonsense), "nonsense holds no certificate");
        List<String> admin = new ArrayList<>(pem("admin", good.certificate(), good.key()));
        admin.add("admin.tls.client-ca-file=" + nonsense);
        problem("admin", admin, "nonsense holds no certificate");
    }

    @Test
    void allThatIsWrongIsSaidAtOnce() {
        List<String> settings = new ArrayList<>(pem("socket", good.certificate(), other.key()));
        settings.addAll(pem("admin", expired.certificate(), expired.key()));
        settings.addAll(pkcs12("amqp", good.pkcs12(), "wrong"));
        assertThat(check(settings)).isEqualTo(78);
        assertThat(problems()).hasSize(3);
    }

    private void problem(String place, List<String> settings, String sentence) {
        err.reset();
        assertThat(check(settings)).as(String.join(" ", settings)).isEqualTo(78);
        assertThat(problems())
                .singleElement()
                .asString()
                .startsWith("  pushbridge." + place + ".tls")
                .contains(sentence);
    }

    private List<String> problems() {
        List<String> lines = err.toString(UTF_8).lines().toList();
        return lines.subList(1, lines.size());
    }

    private static List<String> pem(String place, Path certificate, Path key) {
        return List.of(place + ".tls.certificate-file=" + certificate, place + ".tls.key-file=" + key);
    }

    private static List<String> pkcs12(String place, Path file, String password) {
        return List.of(place + ".tls.pkcs12-file=" + file, place + ".tls.pkcs12-password=" + password);
    }

    private int check(List<String> settings) {
        List<String> arguments = new ArrayList<>(List.of("check-config", "--set", "auth.mode=dev"));
        settings.forEach(setting -> arguments.addAll(List.of("--set", setting)));
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
                .run(
                        arguments.toArray(String[]::new),
                        Map.of(),
                        new PrintStream(out, true, UTF_8),
                        new PrintStream(err, true, UTF_8));
    }
}
