package pushbridge.config;

import java.nio.file.Path;
import java.security.PublicKey;
import java.util.List;

/**
 * What stands in a PEM file.
 *
 * @param file where they were read from
 * @param keys at least one, in the file's order
 */
public record PublicKeys(Path file, List<PublicKey> keys) {}
