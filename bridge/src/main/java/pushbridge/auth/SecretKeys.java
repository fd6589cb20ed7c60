package pushbridge.auth;

import com.nimbusds.jose.JWSHeader;
import java.util.List;

/** Secrets from the configuration: the present one, and perhaps the one before. Immutable. */
final class SecretKeys implements KeySource {

    private final List<Key> keys;

    SecretKeys(List<Key> keys) {
        this.keys = List.copyOf(keys);
    }

    @Override
    public Found find(JWSHeader header) {
        return KeySource.fitting(keys, header);
    }
}
