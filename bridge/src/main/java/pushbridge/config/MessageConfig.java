package pushbridge.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What an envelope may be.
 *
 * @param maxBytes size of a body; larger ones are dead-lettered as too-large
 * @param maxDepth nesting of objects and arrays; deeper ones are malformed
 * @param typesDir folder with payload schemas named {@code <type>.schema.json}; null for none
 */
public record MessageConfig(
        int maxBytes, int maxDepth, @Nullable Path typesDir) {}
