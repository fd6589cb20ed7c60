package pushbridge.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import java.util.List;

/** The keys that may have signed a token. Immutable. */
final class FixedKeys {

    private final List<Key> keys;

    FixedKeys(List<Key> keys) {
        this.keys = List.copyOf(keys);
    }

    /** Those that can have made a signature of this kind; any thread may use each at any time. */
    List<JWSVerifier> find(JWSAlgorithm algorithm) {
        return keys.stream()
                .filter(key -> key.algorithms().contains(algorithm))
                .map(Key::verifier)
                .toList();
    }
}
