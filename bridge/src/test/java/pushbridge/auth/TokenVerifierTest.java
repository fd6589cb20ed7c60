package pushbridge.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.PublicKeys;
import pushbridge.config.TokenConfig;
import pushbridge.config.TokenKeys;

/** What gets in and what does not, with real keys and signatures. */
class TokenVerifierTest {

    private static final String SECRET = "0123456789abcdef0123456789abcdef";
    private static final long NOW = 1_800_000_000L;

    @Test
    void aTokenSaysWhoItIsWhatItMayAndUntilWhen() throws Exception {
        Verdict verdict = verify(hs(claims("42").claim("channels", List.of("news", "team-*"))));

        Credentials credentials = ((Verdict.Valid) verdict).credentials();
        assertThat(credentials.user()).isEqualTo("42");
        assertThat(credentials.expiresAt()).isEqualTo(NOW + 60);
        assertThat(List.of("news", "team-", "team-a.b").stream().allMatch(credentials.channels()::allow))
                .isTrue();
        assertThat(List.of("new", "newss", "xteam-1", "").stream().anyMatch(credentials.channels()::allow))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({"RSA,RS256", "RSA,RS512", "RSA,PS256", "P-256,ES256", "P-384,ES384", "P-521,ES512"})
    void aPublicKeyChecksTheAlgorithmsThatItIsGoodFor(String kind, String algorithm) throws Exception {
        KeyPair pair = pair(kind);
        JWSAlgorithm alg = JWSAlgorithm.parse(algorithm);
        JWSSigner signer = kind.equals("RSA")
                ? new RSASSASigner(pair.getPrivate())
                : new ECDSASigner((ECPrivateKey) pair.getPrivate());
        String token = signed(new JWSHeader(alg), claims("42"), signer);

        assertThat(verifier(pair).verify(token)).isInstanceOf(Verdict.Valid.class);
        assertThat(verifier(pair(kind)).verify(token)).isInstanceOf(Verdict.Invalid.class);
        assertThat(verify(token)).isInstanceOf(Verdict.Invalid.class);
    }

    @Test
    void anEd25519KeyChecksEdDsa() throws Exception {
        KeyPair pair = pair("Ed25519");
        String input = base64("{\"alg\":\"EdDSA\"}") + "." + base64("{\"sub\":\"42\",\"exp\":" + (NOW + 60) + "}");
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(pair.getPrivate());
        signature.update(input.getBytes(UTF_8));
        String token = input + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());

        assertThat(verifier(pair).verify(token)).isInstanceOf(Verdict.Valid.class);
        assertThat(verifier(pair).verify(input + ".AAAA")).isInstanceOf(Verdict.Invalid.class);
        assertThat(verifier(pair("Ed25519")).verify(token)).isInstanceOf(Verdict.Invalid.class);
    }

    @Test
    void theSecretBeforeIsGoodToo() throws Exception {
        String before = "before before before before before";
        TokenKeys both = new TokenKeys(SECRET, before, null, null);
        TokenVerifier verifier = verifier(config(both, null, null));
        String old = signed(new JWSHeader(JWSAlgorithm.HS256), claims("42"), new MACSigner(before.getBytes(UTF_8)));

        assertThat(verifier.verify(old)).isInstanceOf(Verdict.Valid.class);
        assertThat(verifier.verify(hs(claims("42")))).isInstanceOf(Verdict.Valid.class);
        assertInvalid(old);
        // What is made here is made with the present one.
        assertThat(verify(new TokenMinter(config(both, null, null))
                        .mint("42", List.of(), NOW * 1000, Duration.ofMinutes(1))))
                .isInstanceOf(Verdict.Valid.class);
    }

    @Test
    void anyOfSeveralKeysInAFileWillDoAndAChangedFileIsTaken(@TempDir Path folder) throws Exception {
        KeyPair first = pair("P-256");
        KeyPair second = pair("RSA");
        KeyPair third = pair("P-256");
        Path file = Files.writeString(folder.resolve("keys.pem"), pem(first));
        PemKeys keys = new PemKeys(new PublicKeys(file, List.of(first.getPublic())), System::nanoTime);
        TokenVerifier verifier = new TokenVerifier(config(SECRET, null, null, null), keys, () -> NOW * 1000);
        assertThat(accepted(verifier, first, second, third)).containsExactly(true, false, false);

        Files.writeString(file, pem(first) + pem(second));
        assertThat(accepted(verifier, first, second, third)).containsExactly(true, false, false);
        keys.reread();
        assertThat(accepted(verifier, first, second, third)).containsExactly(true, true, false);

        for (String bad : new String[] {
            "", "nonsense", pem(first).substring(0, 60), pem(third).replace("PUBLIC", "PRIVATE")
        }) {
            Files.writeString(file, bad);
            keys.reread();
            assertThat(keys.state().problem()).contains("stay in use").contains("keys.pem");
            assertThat(accepted(verifier, first, second, third)).containsExactly(true, true, false);
        }
        Files.delete(file);
        keys.reread();
        assertThat(keys.state().problem()).contains("does not exist");
        assertThat(keys.state().failures()).isEqualTo(5);

        Files.writeString(file, pem(third));
        keys.reread();
        assertThat(keys.state().problem()).isNull();
        assertThat(keys.state().refreshes()).isEqualTo(3);
        assertThat(accepted(verifier, first, second, third)).containsExactly(false, false, true);
    }

