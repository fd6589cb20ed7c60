package pushbridge.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a JSON Web Key Set that may check a token: public, for signatures, of a kind that {@link Key} takes. What is
 * there for something else is passed over. Immutable.
 */
final class KeySet {

    /** A token without a key's name is tried with each of its kind, so there must not be any number of them. */
    private static final int MOST_KEYS = 100;

    /** What stands in front of the 32 bytes of an Ed25519 key in X.509. */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private record Named(@Nullable String id, Key key) {}

    private final List<Named> keys;
    private final List<String> passedOver;

    private KeySet(List<Named> keys, List<String> passedOver) {
        this.keys = keys;
        this.passedOver = passedOver;
    }

    /** @throws ParseException with a part of a sentence: it is no key set, or there is no key in it that can be used */
    static KeySet read(byte[] json) throws ParseException {
        Map<String, Object> @Nullable [] entries;
        try {
            Map<String, Object> set = JSONObjectUtils.parse(new String(json, UTF_8)); // null for "null"
            entries = set == null ? null : JSONObjectUtils.getJSONObjectArray(set, "keys");
        } catch (ParseException e) {
            throw notASet(e);
        }
        if (entries == null || Arrays.asList(entries).contains(null)) {
            throw notASet(null);
        }
        if (entries.length > MOST_KEYS) {
            throw new ParseException(
                    "it holds " + entries.length + " keys, and at most " + MOST_KEYS + " are taken", 0);
        }
        List<Named> keys = new ArrayList<>();
        List<String> passedOver = new ArrayList<>();
        for (Map<String, Object> entry : entries) {
            try {
                JWK jwk = JWK.parse(entry);
                keys.add(new Named(jwk.getKeyID(), key(jwk)));
            } catch (ParseException | IllegalArgumentException | JOSEException e) {
                passedOver.add(shown(e));
            }
        }
        if (keys.isEmpty()) {
            throw new ParseException("it holds no key that tokens could be checked with " + passedOver, 0);
        }
        return new KeySet(List.copyOf(keys), List.copyOf(passedOver));
    }

    private static ParseException notASet(@Nullable ParseException cause) {
        ParseException e = new ParseException("its answer is no JSON Web Key Set", 0);
        if (cause != null) {
            e.initCause(cause);
        }
        return e;
    }

    /** It may repeat what the other side has sent. */
    private static String shown(Exception e) {
        String plain = String.valueOf(e.getMessage()).replaceAll("[^\\x20-\\x7e]", "?");
        return plain.length() <= 100 ? plain : plain.substring(0, 100) + "…";
    }

    private static Key key(JWK jwk) throws JOSEException {
        if (jwk.getKeyUse() != null && !jwk.getKeyUse().equals(KeyUse.SIGNATURE)) {
            throw new IllegalArgumentException("its use is not sig");
        }
        if (jwk.getKeyOperations() != null && !jwk.getKeyOperations().contains(KeyOperation.VERIFY)) {
            throw new IllegalArgumentException("its key_ops do not contain verify");
        }
        Key key = Key.of(publicKey(jwk));
        if (jwk.getAlgorithm() == null) {
            return key;
        }
        JWSAlgorithm only = JWSAlgorithm.parse(jwk.getAlgorithm().getName());
        if (!key.algorithms().contains(only)) {
            throw new IllegalArgumentException("its alg is not for a key of its kind");
        }
        return new Key(Set.of(only), key.verifier());
    }

    private static PublicKey publicKey(JWK jwk) throws JOSEException {
        if (jwk instanceof RSAKey rsa) {
            return rsa.toRSAPublicKey();
        } else if (jwk instanceof ECKey ec) {
            return ec.toECPublicKey();
        } else if (jwk instanceof OctetKeyPair pair && Curve.Ed25519.equals(pair.getCurve())) {
            byte[] point = pair.getDecodedX();
            byte[] der = Arrays.copyOf(ED25519_PREFIX, ED25519_PREFIX.length + point.length);
            System.arraycopy(point, 0, der, ED25519_PREFIX.length, point.length);
            try {
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                throw new IllegalArgumentException("it is no Ed25519 key", e);
            }
        }
        // Among them oct: a secret that anybody can load is none.
        throw new IllegalArgumentException("a key of the kind " + jwk.getKeyType() + " is not supported");
    }

    /** Whether it holds a key with this name. */
    boolean knows(String id) {
        return keys.stream().anyMatch(named -> id.equals(named.id));
    }

    /** Those that the header names, or all when it names none, as far as they are for its algorithm. */
    KeySource.Candidates find(JWSHeader header) {
        String id = header.getKeyID();
        return KeySource.fitting(
                keys.stream()
                        .filter(named -> id == null || Objects.equals(named.id, id))
                        .map(Named::key)
                        .toList(),
                header);
    }

    /** For a log. */
    @Override
    public String toString() {
        return keys.size() + " keys" + (passedOver.isEmpty() ? "" : ", others passed over: " + passedOver);
    }
}
