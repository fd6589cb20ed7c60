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
public record PublicKeys(Path file, List<PublicKey> keys) {

    /**
     * What stands in the file now.
     *
     * @throws IllegalArgumentException with a sentence: it cannot be read, or holds something else
     */
    public PublicKeys again() {
        return PemFile.read(file.toString());
    }
}
