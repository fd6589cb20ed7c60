package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.auth.TokenMinter;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.TokenConfig;
import pushbridge.config.TokenKeys;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** Who shows a token gets what is theirs, from the publish to the browser; everybody else gets nothing. */
@ExtendWith(BrokerExtension.class)
final class TokenIT {

    private static final TokenConfig TOKENS = tokens("0123456789abcdef0123456789abcdef");

    private final Broker broker;
    private final TestBridge bridge;

    TokenIT(Broker broker) throws Exception {
        this.broker = broker;
        BridgeConfig dev = TestBridge.config(broker.config(), TestBridge.LONG, null);
        bridge = TestBridge.start(new BridgeConfig(
                dev.amqp(),
                dev.intake(),
                dev.message(),
                dev.delivery(),
                dev.hold(),
                dev.outbox(),
                dev.socket(),
                new AuthConfig(AuthConfig.Mode.TOKEN, false, List.of(), TOKENS),
                dev.admin(),
                dev.letters(),
                dev.receipts(),
                dev.shutdown()));
        bridge.awaitReady();
    }

    @AfterEach
    void stop() throws InterruptedException {
        bridge.close();
    }

    private static TokenConfig tokens(String secret) {
        return new TokenConfig(
                TokenKeys.of(secret),
                null,
                null,
                Duration.ofSeconds(30),
                true,
                4096,
                "channels",
                null,
                false,
                false,
                List.of(),
                Duration.ZERO);
    }

    private static String token(TokenConfig by, String user, String... channels) {
        return new TokenMinter(by).mint(user, List.of(channels), System.currentTimeMillis(), Duration.ofHours(1));
    }

    private static String envelope(String text) {
        return "{\"type\":\"note\",\"payload\":{\"text\":\"%s\"},\"seq\":1}".formatted(text);
    }

    private WebClient come(String query, String token) {
        return bridge.connect(query, "pushbridge.v1", "bearer." + token);
    }

    @Test
    void aTokenSaysWhoGetsWhatAndTheQueryDoesNot() throws Exception {
        WebClient ann = come("user=bob&channels=news,staff", token(TOKENS, "ann", "news"));
        assertThat(ann.await(2).get(0))
                .contains("bridge.welcome")
                .contains("\"user\":\"ann\"")
                .contains("expiresAt");
        assertThat(ann.texts().get(1)).contains("forbidden").contains("staff");
        bridge.awaitSessions(1);

        broker.publish("user.bob", envelope("for bob"));
        broker.publish("channel.staff", envelope("for staff"));
        broker.publish("channel.news", envelope("news"));
        broker.publish("user.ann", envelope("for ann"));

        List<String> got = ann.await(4);
        assertThat(got.subList(2, got.size()))
                .satisfiesExactlyInAnyOrder(
                        text -> assertThat(text).contains("\"news\""),
                        text -> assertThat(text).contains("for ann"));
        Broker.await("bob's to be held", () -> bridge.bridge().stats().heldMessages() >= 1);
    }

    @Test
    void withoutAGoodTokenNobodyComesIn() {
        String foreign = token(tokens("another secret of thirty-two bytes"), "ann", "*");
        assertThatThrownBy(() -> come("user=ann", foreign)).hasMessageContaining("WebSocketHandshakeException");
        assertThatThrownBy(() -> come("user=ann", "no.token.atall"))
                .hasMessageContaining("WebSocketHandshakeException");
        assertThatThrownBy(() -> bridge.connect("user=ann")).hasMessageContaining("WebSocketHandshakeException");
        assertThat(bridge.bridge().stats().sessions()).isZero();
    }

    @Test
    void aNewTokenOnTheOpenConnectionTakesAndGivesChannels() throws Exception {
        WebClient ann = come("channels=news", token(TOKENS, "ann", "news"));
        ann.await(1);
        bridge.awaitSessions(1);
        ann.send("{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"},\"seq\":5}"
                .formatted(token(TOKENS, "ann", "sport")));
        assertThat(ann.await(3).get(1)).contains("bridge.unsubscribed").contains("news");
        assertThat(ann.texts().get(2)).contains("bridge.renewed").contains("\"seq\":5");
        ann.send("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"news\"},\"seq\":6}");
        assertThat(ann.await(4).get(3)).contains("forbidden");
        ann.send("{\"type\":\"subscribe\",\"payload\":{\"channel\":\"sport\"},\"seq\":7}");
        assertThat(ann.await(5).get(4)).contains("bridge.subscribed").contains("sport");
        ann.send("{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"},\"seq\":8}".formatted(token(TOKENS, "bob", "*")));
        assertThat(ann.await(6).get(5))
                .contains("bridge.error")
                .contains("forbidden")
                .contains("another user");
    }
}
