package pushbridge.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How {@code amqps://} addresses are connected.
 *
 * @param verify whether the broker's certificate must be valid and name its host
 * @param caFile certificates of the authorities that are believed, in PEM; null for those that Java brings
 * @param identity what the bridge shows the broker of itself; null for nothing
 */
public record AmqpTlsConfig(
        boolean verify, @Nullable Path caFile, @Nullable TlsConfig identity) {}
