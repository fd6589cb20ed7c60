package pushbridge.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.config.TlsConfig;

/** Reads certificates and private keys. */
final class KeyFiles {

    private static final Pattern PEM =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

    private static final String CONVERT = "; convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW";

    /** A private key and the chain of certificates for it, its own first. */
    record Identity(PrivateKey key, List<X509Certificate> chain) {}

    private KeyFiles() {}

    /** What the named files hold. */
    static byte[] bytes(TlsConfig config) throws TlsException {
        byte[] all = new byte[0];
        for (Path file : files(config)) {
            byte[] one = bytes(file);
            byte[] both = java.util.Arrays.copyOf(all, all.length + one.length);
            System.arraycopy(one, 0, both, all.length, one.length);
            all = both;
        }
        return all;
    }

    private static List<Path> files(TlsConfig config) {
        Path pkcs12 = config.pkcs12File();
        Path certificate = config.certificateFile();
        Path key = config.keyFile();
        if (pkcs12 != null) {
            return List.of(pkcs12);
        }
        return certificate == null || key == null ? List.of() : List.of(certificate, key);
    }

    static Identity identity(TlsConfig config) throws TlsException {
        Path pkcs12 = config.pkcs12File();
        Path certificate = config.certificateFile();
        Path key = config.keyFile();
        Identity identity;
        String from;
        if (pkcs12 != null) {
            identity = pkcs12(pkcs12, config.pkcs12Password());
            from = pkcs12.toString();
        } else if (certificate != null && key != null) {
            identity = new Identity(privateKey(key), certificates(certificate));
            from = certificate + " and " + key;
        } else {
            throw new TlsException("A certificate needs a key: name both files, or one PKCS12 file.", null);
        }
        checkPair(identity, from);
        return identity;
    }

    static List<X509Certificate> certificates(Path file) throws TlsException {
        try {
            List<X509Certificate> chain =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytes(file)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (chain.isEmpty()) {
                throw new TlsException(file + " holds no certificate; expected BEGIN CERTIFICATE.", null);
            }
            return chain;
        } catch (CertificateException e) {
            throw new TlsException(file + " holds no certificate that can be read (" + e.getMessage() + ").", e);
        }
    }

    private static PrivateKey privateKey(Path file) throws TlsException {
        Matcher pem = PEM.matcher(new String(bytes(file), US_ASCII));
        String found = null;
        while (pem.find()) {
            found = pem.group(1);
            if (found.equals("PRIVATE KEY")) {
                return pkcs8(file, Base64.getMimeDecoder().decode(pem.group(2)));
            }
        }
        if (found == null) {
            throw new TlsException(file + " holds no private key; expected BEGIN PRIVATE KEY (PKCS8 in PEM).", null);
        }
        throw new TlsException(
                file + " holds a " + found + ", and not a PRIVATE KEY (PKCS8, not encrypted)" + CONVERT, null);
    }

    private static PrivateKey pkcs8(Path file, byte[] der) throws TlsException {
        // The encoding names its algorithm, but only the right factory can tell.
        GeneralSecurityException last = null;
        for (String algorithm : List.of("RSA", "EC", "EdDSA", "RSASSA-PSS")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                last = e;
            }
        }
        throw new TlsException(
                file + " holds no private key that Java can read: RSA, EC or EdDSA in PKCS8" + CONVERT, last);
    }

    private static Identity pkcs12(Path file, @Nullable String password) throws TlsException {
        char[] secret = password == null ? new char[0] : password.toCharArray();
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(new ByteArrayInputStream(bytes(file)), secret);
            for (String alias : Collections.list(store.aliases())) {
                Key key = store.getKey(alias, secret);
                Certificate[] chain = store.getCertificateChain(alias);
                if (key instanceof PrivateKey privateKey && chain != null) {
                    return new Identity(
                            privateKey,
                            java.util.Arrays.stream(chain)
                                    .map(X509Certificate.class::cast)
                                    .toList());
                }
            }
            throw new TlsException(file + " holds no private key with its certificate.", null);
        } catch (IOException | GeneralSecurityException e) {
            // Which of the two it is cannot be told: a wrong password decrypts to nonsense.
            throw new TlsException(file + " is no PKCS12 file, or its password is another one.", e);
        }
    }

    /** A key beside the certificate of another one would fail every handshake. */
    private static void checkPair(Identity identity, String from) throws TlsException {
        X509Certificate own = identity.chain().get(0);
        String algorithm = switch (identity.key().getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "EdDSA" -> "EdDSA";
            default -> null;
        };
        if (algorithm == null) {
            return; // rare enough to be tried
        }
        boolean pair;
        try {
            Signature sign = Signature.getInstance(algorithm);
            sign.initSign(identity.key());
            sign.update((byte) 1);
            Signature verify = Signature.getInstance(algorithm);
            verify.initVerify(own.getPublicKey());
            verify.update((byte) 1);
            pair = verify.verify(sign.sign());
        } catch (GeneralSecurityException e) {
            pair = false;
        }
        if (!pair) {
            throw new TlsException(
                    "The key does not belong to the certificate (" + from + "); the certificate must come first in its"
                            + " file, the intermediate ones behind it.",
                    null);
        }
    }

    private static byte[] bytes(Path file) throws TlsException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new TlsException(file + " cannot be read (" + e.getClass().getSimpleName() + ").", e);
        }
    }
}
