package pushbridge.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.util.Base64URL;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.config.TokenKeys;

/** Secrets that change while the bridge runs. */
final class SecretKeysTest {

    private static final String OLD = "0123456789abcdef-the-secret-of-old";
    private static final String NEW = "fedcba9876543210-the-secret-of-now";
    private static final byte[] SIGNED = "head.claims".getBytes(StandardCharsets.UTF_8);
    private static final JWSHeader HEADER = new JWSHeader(JWSAlgorithm.HS256);

    private static TokenKeys secrets(String secret, @Nullable String previous) {
        return new TokenKeys(secret, previous, null, null);
    }

    private static boolean takes(KeySource keys, String secret) throws Exception {
        Base64URL signature = new MACSigner(secret).sign(HEADER, SIGNED);
        for (JWSVerifier verifier : ((KeySource.Candidates) keys.find(HEADER)).verifiers()) {
            if (verifier.verify(HEADER, SIGNED, signature)) {
                return true;
            }
        }
        return false;
    }

    @Test
    void aNewSecretHoldsAtOnceAndTheOneBeforeForAsLongAsItIsNamed() throws Exception {
        KeySource keys = new SecretKeys(secrets(OLD, null));
        assertThat(takes(keys, OLD)).isTrue();
        assertThat(takes(keys, NEW)).isFalse();
        keys.take(secrets(NEW, OLD));
        assertThat(takes(keys, OLD)).isTrue();
        assertThat(takes(keys, NEW)).isTrue();
        keys.take(secrets(NEW, null));
        assertThat(takes(keys, OLD)).isFalse();
    }
}
