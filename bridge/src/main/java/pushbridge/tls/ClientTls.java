package pushbridge.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpTlsConfig;
import pushbridge.config.TlsConfig;

/** TLS towards a broker, and towards whoever publishes keys. */
public final class ClientTls {

    private ClientTls() {}

    /**
     * Reads the files; hostnames are the caller's to verify.
     *
     * @throws TlsException one of them cannot be used
     */
    public static SSLContext context(AmqpTlsConfig config) throws TlsException {
        TlsConfig identity = config.identity();
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    identity == null ? null : new KeyManager[] {new ReloadingKeyManager(identity)},
                    authorities(config),
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new TlsException("TLS cannot be set up (" + e.getMessage() + ").", e);
        }
    }

    /**
     * Why the broker will refuse the certificate that is shown to it, in a sentence; null when its time is now, or when none
     * is shown.
     *
     * @throws TlsException it cannot be used at all
     */
    public static @Nullable String problem(AmqpTlsConfig config) throws TlsException {
        TlsConfig identity = config.identity();
        return identity == null ? null : new ReloadingKeyManager(identity).problem();
    }

    /**
     * For a client that shows no certificate.
     *
     * @param caFile the authorities that it believes, in PEM; null for those that Java brings
     * @throws TlsException the file cannot be used
     */
    public static SSLContext trusting(@Nullable Path caFile) throws TlsException {
        return context(new AmqpTlsConfig(true, caFile, null));
    }

    /** Null for those that Java brings. */
    private static TrustManager @Nullable [] authorities(AmqpTlsConfig config) throws TlsException {
        if (!config.verify()) {
            return new TrustManager[] {new Everybody()};
        }
        return config.caFile() == null ? null : Authorities.of(config.caFile());
    }

    /** For {@code amqp.tls.verify=false}, which says what that means. */
    private static final class Everybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
