package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import pushbridge.auth.KeySource;
import pushbridge.auth.TokenMinter;
import pushbridge.auth.TokenVerifier;
import pushbridge.config.AuthConfig;
import pushbridge.config.JwksConfig;
import pushbridge.config.TokenConfig;
import pushbridge.config.TokenKeys;
import pushbridge.delivery.ClientRequest;
import pushbridge.delivery.CloseCode;
import pushbridge.socket.RecordingSessions.Opened;
import pushbridge.testing.KeyServer;

/** Tokens over real sockets: every way of carrying one gets in, everything else gets a real answer and no session. */
class TokenHandshakeTest {

    private static final String V1 = "Sec-WebSocket-Protocol: pushbridge.v1";

    private final TestListener listener = new TestListener();
    private TokenConfig config = config(false);

    @BeforeEach
    void tokensAreWanted() {
        gate(List.of());
    }

    @AfterEach
    void stop() {
        listener.close();
    }

    @Test
    void aTokenGetsInByEachWayOfCarryingIt() throws Exception {
        String token = token("42", "news");
        String own = "Origin: http://localhost:" + listener.port();
        listener.open("/ws?channels=news", "Authorization: Bearer " + token);
        listener.open("/ws?channels=news", V1 + ", bearer." + token);
        listener.open("/ws?channels=news", "Sec-WebSocket-Protocol: pushbridge.plain, bearer." + token);
        listener.open("/ws?channels=news", "Cookie: a=b; push=" + token, own);
        listener.open("/ws?channels=news&token=" + token);
        listener.open("/ws?channels=news", "Authorization: bearer " + token, "Origin: https://anywhere.example");

        assertThat(listener.sessions.opened).hasSize(6).allSatisfy(session -> {
            assertThat(session.user).isEqualTo("42");
            assertThat(session.channels).containsExactly("news");
        });
    }

    @Test
    void theBearerElementIsNeverAnswered() throws Exception {
        try (RawClient client = RawClient.connect(listener.port())) {
            RawClient.Response response = client.handshake("/ws", V1 + ", bearer." + token("42"));
            assertThat(response.status()).isEqualTo(101);
            assertThat(response.headers()).containsEntry("sec-websocket-protocol", "pushbridge.v1");
            assertThat(response.headers().values()).noneMatch(value -> value.contains("bearer"));
        }
    }

    @Test
    void everythingElseIsRefusedForReal() throws Exception {
        String good = token("42");
        String other = token("43");
        refused(401, "/ws");
        refused(401, "/ws?user=42");
        refused(401, "/ws", "Authorization: Bearer nonsense");
        refused(401, "/ws", "Authorization: Basic dXNlcjpwYXNz");
        refused(401, "/ws", "Authorization: Bearer " + good.substring(0, good.length() - 4) + "AAAA");
        refused(400, "/ws", "Authorization: Bearer " + good, V1 + ", bearer." + other);
        refused(400, "/ws", "Sec-WebSocket-Protocol: bearer." + good);
        refused(403, "/ws", "Cookie: push=" + good);
        refused(403, "/ws", "Cookie: push=" + good, "Origin: https://evil.example");
        listener.clock.advance(Duration.ofSeconds(91));
        assertThat(refused(401, "/ws", "Authorization: Bearer " + good).body()).contains("expired");
    }

