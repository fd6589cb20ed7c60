package pushbridge.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.interfaces.EdECPublicKey;
import java.text.ParseException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pushbridge.auth.KeySource.Candidates;
import pushbridge.auth.KeySource.NotKnownYet;
import pushbridge.config.JwksConfig;
import pushbridge.testing.Certificates;
import pushbridge.testing.KeyServer;
import pushbridge.testing.ManualClock;

/** Keys from a real HTTP server that turns them over, goes away, and answers what it should not. */
class JwksKeysTest {

    private static final ECKey OLD = ec("old");
    private static final ECKey NEW = ec("new");

    private final ManualClock clock = new ManualClock();
    private final CountDownLatch end = new CountDownLatch(1);
    private final KeyServer server;
    private final JwksConfig config;
    private final JwksKeys keys;

    JwksKeysTest() throws IOException {
        server = new KeyServer(null);
        config = config(server, null, Duration.ofSeconds(20));
        keys = new JwksKeys(config, new JwksRequest(config, null)::load, clock::nanoTime);
    }

    @AfterEach
    void stop() {
        end.countDown();
        keys.stop();
        server.close();
    }

    // Turning over -------------------------------------------------------------------------------------------------

    @Test
    void whileNothingWasLoadedNothingIsKnownRatherThanWrong() throws Exception {
        assertThat(find("old")).isInstanceOf(NotKnownYet.class);
        assertThat(keys.state().usable()).isFalse();
        serve(OLD);
        keys.refresh();
        assertThat(found("old")).isEqualTo(1);
        assertThat(keys.state().usable()).isTrue();
    }

    @Test
    void anUnknownNameHasTheKeysLoadedOnceAndIsThenWrong() throws Exception {
        serve(OLD);
        keys.refresh();
        clock.advance(Duration.ofSeconds(11));
        assertThat(keys.nanosUntilDue()).isPositive();
        assertThat(find("made up")).isEqualTo(new NotKnownYet(1));
        assertThat(keys.nanosUntilDue()).isNotPositive();
        keys.refresh();
        assertThat(found("made up")).isZero();
        assertThat(found("old")).isEqualTo(1);
    }

    @Test
    void aNewKeyIsTakenAndAnOldOneGoes() throws Exception {
        serve(OLD);
        keys.refresh();
        clock.advance(Duration.ofSeconds(11));
        serve(OLD, NEW);
        assertThat(find("new")).isInstanceOf(NotKnownYet.class);
        keys.refresh();
        assertThat(found("new")).isEqualTo(1);
        assertThat(found("old")).isEqualTo(1);
        clock.advance(Duration.ofMinutes(5));
        serve(NEW);
        assertThat(keys.nanosUntilDue()).isNotPositive();
        keys.refresh();
        assertThat(found("new")).isEqualTo(1);
        assertThat(found("old")).isZero();
    }

    @Test
    void madeUpNamesCannotHaveTheKeysLoadedMoreOftenThanAllowed() throws Exception {
        serve(OLD);
        keys.refresh();
        int seconds = 60;
        for (int second = 0; second < seconds; second++) {
            clock.advance(Duration.ofSeconds(1));
            for (int i = 0; i < 100; i++) {
                find("made up " + second + "." + i);
            }
            if (keys.nanosUntilDue() <= 0) {
                keys.refresh();
            }
            assertThat(found("old")).isEqualTo(1);
        }
        assertThat(server.requests.get()).isEqualTo(1 + seconds / 10);
    }

    @Test
    void theSameHoldsWhileTheServerIsAway() throws Exception {
        serve(OLD);
        keys.refresh();
        server.answers(exchange -> exchange.sendResponseHeaders(500, -1));
        for (int second = 0; second < 60; second++) {
            clock.advance(Duration.ofSeconds(1));
            find("made up " + second);
            if (keys.nanosUntilDue() <= 0) {
                keys.refresh();
            }
            assertThat(found("old")).isEqualTo(1);
        }
        assertThat(server.requests.get()).isEqualTo(7);
        assertThat(find("perhaps new")).isInstanceOf(NotKnownYet.class);
    }

    @Test
    void aLoadThatIsUnderWayHoldsUpNobodyElse() throws Exception {
        serve(OLD);
        keys.refresh();
        clock.advance(Duration.ofSeconds(11));
        CountDownLatch asked = new CountDownLatch(1);
        server.answers(exchange -> {
            asked.countDown();
            await(end);
        });
        keys.start();
        find("new"); // the thread's own wait ends by this, not by the clock
        asked.await();
        assertThat(found("old")).isEqualTo(1);
        assertThat(find("new")).isInstanceOf(NotKnownYet.class);
    }

    @Test
    void theThreadLoadsByItself() {
        serve(OLD);
        keys.start();
        Awaitility.await().until(() -> keys.state().usable());
        serve(NEW);
        clock.advance(Duration.ofSeconds(11));
        Awaitility.await()
                .until(() -> find("new") instanceof Candidates some
                        && some.verifiers().size() == 1);
        assertThat(server.requests.get()).isEqualTo(2);
    }