    private static List<Boolean> accepted(TokenVerifier verifier, KeyPair... pairs) throws Exception {
        List<Boolean> accepted = new java.util.ArrayList<>();
        for (KeyPair pair : pairs) {
            boolean rsa = pair.getPublic().getAlgorithm().equals("RSA");
            String token = signed(
                    new JWSHeader(rsa ? JWSAlgorithm.RS256 : JWSAlgorithm.ES256),
                    claims("42"),
                    rsa ? new RSASSASigner(pair.getPrivate()) : new ECDSASigner((ECPrivateKey) pair.getPrivate()));
            accepted.add(verifier.verify(token) instanceof Verdict.Valid);
        }
        return accepted;
    }

    private static String pem(KeyPair pair) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(pair.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    @Test
    void aPublicKeyIsNoHmacSecret() throws Exception {
        KeyPair pair = pair("RSA");
        String pem = pem(pair);
        for (byte[] secret : List.of(
                pem.getBytes(UTF_8),
                pem.strip().getBytes(UTF_8),
                pair.getPublic().getEncoded())) {
            String token = signed(new JWSHeader(JWSAlgorithm.HS256), claims("42"), new MACSigner(secret));
            assertThat(verifier(pair).verify(token)).isInstanceOf(Verdict.Invalid.class);
        }
    }

    @Test
    void aSignatureOfNobodyIsRefused() throws Exception {
        String good = hs(claims("42"));
        String payload = good.split("\\.", -1)[1];
        for (String alg : List.of("none", "None", "NONE", "nOnE")) {
            String header = base64("{\"alg\":\"" + alg + "\"}");
            assertInvalid(header + "." + payload + ".");
            assertInvalid(header + "." + payload + "." + good.split("\\.", -1)[2]);
        }
        assertInvalid(good.substring(0, good.lastIndexOf('.') + 1));
        assertInvalid(good.split("\\.", -1)[0] + "." + base64("{\"sub\":\"1\",\"exp\":9999999999}") + "."
                + good.split("\\.", -1)[2]);
        assertInvalid(signed(
                new JWSHeader(JWSAlgorithm.HS256),
                claims("42"),
                new MACSigner("f".repeat(32).getBytes(UTF_8))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a.b.c", "eyJhbGciOiJIUzI1NiJ9", "a.b.c.d.e", "\u0000", "ünï.çø.dé"})
    void whatIsNoTokenIsRefused(String text) {
        assertInvalid(text);
    }

    @Test
    void aTokenThatWantsMoreThanIsUnderstoodIsRefused() throws Exception {
        JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.HS256)
                .criticalParams(java.util.Set.of("http://example.com/x"))
                .customParam("http://example.com/x", true)
                .build();
        assertInvalid(signed(header, claims("42"), new MACSigner(SECRET.getBytes(UTF_8))));
    }

    @Test
    void timeIsTakenWithTheSkew() throws Exception {
        assertInvalid(hs(claims("42").expirationTime(at(NOW - 30))));
        assertThat(verify(hs(claims("42").expirationTime(at(NOW - 29))))).isInstanceOf(Verdict.Valid.class);
        assertInvalid(hs(claims("42").expirationTime(null)));
        assertInvalid(hs(claims("42").notBeforeTime(at(NOW + 31))));
        assertThat(verify(hs(claims("42").notBeforeTime(at(NOW + 30))))).isInstanceOf(Verdict.Valid.class);
    }

    @Test
    void issuerAndAudienceMustBeOurs() throws Exception {
        TokenVerifier strict = verifier(config(SECRET, null, "https://id.example", "push"));
        assertThat(strict.verify(hs(claims("42").issuer("https://id.example").audience(List.of("x", "push")))))
                .isInstanceOf(Verdict.Valid.class);
        for (JWTClaimsSet.Builder other : List.of(
                claims("42").audience("push"),
                claims("42").issuer("https://id.example"),
                claims("42").issuer("https://id.example").audience("x"),
                claims("42").issuer("https://evil.example").audience("push"))) {
            assertThat(strict.verify(hs(other))).isInstanceOf(Verdict.Invalid.class);
        }
        // Meant for somebody, and this bridge is nobody in particular.
        assertInvalid(hs(claims("42").audience("another-app")));
    }

    @Test
    void aUserWhoCannotBeAddressedIsRefused() throws Exception {
        for (String user : new String[] {null, "", "a\nb", "x".repeat(300)}) {
            assertInvalid(hs(claims(user)));
        }
        assertInvalid(hs(claims("42").claim("channels", "news")));
        assertInvalid(hs(claims("42").claim("channels", List.of(1))));
        assertInvalid(hs(claims("42").claim("filler", "x".repeat(8_192))));
    }

    @Test
    void aMintedTokenIsTaken() {
        TokenConfig config = config(SECRET, null, "iss", "aud");
        String token = new TokenMinter(config).mint("42", List.of("news"), NOW * 1000, Duration.ofMinutes(1));
        assertThat(verifier(config).verify(token))
                .isInstanceOfSatisfying(
                        Verdict.Valid.class,
                        valid -> assertThat(valid.credentials().channels().allow("news"))
                                .isTrue());
    }

    /** Runs the very lines that the README tells people to copy. */
    @Test
    void theReadmesPhpMakesATokenThatIsTaken(@TempDir Path folder) throws Exception {
        String readme = Files.readString(Path.of(System.getProperty("pushbridge.root"), "README.md"));
        int start = readme.indexOf("function push_token");
        Path script = Files.writeString(
                folder.resolve("token.php"),
                "<?php\n" + readme.substring(start, readme.indexOf("```", start)) + "echo push_token('" + SECRET
                        + "', '42', ['news', 'team-*']);\n");
        Process php;
        try {
            php = new ProcessBuilder("php", script.toString())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            Assumptions.abort("php is not installed here: " + e.getMessage());
            return;
        }
        String token = new String(php.getInputStream().readAllBytes(), UTF_8);

        Verdict verdict = verifier(config(SECRET, null, null, null), System::currentTimeMillis)
                .verify(token);
        assertThat(verdict).as(token).isInstanceOfSatisfying(Verdict.Valid.class, valid -> {
            assertThat(valid.credentials().user()).isEqualTo("42");
            assertThat(valid.credentials().channels().allow("team-7")).isTrue();
        });
    }

    @Test
    void originsAreComparedWhole() {
        OriginRule rule = new OriginRule(List.of("https://app.example.com", "https://*.example.org"));
        Map<String, Boolean> cases = Map.of(
                "https://app.example.com", true,
                "https://APP.example.com:443", true,
                "http://app.example.com", false,
                "https://app.example.com.evil.test", false,
                "https://a.b.example.org", true,
                "https://example.org", false,
                "https://evil.test/.example.org", false,
                "https://evil.test:1.example.org", false,
                "https://evilexample.org", false,
                "null", false);
        cases.forEach(
                (origin, listed) -> assertThat(rule.isListed(origin)).as(origin).isEqualTo(listed));
    }

    private static void assertInvalid(String token) {
        assertThat(verify(token))
                .isInstanceOfSatisfying(
                        Verdict.Invalid.class,
                        invalid -> assertThat(invalid.reason()).isNotBlank().doesNotContain(SECRET));
    }

    private static Verdict verify(String token) {
        return verifier(config(SECRET, null, null, null)).verify(token);
    }

    private static TokenVerifier verifier(TokenConfig config) {
        return verifier(config, () -> NOW * 1000);
    }

    private static TokenVerifier verifier(TokenConfig config, LongSupplier nowMillis) {
        return new TokenVerifier(config, KeySource.of(config.keys(), null, System::nanoTime), nowMillis);
    }

    private static TokenVerifier verifier(KeyPair pair) {
        return verifier(config(null, new PublicKeys(Path.of("key.pem"), List.of(pair.getPublic())), null, null));
    }

    private static TokenConfig config(
            @Nullable String secret, @Nullable PublicKeys keys, @Nullable String issuer, @Nullable String audience) {
        return config(new TokenKeys(secret, null, keys, null), issuer, audience);
    }

    private static TokenConfig config(TokenKeys keys, @Nullable String issuer, @Nullable String audience) {
        return new TokenConfig(
                keys,
                issuer,
                audience,
                Duration.ofSeconds(30),
                true,
                8_192,
                "channels",
                null,
                false,
                false,
                List.of(),
                Duration.ofSeconds(5));
    }

    private static JWTClaimsSet.Builder claims(@Nullable String user) {
        return new JWTClaimsSet.Builder().subject(user).expirationTime(at(NOW + 60));
    }

    private static Date at(long seconds) {
        return Date.from(Instant.ofEpochSecond(seconds));
    }

    private static String hs(JWTClaimsSet.Builder claims) throws Exception {
        return signed(new JWSHeader(JWSAlgorithm.HS256), claims, new MACSigner(SECRET.getBytes(UTF_8)));
    }

    private static String signed(JWSHeader header, JWTClaimsSet.Builder claims, JWSSigner signer) throws Exception {
        SignedJWT jwt = new SignedJWT(header, claims.build());
        jwt.sign(signer);
        return jwt.serialize();
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));
    }

    private static KeyPair pair(String kind) throws Exception {
        if (kind.startsWith("P-")) {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp" + kind.substring(2) + "r1"));
            return generator.generateKeyPair();
        }
        return KeyPairGenerator.getInstance(kind).generateKeyPair();
    }
}
