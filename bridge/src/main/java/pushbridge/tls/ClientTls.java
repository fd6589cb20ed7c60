package pushbridge.tls;

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

/** TLS towards a broker. */
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
            throw new TlsException("TLS to RabbitMQ cannot be set up (" + e.getMessage() + ").", e);
        }
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
