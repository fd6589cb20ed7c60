package pushbridge.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Those whose signature on a certificate is believed. */
final class Authorities {

    private Authorities() {}

    static TrustManager[] of(Path file) throws TlsException {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            int number = 0;
            for (X509Certificate authority : KeyFiles.certificates(file)) {
                store.setCertificateEntry("authority " + ++number, authority);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
            throw new TlsException(file + " cannot be used (" + e.getMessage() + ").", e);
        }
    }
}