    // Going away ---------------------------------------------------------------------------------------------------

    @Test
    void oldKeysGoOnWhileTheServerIsAwayButNotForEver() throws Exception {
        serve(OLD);
        keys.refresh();
        server.close();
        for (int hour = 0; hour < 24; hour++) {
            clock.advance(Duration.ofMinutes(59));
            keys.refresh();
            assertThat(found("old")).isEqualTo(1);
            assertThat(keys.state().problem())
                    .contains("cannot be loaded", server.url().toString(), "go on");
        }
        clock.advance(Duration.ofMinutes(25));
        assertThat(find("old")).isInstanceOf(NotKnownYet.class);
        keys.refresh();
        assertThat(keys.state().usable()).isFalse();
        assertThat(keys.state().problem()).contains("503");
        assertThat(keys.state().failures()).isEqualTo(25);
        assertThat(keys.state().ageSeconds())
                .isEqualTo((double) Duration.ofMinutes(24 * 59 + 25).toSeconds());
    }

    @Test
    void afterAFailureItIsTriedAgainSoonerThanUsualAndLessAndLessOften() throws Exception {
        server.answers(exchange -> exchange.sendResponseHeaders(503, -1));
        for (int seconds : new int[] {10, 20, 40, 80, 160, 300, 300}) {
            keys.refresh();
            assertThat(keys.nanosUntilDue())
                    .isEqualTo(Duration.ofSeconds(seconds).toNanos());
        }
        serve(OLD);
        keys.refresh();
        assertThat(keys.state().problem()).isNull();
        assertThat(keys.nanosUntilDue()).isEqualTo(Duration.ofMinutes(5).toNanos());
    }

    // Answering what it should not -----------------------------------------------------------------------------------

    @Test
    void anAnswerThatIsNoKeySetChangesNothing() throws Exception {
        serve(OLD);
        keys.refresh();
        String deep = "[".repeat(100_000);
        for (String garbage : List.of(
                "",
                "null",
                "[]",
                "{}",
                "{\"keys\":1}",
                "{\"keys\":[]}",
                "<html>",
                deep,
                "{\"keys\":" + deep,
                "{\"keys\":[{}]}",
                "{\"keys\":[null]}",
                "\u0000")) {
            server.answers(garbage);
            keys.refresh();
            assertThat(found("old"))
                    .as(garbage.substring(0, Math.min(20, garbage.length())))
                    .isEqualTo(1);
            assertThat(keys.state().problem()).contains("key");
        }
        assertThat(keys.state().failures()).isEqualTo(12);
    }

