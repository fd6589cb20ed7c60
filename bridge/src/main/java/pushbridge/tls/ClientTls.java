package pushbridge.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpTlsConfig;
import pushbridge.config.TlsConfig;

/** TLS towards a broker, towards whoever publishes keys, and of a command towards its own bridge. */
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
     * For a command that asks the bridge of the same configuration: believes the certificate that stands there and no other,
     * whatever name is on it and whoever signed it, since it is known beforehand.
     *
     * @param identity what to show; null for nothing
     * @throws TlsException one of the files cannot be used
     */
    public static SSLContext toOwnServer(TlsConfig server, @Nullable TlsConfig identity) throws TlsException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    identity == null ? null : new KeyManager[] {new ReloadingKeyManager(identity)},
                    new TrustManager[] {new Only(certificate(server))},
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new TlsException("TLS to the bridge cannot be set up (" + e.getMessage() + ").", e);
        }
    }

    private static X509Certificate certificate(TlsConfig server) throws TlsException {
        // The private key is none of an operator's business, so its file need not be readable for this.
        Path file = server.certificateFile();
        return (file == null ? KeyFiles.identity(server).chain() : KeyFiles.certificates(file)).get(0);
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

    /** Believes one certificate; of the extended kind, so that Java does not compare the name on it besides. */
    private static final class Only extends X509ExtendedTrustManager {
        private final X509Certificate certificate;

        Only(X509Certificate certificate) {
            this.certificate = certificate;
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            if (chain.length == 0 || !chain[0].equals(certificate)) {
                throw new CertificateException("it has another certificate than this configuration");
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this is no server");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket)
                throws CertificateException {
            throw new CertificateException("this is no server");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("this is no server");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
