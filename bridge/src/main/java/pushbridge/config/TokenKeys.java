package pushbridge.config;

import org.jspecify.annotations.Nullable;

/**
 * What tokens are checked with: one of a secret, public keys from a file, and public keys from an address.
 *
 * @param secret what HS256 tokens are signed with, at least 32 bytes
 * @param previousSecret what they were signed with before, and may still be; only beside {@code secret}
 * @param publicKeys what stood in the PEM file when it was read
 * @param jwks where public keys are loaded from
 */
public record TokenKeys(
        @Nullable String secret,
        @Nullable String previousSecret,
        @Nullable PublicKeys publicKeys,
        @Nullable JwksConfig jwks) {

    /** One secret and nothing else. */
    public static TokenKeys of(String secret) {
        return new TokenKeys(secret, null, null, null);
    }

    /** Without the secrets, which must not get into a log. */
    @Override
    public String toString() {
        return "TokenKeys[…]";
    }
}
