package pushbridge.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import pushbridge.config.TokenConfig;

/** Makes tokens as the bridge with this configuration takes them, for trying out. */
public final class TokenMinter {

    private final TokenConfig config;

    /** @param config one with a secret */
    public TokenMinter(TokenConfig config) {
        this.config = config;
    }

    /**
     * A token signed with HS256.
     *
     * @param channels patterns of the channels that it grants
     * @param nowMillis milliseconds since the epoch
     * @param goodFor until it expires
     */
    public String mint(String user, List<String> channels, long nowMillis, Duration goodFor) {
        JWTClaimsSet.Builder claims = new JWTClaimsSet.Builder()
                .subject(user)
                .claim(config.channelsClaim(), channels)
                .issueTime(Date.from(Instant.ofEpochMilli(nowMillis)))
                .expirationTime(Date.from(Instant.ofEpochMilli(nowMillis).plus(goodFor)));
        if (config.issuer() != null) {
            claims.issuer(config.issuer());
        }
        if (config.audience() != null) {
            claims.audience(config.audience());
        }
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256)
                        .type(JOSEObjectType.JWT)
                        .build(),
                claims.build());
        String secret = Objects.requireNonNull(config.keys().secret(), "there is no secret to sign with");
        try {
            token.sign(new MACSigner(secret.getBytes(StandardCharsets.UTF_8)));
        } catch (JOSEException e) {
            throw new IllegalStateException("a secret that was accepted cannot sign", e);
        }
        return token.serialize();
    }
}