    @Test
    void aHugeAnswerIsGivenUpWhileItComes() {
        server.answers(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] chunk = new byte[8_192];
            while (true) { // until the connection is cut
                exchange.getResponseBody().write(chunk);
            }
        });
        assertFails("longer than 16384 bytes");
    }

    @Test
    void aSlowAnswerIsGivenUpHoweverItIsSlow() throws Exception {
        JwksConfig hasty = config(server, null, Duration.ofMillis(300));
        JwksRequest request = new JwksRequest(hasty, null);
        server.answers(exchange -> await(end)); // no answer at all
        assertThatThrownBy(request::load).hasMessage("it has not answered whole within 300 ms");
        server.answers(exchange -> {
            exchange.sendResponseHeaders(200, 1_000); // the beginning of one
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            await(end);
        });
        assertThatThrownBy(request::load).hasMessage("it has not answered whole within 300 ms");
    }

    @Test
    void noRedirectionIsFollowed() {
        server.answers(exchange -> {
            exchange.getResponseHeaders().add("Location", "/elsewhere");
            exchange.sendResponseHeaders(302, -1);
        });
        assertFails("it answers 302");
        assertThat(server.requests.get()).isEqualTo(1);
    }

    @Test
    void httpsIsVerified(@TempDir Path folder) throws Exception {
        Certificates authority = new Certificates(folder, "authority");
        SSLContext shown = authority.client(authority.issue("provider", "EC", true));
        SSLContext foreign = authority.client(authority.issue("elsewhere", "EC", false));
        String json = new JWKSet(OLD.toPublicJWK()).toString();
        try (KeyServer good = new KeyServer(shown);
                KeyServer elsewhere = new KeyServer(foreign)) {
            good.answers(json);
            elsewhere.answers(json);
            JwksConfig to = config(good, null, Duration.ofSeconds(20));
            assertThat(new JwksRequest(to, authority.client(null)).load()).isEqualTo(json.getBytes(UTF_8));
            assertThatThrownBy(() -> new JwksRequest(to, null).load()).hasMessageStartingWith("TLS: ");
            JwksConfig there = config(elsewhere, null, Duration.ofSeconds(20));
            assertThatThrownBy(() -> new JwksRequest(there, authority.client(null)).load())
                    .hasMessageStartingWith("TLS: ");
            assertThat(elsewhere.requests.get()).isZero();
        }
    }

    // What is taken of a set -----------------------------------------------------------------------------------------

    @Test
    void aTokenWithoutANameIsTriedWithEachKeyOfItsKind() throws Exception {
        KeySet set = set(OLD, NEW, new RSAKeyGenerator(2048).keyID("rsa").generate());
        assertThat(set.find(new JWSHeader(JWSAlgorithm.ES256)).verifiers()).hasSize(2);
        assertThat(set.find(new JWSHeader(JWSAlgorithm.RS256)).verifiers()).hasSize(1);
    }

    @Test
    void whatIsForSomethingElseIsPassedOver() throws Exception {
        RSAKey rsa = new RSAKeyGenerator(2048).keyID("rsa").generate();
        List<JWK> others = List.of(
                new ECKey.Builder(OLD).keyID("use").keyUse(KeyUse.ENCRYPTION).build(),
                new ECKey.Builder(OLD)
                        .keyID("ops")
                        .keyOperations(Set.of(KeyOperation.SIGN))
                        .build(),
                new RSAKey.Builder(rsa)
                        .keyID("alg")
                        .algorithm(JWSAlgorithm.HS256)
                        .build(),
                new RSAKeyGenerator(1024, true).keyID("short").generate(),
                new OctetSequenceKey.Builder(new byte[32]).keyID("secret").build());
        for (JWK other : others) {
            KeySet set = set(OLD, other);
            assertThat(set.knows(other.getKeyID())).as(other.getKeyID()).isFalse();
            assertThat(set.toString()).startsWith("1 keys, others passed over: [");
            assertThatThrownBy(() -> set(other)).isInstanceOf(ParseException.class);
        }
        ECKey both = new ECKey.Builder(OLD)
                .keyID("good")
                .keyUse(KeyUse.SIGNATURE)
                .keyOperations(Set.of(KeyOperation.VERIFY))
                .build();
        assertThat(set(both).knows("good")).isTrue();
    }

    @Test
    void aKeyIsForTheAlgorithmThatItNamesOnly() throws Exception {
        RSAKey rsa = new RSAKeyGenerator(2048)
                .keyID("k")
                .algorithm(JWSAlgorithm.RS512)
                .generate();
        KeySet set = set(rsa);
        for (JWSAlgorithm alg : List.of(JWSAlgorithm.RS256, JWSAlgorithm.PS512, JWSAlgorithm.HS256)) {
            assertThat(set.find(new JWSHeader.Builder(alg).keyID("k").build()).verifiers())
                    .isEmpty();
        }
        assertThat(set.find(new JWSHeader.Builder(JWSAlgorithm.RS512).keyID("k").build())
                        .verifiers())
                .hasSize(1);
    }

    @Test
    void anEd25519KeyIsTaken() throws Exception {
        EdECPublicKey key = (EdECPublicKey)
                KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPublic();
        byte[] encoded = key.getEncoded();
        byte[] point = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
        KeySet set = set(new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(point))
                .keyID("ed")
                .build());
        assertThat(set.find(new JWSHeader.Builder(JWSAlgorithm.EdDSA)
                                .keyID("ed")
                                .build())
                        .verifiers())
                .hasSize(1);
        assertThatThrownBy(() -> set(new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(new byte[5])).build()))
                .isInstanceOf(ParseException.class);
    }

    @Test
    void aSetOfAnyLengthIsNotTaken() {
        JWK[] many = new JWK[101];
        Arrays.fill(many, OLD);
        assertThatThrownBy(() -> set(many)).hasMessageContaining("101 keys");
    }

    // ---------------------------------------------------------------------------------------------------------------

    private void assertFails(String why) {
        assertThatThrownBy(() -> new JwksRequest(config, null).load())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }

    private void serve(JWK... published) {
        server.answers(new JWKSet(List.of(published)).toString());
    }

    private KeySource.Found find(String name) {
        return keys.find(new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(name).build());
    }

    private int found(String name) {
        return ((Candidates) find(name)).verifiers().size();
    }

    private static KeySet set(JWK... keys) throws ParseException {
        return KeySet.read(new JWKSet(List.of(keys)).toString(false).getBytes(UTF_8));
    }

    private static ECKey ec(String name) {
        try {
            return new ECKeyGenerator(Curve.P_256).keyID(name).generate();
        } catch (com.nimbusds.jose.JOSEException e) {
            throw new AssertionError(e);
        }
    }

    private static JwksConfig config(KeyServer server, @Nullable Path ca, Duration timeout) {
        return new JwksConfig(
                server.url(),
                ca,
                Duration.ofMinutes(5),
                Duration.ofSeconds(10),
                Duration.ofHours(24),
                timeout,
                16 * 1024);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
