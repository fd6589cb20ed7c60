package pushbridge.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keys that stay the same, or a snapshot of those that do not. */
final class FixedKeys implements SigningKeys {

    /** How many keys a token without the name of its key is tried with, since each costs a signature check. */
    static final int MOST_TRIED = 4;

    private final List<Key> keys;

    FixedKeys(List<Key> keys) {
        this.keys = List.copyOf(keys);
    }

    @Override
    public These find(JWSAlgorithm algorithm, @Nullable String keyId) {
        List<JWSVerifier> fitting = keys.stream()
                .filter(key -> key.algorithms().contains(algorithm))
                .filter(key -> keyId == null || key.id() == null || keyId.equals(key.id()))
                .limit(MOST_TRIED)
                .map(Key::verifier)
                .toList();
        return new These(fitting);
    }

    int size() {
        return keys.size();
    }
}
