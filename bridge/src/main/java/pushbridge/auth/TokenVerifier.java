package pushbridge.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import pushbridge.config.TokenConfig;
import pushbridge.envelope.Address;

/**
 * Checks JSON Web Tokens. Any thread; never blocks, so that selectors may ask it: a check takes some microseconds with a
 * shared secret and well below a millisecond with the slowest of the public keys.
 */
public final class TokenVerifier {

    /** Said of everything that is wrong before the signature is known to be right. */
    private static final String NOT_VALID =
            "The token is not valid here: its signature is made with no key of this bridge.";

    private static final String NOT_NOW =
            "The token cannot be checked now: the key that it names is not known here yet. Try again.";

    private final TokenConfig config;
    private final KeySource keys;
    private final LongSupplier nowMillis;

    /**
     * @param keys started and stopped by whoever made them
     * @param nowMillis milliseconds since the epoch as the rest of the world has them: what tokens say is read by other
     *     clocks too
     */
    public TokenVerifier(TokenConfig config, KeySource keys, LongSupplier nowMillis) {
        this.config = config;
        this.keys = keys;
        this.nowMillis = nowMillis;
    }

    /** Whether credentials of this expiry open nothing any more. */
    public boolean isOver(long expiresAt) {
        return expiresAt != Credentials.NEVER
                && nowMillis.getAsLong() / 1000
                        >= expiresAt + config.clockSkew().toSeconds();
    }

    /** Checks a token; never throws for a bad one. */
    public Verdict verify(String token) {
        if (token.length() > config.maxBytes()) {
            return new Verdict.Invalid("The token is longer than " + config.maxBytes() + " bytes.");
        }
        SignedJWT jwt;
        try {
            jwt = SignedJWT.parse(token);
        } catch (ParseException e) {
            return new Verdict.Invalid("The token is no signed JSON Web Token.");
        }
        JWSHeader header = jwt.getHeader();
        if (header.getCriticalParams() != null) {
            return new Verdict.Invalid("The token's header has critical parameters (crit), which are not understood.");
        }
        KeySource.Found found = keys.find(header);
        if (found instanceof KeySource.NotKnownYet later) {
            return new Verdict.Undecided(NOT_NOW, later.retryAfterSeconds());
        }
        if (!isSigned(jwt, ((KeySource.Candidates) found).verifiers())) {
            return new Verdict.Invalid(NOT_VALID);
        }
        try {
            return judge(jwt.getJWTClaimsSet());
        } catch (ParseException e) {
            return new Verdict.Invalid("The token's claims cannot be read: " + e.getMessage() + ".");
        }
    }

    private static boolean isSigned(SignedJWT jwt, List<JWSVerifier> verifiers) {
        for (JWSVerifier verifier : verifiers) {
            try {
                if (verifier.verify(jwt.getHeader(), jwt.getSigningInput(), jwt.getSignature())) {
                    return true;
                }
            } catch (JOSEException e) {
                // what the key cannot even be tried with was not signed by it
            }
        }
        return false;
    }

    /** The signature is right: whoever made the token may be told what is wrong with the rest. */
    private Verdict judge(JWTClaimsSet claims) throws ParseException {
        long now = nowMillis.getAsLong() / 1000;
        long skew = config.clockSkew().toSeconds();
        Date expires = claims.getExpirationTime();
        if (expires == null && config.requireExpiry()) {
            return new Verdict.Invalid("The token never expires (it has no exp), which this bridge does not accept.");
        }
        long expiresAt =
                expires == null ? Credentials.NEVER : expires.toInstant().getEpochSecond();
        if (isOver(expiresAt)) {
            return new Verdict.Invalid("The token has expired.");
        }
        Date notBefore = claims.getNotBeforeTime();
        if (notBefore != null && notBefore.toInstant().getEpochSecond() > now + skew) {
            return new Verdict.Invalid("The token is not valid yet (nbf).");
        }
        if (config.issuer() != null && !config.issuer().equals(claims.getIssuer())) {
            return new Verdict.Invalid("The token's issuer (iss) is not the one that this bridge trusts.");
        }
        List<String> audience = claims.getAudience();
        // RFC 7519 section 4.1.3: who finds an audience that it is not must refuse, also when it has no name at all.
        if (config.audience() == null ? !audience.isEmpty() : !audience.contains(config.audience())) {
            return new Verdict.Invalid("The token is meant for another audience (aud) than this bridge.");
        }
        String user = claims.getSubject();
        if (user == null || user.isEmpty()) {
            return new Verdict.Invalid("The token names no user (sub).");
        }
        try {
            Address.parse("user." + user);
        } catch (Address.InvalidAddressException e) {
            return new Verdict.Invalid("The token's user (sub) cannot be addressed: " + e.getMessage() + ".");
        }
        List<String> patterns = patterns(claims.getClaim(config.channelsClaim()));
        if (patterns == null) {
            return new Verdict.Invalid("The token's claim " + config.channelsClaim() + " must be a list of texts.");
        }
        return new Verdict.Valid(new Credentials(user, ChannelGrants.of(patterns), expiresAt));
    }

    /** Null when the claim is no list of texts. */
    private static @Nullable List<String> patterns(@Nullable Object claim) {
        if (claim == null) {
            return List.of();
        }
        if (!(claim instanceof List<?> list)) {
            return null;
        }
        List<String> patterns = new ArrayList<>();
        for (Object item : list) {
            if (!(item instanceof String pattern)) {
                return null;
            }
            patterns.add(pattern);
        }
        return patterns;
    }
}
