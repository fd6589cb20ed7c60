package pushbridge.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where the public keys of an identity provider are loaded from, a JSON Web Key Set (RFC 7517).
 *
 * @param url http or https
 * @param caFile authorities, in PEM, that may have signed its certificate; null for those that Java brings
 * @param refresh how often they are loaded
 * @param leastInterval the least time from one load to the next, whatever tokens ask for
 * @param maxAge how long they are believed when they cannot be loaded again
 * @param timeout for one load from beginning to end
 * @param maxBytes the longest answer
 */
public record JwksConfig(
        URI url,
        @Nullable Path caFile,
        Duration refresh,
        Duration leastInterval,
        Duration maxAge,
        Duration timeout,
        int maxBytes) {}
