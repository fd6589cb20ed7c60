package pushbridge.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The listener for operators. Never on the public one.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 takes a free one
 * @param token what a request must show, probes excepted; null when none is asked for; a secret
 * @param maxConnections connections at a time
 * @param maxBodyBytes the largest body of a request
 * @param tls certificate of this listener; null when it speaks plain TCP
 * @param clientCaFile certificates of the authorities of which a client must show a certificate, in PEM; null when none is
 *     asked for
 */
public record AdminConfig(
        String host,
        int port,
        @Nullable String token,
        int maxConnections,
        int maxBodyBytes,
        @Nullable TlsConfig tls,
        @Nullable Path clientCaFile) {

    /** Without the token. */
    @Override
    public String toString() {
        return "AdminConfig[" + host + ":" + port + ", …]";
    }
}
