package pushbridge.auth;

import com.nimbusds.jose.JWSHeader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import pushbridge.config.TokenKeys;

/** Secrets from the configuration: the present one, and perhaps the one before; others when it is read again. */
final class SecretKeys implements KeySource {

    private volatile List<Key> keys;

    SecretKeys(TokenKeys config) {
        keys = keys(config);
    }

    private static List<Key> keys(TokenKeys config) {
        return Stream.of(config.secret(), config.previousSecret())
                .filter(Objects::nonNull)
                .map(secret -> Key.of(secret.getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    @Override
    public Found find(JWSHeader header) {
        return KeySource.fitting(keys, header);
    }

    @Override
    public void take(TokenKeys config) {
        if (config.secret() != null) {
            keys = keys(config);
        }
    }
}
