package pushbridge.tls;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLSocket;
import pushbridge.config.AmqpTlsConfig;
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

    /**
     * Of what a server of RabbitMQ's shows, verified as the bridge does it, but for its name.
     *
     * @param patience for the connection and for the handshake each
     * @throws IOException there is no connection, or its certificate is not believed
     * @throws TlsException a file of the configuration cannot be used
     */
    public static Instant ofServer(AmqpTlsConfig config, String host, int port, Duration patience)
            throws IOException, TlsException {
        int millis = Math.toIntExact(patience.toMillis());
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(host, port), millis);
            plain.setSoTimeout(millis);
            try (SSLSocket socket =
                    (SSLSocket) ClientTls.context(config).getSocketFactory().createSocket(plain, host, port, true)) {
                socket.startHandshake();
                return first(Arrays.stream(socket.getSession().getPeerCertificates())
                        .map(X509Certificate.class::cast)
                        .toList());
            }
        }
    }

    private static Instant first(List<X509Certificate> certificates) {
        return certificates.stream()
                .map(certificate -> certificate.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElseThrow();
    }
}
