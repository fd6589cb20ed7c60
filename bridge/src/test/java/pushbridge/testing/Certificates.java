package pushbridge.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** An authority and certificates signed by it, made with the JDK's {@code keytool} in a folder. */
public final class Certificates {

    public static final String PASSWORD = "changeit";

    /** A certificate: as PKCS12, and as two PEM files. */
    public record Issued(Path pkcs12, Path certificate, Path key) {}

    private static final String HERE = "san=dns:localhost,ip:127.0.0.1";

    private final Path folder;
    private final Path authority;

    /** The certificate of the authority, in PEM. */
    public final Path ca;

    public Certificates(Path folder, String name) throws Exception {
        this.folder = Files.createDirectories(folder.resolve(name));
        authority = this.folder.resolve("authority.p12");
        ca = this.folder.resolve("ca.pem");
        keytool(authority, "-genkeypair", "-alias", "ca", "-keyalg", "EC", "-dname", "CN=" + name, "-ext", "bc:c");
        keytool(authority, "-exportcert", "-alias", "ca", "-rfc", "-file", ca.toString());
    }

    /** A certificate for {@code localhost} and 127.0.0.1, or for nothing of this machine. */
    public Issued issue(String name, String algorithm, boolean forThisMachine) throws Exception {
        return issue(name, algorithm, forThisMachine ? HERE : "san=dns:elsewhere.example", "-0d");
    }

    /** One for the name {@code localhost} only, and not for its address. */
    public Issued issueForName(String name) throws Exception {
        return issue(name, "RSA", "san=dns:localhost", "-0d");
    }

    /** One for this machine that was good for a day, ten days ago. */
    public Issued issueExpired(String name) throws Exception {
        return issue(name, "EC", HERE, "-10d");
    }

    /** One for this machine that is good for so many days. */
    public Issued issueFor(int days, String name) throws Exception {
        return issue(name, "EC", HERE, "-0d", days);
    }

    private Issued issue(String name, String algorithm, String subject, String start) throws Exception {
        return issue(name, algorithm, subject, start, start.equals("-0d") ? 90 : 1);
    }

    private Issued issue(String name, String algorithm, String subject, String start, int days) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Path request = folder.resolve(name + ".csr");
        Path signed = folder.resolve(name + ".signed.pem");
        Path certificate = folder.resolve(name + ".pem");
        Path key = folder.resolve(name + ".key");
        keytool(store, "-genkeypair", "-alias", "own", "-keyalg", algorithm, "-dname", "CN=" + name);
        keytool(store, "-certreq", "-alias", "own", "-file", request.toString());
        keytool(
                authority,
                "-gencert",
                "-startdate",
                start,
                "-validity",
                String.valueOf(days),
                "-alias",
                "ca",
                "-rfc",
                "-ext",
                subject,
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString());
        keytool(store, "-importcert", "-noprompt", "-trustcacerts", "-alias", "ca", "-file", ca.toString());
        keytool(store, "-importcert", "-noprompt", "-alias", "own", "-file", signed.toString());
        keytool(store, "-delete", "-alias", "ca");
        Files.write(certificate, Files.readAllBytes(signed));
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, PASSWORD.toCharArray());
            String encoded = Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII))
                    .encodeToString(keys.getKey("own", PASSWORD.toCharArray()).getEncoded());
            Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n" + encoded + "\n-----END PRIVATE KEY-----\n");
        }
        return new Issued(store, certificate, key);
    }

    /** For a client that believes this authority, and may show a certificate. */
    public SSLContext client(@Nullable Issued shown) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry(
                "ca",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(ca))));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (shown != null) {
            try (InputStream in = Files.newInputStream(shown.pkcs12())) {
                own.load(in, PASSWORD.toCharArray());
            }
        }
        keys.init(own, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static void keytool(Path store, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-Duser.language=en",
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD));
        command.addAll(1, List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), US_ASCII);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }
}
