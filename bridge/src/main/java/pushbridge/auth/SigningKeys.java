package pushbridge.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the keys come from that may have signed a token. Asked on selector threads: must not block. */
interface SigningKeys {

    /** The keys that fit what a token says of its signature. */
    Found find(JWSAlgorithm algorithm, @Nullable String keyId);

    /** Why no token can be checked at the moment, for operators; null when all is well. */
    default @Nullable String problem() {
        return null;
    }

    /** What was found. */
    sealed interface Found {}

    /**
     * Those to try; none when no key of ours can have made such a signature.
     *
     * @param verifiers any thread may use each at any time
     */
    record These(List<JWSVerifier> verifiers) implements Found {}

    /** It cannot be said before the keys were fetched. */
    record Later(int retryAfterSeconds) implements Found {}
}
