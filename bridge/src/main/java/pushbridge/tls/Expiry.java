package pushbridge.tls;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import pushbridge.config.TlsConfig;

/** Until when certificates in files are good. */
public final class Expiry {

    private Expiry() {}

    /**
     * Of a certificate and those behind it, the first.
     *
     * @throws TlsException it cannot be used
     */
    public static Instant of(TlsConfig config) throws TlsException {
        return first(KeyFiles.identity(config).chain());
    }

    /**
     * Of authorities that are believed, the first.
     *
     * @param file in PEM
     * @throws TlsException it cannot be used
     */
    public static Instant of(Path file) throws TlsException {
        return first(KeyFiles.certificates(file));
    }

    private static Instant first(List<X509Certificate> certificates) {
        return certificates.stream()
                .map(certificate -> certificate.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElseThrow();
    }
}
