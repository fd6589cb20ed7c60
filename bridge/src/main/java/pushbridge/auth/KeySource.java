package pushbridge.auth;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import java.util.List;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import pushbridge.config.JwksConfig;
import pushbridge.config.PublicKeys;
import pushbridge.config.TokenKeys;

/** The keys that may have signed a token, wherever they are from. Any thread. */
public sealed interface KeySource permits SecretKeys, PemKeys, JwksKeys {

    /** Those that can have made the signature of a token with this header. Never blocks. */
    Found find(JWSHeader header);

    /**
     * Takes other secrets, or reads files again now. What is of another kind than before needs a restart.
     *
     * @param config what is to hold from now on
     */
    default void take(TokenKeys config) {}

    /** Begins to keep them up to date. */
    default void start() {}

    /** Ends what {@link #start} began. Idempotent. */
    default void stop() {}

    /** How up to date they are. */
    default State state() {
        return State.FIXED;
    }

    /** What a token is checked with, or why it cannot be checked now. */
    sealed interface Found {}

    /**
     * Keys to try.
     *
     * @param verifiers any thread may use each at any time; empty when no key fits
     */
    record Candidates(List<JWSVerifier> verifiers) implements Found {}

    /**
     * The key is not known, and may be soon.
     *
     * @param retryAfterSeconds when it is likely to be known
     */
    record NotKnownYet(int retryAfterSeconds) implements Found {}

    /**
     * How up to date keys are.
     *
     * @param refreshes how often they were read or loaded
     * @param failures how often that has failed
     * @param ageSeconds since they were last known to be those that hold; since the start when they never were
     * @param problem what an operator has to know; null when all is well
     * @param usable whether tokens can be checked
     */
    record State(
            long refreshes,
            long failures,
            double ageSeconds,
            @Nullable String problem,
            boolean usable) {
        static final State FIXED = new State(0, 0, 0, null, true);
    }

    /**
     * What a configuration names.
     *
     * @param tls how servers are verified that keys are loaded from; null when none are
     * @param nanoTime monotonic
     */
    static KeySource of(TokenKeys config, @Nullable SSLContext tls, LongSupplier nanoTime) {
        PublicKeys file = config.publicKeys();
        JwksConfig jwks = config.jwks();
        if (config.secret() != null) {
            return new SecretKeys(config);
        } else if (file != null) {
            return new PemKeys(file, nanoTime);
        } else if (jwks != null) {
            return new JwksKeys(jwks, new JwksRequest(jwks, tls)::load, nanoTime);
        }
        throw new IllegalArgumentException("the configuration names no key");
    }

    /** Those of several that a signature of this kind can have been made with. */
    static Candidates fitting(List<Key> keys, JWSHeader header) {
        return new Candidates(keys.stream()
                .filter(key -> key.algorithms().contains(header.getAlgorithm()))
                .map(Key::verifier)
                .toList());
    }
}
