package pushbridge.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Set;

/**
 * One key and the algorithms it may be used with. These follow from the key and never from a token, so a public key is
 * never taken for an HMAC secret, and {@code none} belongs to no key.
 *
 * @param verifier any thread may use it at any time
 */
record Key(Set<JWSAlgorithm> algorithms, JWSVerifier verifier) {

    private static final int LEAST_RSA_BITS = 2048;

    /** A shared secret: HS256, and the longer ones if it is as long as they want it. */
    static Key of(byte[] secret) {
        try {
            MACVerifier verifier = new MACVerifier(secret);
            return new Key(Set.copyOf(verifier.supportedJWSAlgorithms()), verifier);
        } catch (JOSEException e) {
            throw new IllegalArgumentException("the secret cannot be used: " + e.getMessage(), e);
        }
    }

    /** A public key; throws IllegalArgumentException with a sentence when nothing of ours can use it. */
    static Key of(PublicKey key) {
        try {
            if (key instanceof RSAPublicKey rsa) {
                if (rsa.getModulus().bitLength() < LEAST_RSA_BITS) {
                    throw new IllegalArgumentException("an RSA key of "
                            + rsa.getModulus().bitLength() + " bits is too short; at least " + LEAST_RSA_BITS);
                }
                return new Key(RSASSAVerifier.SUPPORTED_ALGORITHMS, new RSASSAVerifier(rsa));
            }
            if (key instanceof ECPublicKey ec) {
                ECDSAVerifier verifier = new ECDSAVerifier(ec);
                if (verifier.supportedJWSAlgorithms().contains(JWSAlgorithm.ES256K)) {
                    throw new IllegalArgumentException("the curve secp256k1 is not supported");
                }
                return new Key(Set.copyOf(verifier.supportedJWSAlgorithms()), verifier);
            }
            if (key instanceof EdECPublicKey ed && ed.getParams().getName().equals("Ed25519")) {
                return new Key(Set.of(JWSAlgorithm.EdDSA, JWSAlgorithm.Ed25519), new Ed25519Verifier(ed));
            }
        } catch (JOSEException e) {
            throw new IllegalArgumentException("the key cannot be used: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("a key of the kind " + key.getAlgorithm() + " is not supported");
    }
}
