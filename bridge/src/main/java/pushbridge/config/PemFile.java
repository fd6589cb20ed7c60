package pushbridge.config;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads public keys, also those in certificates, from a PEM file. */
final class PemFile {

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");
    private static final int LEAST_RSA_BITS = 2048;
    private static final String[] KINDS = {"RSA", "EC", "Ed25519"};

    private PemFile() {}

    /** @throws IllegalArgumentException with a sentence */
    static PublicKeys read(String name) {
        Path file = Path.of(name);
        String text;
        try {
            text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(Units.quote(name) + " does not exist", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    Units.quote(name) + " cannot be read (" + e.getClass().getSimpleName() + ")", e);
        }
        if (text.contains("PRIVATE KEY-----")) {
            throw new IllegalArgumentException(
                    Units.quote(name) + " holds a private key, which belongs to whoever signs"
                            + " tokens and not here; write its public key with: openssl pkey -pubout");
        }
        List<PublicKey> keys = new ArrayList<>();
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            PublicKey key = key(name, block.group(1), block.group(2));
            if (key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() < LEAST_RSA_BITS) {
                throw new IllegalArgumentException(Units.quote(name) + " has an RSA key of "
                        + rsa.getModulus().bitLength() + " bits; at least " + LEAST_RSA_BITS);
            }
            keys.add(key);
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException(Units.quote(name) + " has no block -----BEGIN PUBLIC KEY-----");
        }
        return new PublicKeys(file, List.copyOf(keys));
    }

    private static PublicKey key(String name, String label, String base64) {
        try {
            byte[] der = Base64.getMimeDecoder().decode(base64);
            switch (label) {
                case "CERTIFICATE" -> {
                    return CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(der))
                            .getPublicKey();
                }
                case "PUBLIC KEY" -> {
                    return publicKey(name, der);
                }
                case "RSA PUBLIC KEY" ->
                    throw new IllegalArgumentException(
                            Units.quote(name)
                                    + " has a key in the old form RSA PUBLIC KEY; convert it with: openssl rsa -RSAPublicKey_in -pubout");
                default ->
                    throw new IllegalArgumentException(
                            Units.quote(name) + " has a block " + label + ", which is no public key");
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(Units.quote(name) + " has a certificate that cannot be read", e);
        }
    }

    private static PublicKey publicKey(String name, byte[] der) {
        for (String kind : KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                // it is of another kind
            }
        }
        throw new IllegalArgumentException(
                Units.quote(name) + " has a key that is neither RSA nor on a NIST curve nor Ed25519");
    }
}
