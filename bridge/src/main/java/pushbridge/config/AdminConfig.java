package pushbridge.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The listener for operators: health and metrics. Never on the public one.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 takes a free one
 * @param tls certificate of this listener; null when it speaks plain TCP
 * @param clientCaFile certificates of the authorities of which a client must show a certificate, in PEM; null when none is
 *     asked for
 */
public record AdminConfig(
        String host,
        int port,
        @Nullable TlsConfig tls,
        @Nullable Path clientCaFile) {}