    /** The selectors are two, and more handshakes than that come while the keys are being loaded. */
    @Test
    void whileTheKeysAreBeingLoadedTheAnswerIs503AndNobodyWaits() throws Exception {
        ECKey key = new ECKeyGenerator(Curve.P_256).keyID("k").generate();
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (KeyServer server = new KeyServer(null)) {
            server.answers(exchange -> {
                asked.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                byte[] set = new JWKSet(key.toPublicJWK()).toString().getBytes(UTF_8);
                exchange.sendResponseHeaders(200, set.length);
                exchange.getResponseBody().write(set);
            });
            KeySource keys = keysOf(server);
            keys.start();
            asked.await();
            config = config(true);
            gate(List.of(), keys);
            SignedJWT jwt = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("k").build(),
                    new JWTClaimsSet.Builder()
                            .subject("42")
                            .expirationTime(Date.from(Instant.ofEpochMilli(listener.clock.machineMillis() + 60_000)))
                            .build());
            jwt.sign(new ECDSASigner(key));
            String bearer = "Authorization: Bearer " + jwt.serialize();
            for (int i = 0; i < 8; i++) {
                RawClient.Response answer = refused(503, "/ws", bearer);
                assertThat(answer.headers()).containsKey("retry-after");
                assertThat(answer.body()).contains("cannot be checked now");
                listener.open("/ws").close(); // nobody in particular needs no key
            }
            RawClient open = listener.open("/ws");
            open.sendText(auth(jwt.serialize()));
            assertThat(open.receiveText()).contains("\"try-later\"");
            open.close();

            go.countDown();
            TestListener.await(() -> keys.state().usable());
            int before = listener.sessions.opened.size();
            listener.open("/ws", bearer).close();
            assertThat(listener.sessions.opened.get(before).user).isEqualTo("42");
            keys.stop();
        }
    }

    private KeySource keysOf(KeyServer server) {
        JwksConfig jwks = new JwksConfig(
                server.url(),
                null,
                Duration.ofMinutes(5),
                Duration.ofSeconds(10),
                Duration.ofHours(24),
                Duration.ofSeconds(60),
                64 * 1024);
        return KeySource.of(new TokenKeys(null, null, null, jwks), null, listener.clock::nanoTime);
    }

    @Test
    void aTokenInTheQueryIsNotReadUnlessConfigured() throws Exception {
        config = new TokenConfig(
                config.keys(),
                null,
                null,
                Duration.ZERO,
                true,
                8_192,
                "channels",
                null,
                false,
                false,
                List.of(),
                Duration.ZERO);
        gate(List.of());
        assertThat(refused(401, "/ws?token=" + token("42")).body()).contains("logs");
    }

    @Test
    void aListOfOriginsHoldsForEveryToken() throws Exception {
        gate(List.of("https://*.example.com"));
        String token = "Authorization: Bearer " + token("42");
        listener.open("/ws", token, "Origin: https://app.example.com");
        listener.open("/ws", token);
        RawClient.Response response =
                refused(403, "/ws", token, "Origin: https://evil.example", "Host: app.example.com");
        assertThat(response.body()).contains("https://evil.example", "app.example.com");
    }

    @Test
    void anonymousClientsGetInOnlyWhenConfiguredAndHearTheirChannels() throws Exception {
        config = config(true);
        gate(List.of());
        listener.open("/ws?channels=public-1,secret", V1);
        Opened session = listener.sessions.opened.get(0);
        assertThat(session.user).isNull();
        assertThat(session.channels).containsExactly("public-1");
        refused(403, "/ws", "Origin: https://evil.example");
        refused(401, "/ws", "Authorization: Bearer nonsense");
    }

    @Test
    void onlyGrantedChannelsCanBeSubscribedTo() throws Exception {
        try (RawClient client = listener.open("/ws", "Authorization: Bearer " + token("42", "team-*"))) {
            client.sendText("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"other\"},\"seq\":7}");
            assertThat(client.receiveText())
                    .contains("bridge.error", "\"forbidden\"", "\"channel\":\"other\"", "\"seq\":7");
            client.sendText("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"team-1\"},\"seq\":8}");
            Opened session = listener.sessions.opened.get(0);
            TestListener.await(() -> !session.requests.isEmpty());
            assertThat(session.requests).containsExactly(new ClientRequest.Subscribe("team-1", 8));
        }
    }

    @Test
    void aConnectionEndsWithItsTokenUnlessItIsRenewed() throws Exception {
        try (RawClient stays = listener.open("/ws", "Authorization: Bearer " + token("42"));
                RawClient goes = listener.open("/ws", "Authorization: Bearer " + token("43"))) {
            listener.clock.advance(Duration.ofSeconds(50));
            stays.sendText("{\"type\":\"auth\",\"payload\":{\"token\":\"" + token("42", "x") + "\"},\"seq\":3}");
            Opened session = listener.sessions.opened.get(0);
            TestListener.await(() -> session.requests.size() == 1);
            ClientRequest.Renew renew = (ClientRequest.Renew) session.requests.get(0);
            assertThat(renew.seq()).isEqualTo(3);
            assertThat(renew.granted().test("x")).isTrue();
            assertThat(renew.granted().test("y")).isFalse();

            listener.clock.advance(Duration.ofSeconds(41));
            listener.server().sweep();
            RawClient.Received close = nextClose(goes);
            assertThat(close.closeCode()).isEqualTo(CloseCode.TOKEN_EXPIRED.number());
            assertThat(session.closed).hasValue(0);
        }
    }

    @Test
    void aRenewalMustBeValidOfTheSameUserAndNotTooSoon() throws Exception {
        try (RawClient client = listener.open("/ws", "Authorization: Bearer " + token("42"))) {
            client.sendText(auth("nonsense"));
            assertThat(client.receiveText()).contains("\"unauthorized\"");
            client.sendText(auth(token("42")));
            assertThat(client.receiveText()).contains("\"try-later\"");
            listener.clock.advance(Duration.ofSeconds(5));
            client.sendText(auth(token("43")));
            assertThat(client.receiveText()).contains("\"forbidden\"");
            assertThat(listener.sessions.opened.get(0).requests).isEmpty();
        }
    }

    private static RawClient.Received nextClose(RawClient client) throws Exception {
        RawClient.Received frame = client.receive();
        while (frame.opcode() != 8) {
            frame = client.receive();
        }
        return frame;
    }

    private static String auth(String token) {
        return "{\"type\":\"auth\",\"payload\":{\"token\":\"" + token + "\"}}";
    }

    private void gate(List<String> origins) {
        gate(origins, KeySource.of(config.keys(), null, listener.clock::nanoTime));
    }

    private void gate(List<String> origins, KeySource keys) {
        listener.gate = new TokenGate(
                new TokenVerifier(config, keys, listener.clock::machineMillis),
                new AuthConfig(AuthConfig.Mode.TOKEN, false, origins, config),
                100);
    }

    private String token(String user, String... channels) {
        return new TokenMinter(config)
                .mint(user, List.of(channels), listener.clock.machineMillis(), Duration.ofSeconds(60));
    }

    private RawClient.Response refused(int status, String pathAndQuery, String... headers) throws Exception {
        int before = listener.sessions.opened.size();
        try (RawClient client = RawClient.connect(listener.port())) {
            RawClient.Response response = client.handshake(pathAndQuery, headers);
            assertThat(response.status())
                    .as(String.join("; ", headers) + response.body())
                    .isEqualTo(status);
            assertThat(response.headers()).containsEntry("connection", "close");
            assertThat(response.headers().containsKey("www-authenticate")).isEqualTo(status == 401);
            assertThat(client.readToEnd()).isZero();
            assertThat(listener.sessions.opened).hasSize(before);
            return response;
        }
    }

    private static TokenConfig config(boolean anonymous) {
        return new TokenConfig(
                TokenKeys.of("0123456789abcdef0123456789abcdef"),
                null,
                null,
                Duration.ofSeconds(30),
                true,
                8_192,
                "channels",
                "push",
                true,
                anonymous,
                List.of("public-*"),
                Duration.ofSeconds(5));
    }
}
