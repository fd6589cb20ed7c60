package pushbridge.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import pushbridge.config.Rereading;
import pushbridge.config.TlsConfig;

/**
 * TLS 1.2 and 1.3 for one listener. While it is started it looks for a new certificate every ten seconds; the authorities
 * of client certificates are read once.
 */
public final class ServerTls {

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final ReloadingKeyManager keys;
    private final SSLContext context;
    private final boolean clientCertificate;
    private final Rereading rereading;

    /**
     * Reads the files.
     *
     * @param clientCaFile authorities of which clients must show a certificate, in PEM; null when none is asked for
     * @throws TlsException one of them cannot be used
     */
    public ServerTls(TlsConfig config, @Nullable Path clientCaFile) throws TlsException {
        keys = new ReloadingKeyManager(config);
        rereading = new Rereading("pushbridge-tls-reload", keys::reload);
        keys.describe("Certificate");
        clientCertificate = clientCaFile != null;
        try {
            context = SSLContext.getInstance("TLS");
            context.init(
                    new KeyManager[] {keys},
                    clientCaFile == null ? new TrustManager[0] : Authorities.of(clientCaFile),
                    null);
        } catch (GeneralSecurityException e) {
            throw new TlsException("TLS cannot be set up (" + e.getMessage() + ").", e);
        }
    }

    /** The state of one connection. */
    SSLEngine newEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        parameters.setNeedClientAuth(clientCertificate);
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** Begins to look for new certificates. */
    public void start() {
        rereading.start();
    }

    /** Why clients will refuse the certificate in use, in a sentence; null when its time is now. */
    public @Nullable String problem() {
        return keys.problem();
    }

    /** Looks for a new certificate now. */
    public void reload() {
        keys.reload();
    }

    /** Ends what {@link #start} began. Idempotent. */
    public void stop() {
        rereading.stop();
    }
}
