package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What recognises a redelivered instruction tells everything else apart. */
final class ContentHashTest {

    private static final byte[] BODY = "{\"seq\":1}".getBytes(StandardCharsets.UTF_8);

    @Test
    void everyPartCounts() {
        Set<Long> hashes = new HashSet<>();
        hashes.add(ContentHash.of("user.1", "a", BODY));
        hashes.add(ContentHash.of("user.2", "a", BODY));
        hashes.add(ContentHash.of("user.1", "b", BODY));
        hashes.add(ContentHash.of("user.1", null, BODY));
        hashes.add(ContentHash.of("user.1", "", BODY));
        hashes.add(ContentHash.of("user.1", "a", "{\"seq\":2}".getBytes(StandardCharsets.UTF_8)));
        hashes.add(ContentHash.of("user.1", "a{", "\"seq\":1}".getBytes(StandardCharsets.UTF_8)));
        hashes.add(ContentHash.of("user.1a", "", BODY));
        assertThat(hashes).hasSize(8);
    }

    @Test
    void itStaysTheSameFromReleaseToRelease() {
        // It stands in the log: a bridge that computed it differently would hold redelivered messages twice.
        assertThat(ContentHash.of("user.1", "a", BODY)).isEqualTo(ContentHash.of("user.1", "a", BODY.clone()));
        assertThat(ContentHash.of("user.1", "a", BODY)).isEqualTo(1887828739002197388L);
    }
}
