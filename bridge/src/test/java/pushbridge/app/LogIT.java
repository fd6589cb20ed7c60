package pushbridge.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import com.rabbitmq.client.AMQP.BasicProperties;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;
import pushbridge.auth.TokenMinter;
import pushbridge.config.AdminConfig;
import pushbridge.config.AmqpConfig;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.TokenConfig;
import pushbridge.config.TokenKeys;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** What a whole bridge logs, in the product's own layout, while everybody around it is hostile. */
@ExtendWith(BrokerExtension.class)
final class LogIT {

    private static final String SECRET = "0123456789abcdef-secret-of-tokens";
    private static final String ADMIN_TOKEN = "0123456789abcdef-token-of-operators";
    private static final String PAYLOAD = "payload-that-is-nobodys-business";

    /** Ends a line, begins another that looks like one of ours, erases, colours, turns the direction, and hides. */
    private static final String ATTACK =
            "x\n2026-01-01T00:00:00.000Z INFO  [main] Audit: forged\r\u001b[2K\u202e\u2028\u200b";

    private final Broker broker;
    private final Captured log = new Captured();
    private @Nullable TestBridge bridge;

    LogIT(Broker broker) {
        this.broker = broker;
    }

    @AfterEach
    void stop() throws InterruptedException {
        if (bridge != null) {
            bridge.close();
        }
        log.close();
    }

    @Test
    void noSecretTokenOrPayloadIsLoggedWhateverFails() throws Exception {
        TestBridge running = start(true);
        TokenConfig config = tokens(SECRET);
        String good = mint(config, Duration.ofHours(1));
        List<String> tokens = new ArrayList<>(List.of(
                good,
                mint(config, Duration.ofHours(-1)),
                mint(tokens("another secret of thirty-two bytes!"), Duration.ofHours(1)),
                good.substring(0, good.length() - 3) + "AAA",
                encoded("{\"alg\":\"none\"}") + "." + encoded("{\"sub\":\"ann\",\"exp\":9999999999}") + ".",
                "garbage-instead-of-a-token"));
        for (String token : tokens) {
            handshake("/ws", "Authorization: Bearer " + token);
            handshake("/ws", "Sec-WebSocket-Protocol: pushbridge.v1, bearer." + token);
            handshake("/ws", "Cookie: session=" + token);
            handshake("/ws?token=" + token);
            handshake("/ws?token=%zz" + token);
            handshake("/ws", "Authorization: Bearer " + token, "Sec-WebSocket-Key: wrong");
            handshake("/ws", "Sec-WebSocket-Protocol: pushbridge.v1, bearer." + token, "Origin: http://evil.example");
        }
        WebClient ann = running.connect("channels=news", "pushbridge.v1", "bearer." + good);
        ann.await(1);
        running.awaitSessions(1);
        int replies = 1;
        for (String token : tokens) {
            ann.send("{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"},\"seq\":5}".formatted(token));
            ann.await(++replies);
        }
        for (String frame : List.of(
                PAYLOAD,
                "{\"type\":\"" + PAYLOAD + "\",\"payload\":{},\"seq\":1}",
                "{\"type\":\"publish\",\"payload\":{\"x\":\"" + PAYLOAD + "\"},\"seq\":1}",
                "{\"type\":\"subscribe\",\"payload\":{\"channel\":\"" + PAYLOAD + "\"},\"seq\":1}")) {
            ann.send(frame);
            ann.await(++replies);
        }

        String dead = broker.prefix() + ".dead";
        broker.publish("user.ann", "{\"type\":\"note\",\"payload\":{\"x\":\"" + PAYLOAD);
        broker.publish("user.ann", "{\"type\":\"bridge.x\",\"payload\":{\"x\":\"" + PAYLOAD + "\"},\"seq\":1}");
        broker.publish("user.ann", "{\"type\":\"note\",\"payload\":\"" + PAYLOAD + "\",\"seq\":1}");
        broker.publish(
                "user.ann",
                "{\"type\":\"note\",\"payload\":{\"x\":\"" + PAYLOAD + "x".repeat(70_000) + "\"},\"seq\":1}");
        broker.publish("connection.nobody", "{\"type\":\"note\",\"payload\":{\"x\":\"" + PAYLOAD + "\"},\"seq\":1}");
        broker.publish("user.gone", "{\"type\":\"note\",\"payload\":{\"x\":\"" + PAYLOAD + "\"},\"seq\":1}");
        broker.publish(
                broker.prefix(),
                "user.ann",
                new BasicProperties.Builder()
                        .deliveryMode(2)
                        .headers(Map.of("x-push-offline", PAYLOAD))
                        .build(),
                "{\"type\":\"note\",\"payload\":{},\"seq\":1}");
        broker.awaitMessages(dead, 6);

        admin("GET /metrics", "Authorization: Bearer " + good);
        admin("POST /api/nothing", "Authorization: Bearer wrong-" + ADMIN_TOKEN, "Content-Type: application/json");
        admin("POST /api/nothing?" + PAYLOAD, "Authorization: Bearer " + ADMIN_TOKEN, "Content-Type: application/json");

        List<String> secrets = new ArrayList<>(List.of(SECRET, ADMIN_TOKEN, PAYLOAD, "hidden-password"));
        for (String token : tokens) {
            secrets.add(token);
            secrets.addAll(List.of(token.split("\\.")));
        }
        secrets.remove(encoded("{\"alg\":\"HS256\"}"));
        refusedByTheBroker();
        String all = log.text();
        assertThat(all)
                .contains("who=\"token\"")
                .contains("refuses the user name or password")
                .contains("is refused with 401");
        assertThat(secrets)
                .hasSizeGreaterThan(10)
                .allSatisfy(secret -> assertThat(all).doesNotContain(secret));
    }

    /** A bridge whose password is wrong says so without saying it. */
    private void refusedByTheBroker() throws Exception {
        AmqpConfig wrong = broker.config(
                URI.create(broker.uri().toString().replaceFirst("://[^@]*@", "://guest:hidden-password@")));
        try (TestBridge refused = TestBridge.start(TestBridge.config(wrong, TestBridge.LONG, null))) {
            Broker.await("the broker's refusal", () -> log.text().contains("refuses the user name or password"));
        }
    }

    @Test
    void whateverComesFromOutsideStaysWithinItsLine() throws Exception {
        TestBridge running = start(false);
        String encoded = java.net.URLEncoder.encode(ATTACK, UTF_8);
        // In the handshake: query, and headers, in which the line end is the only thing that cannot be.
        handshake("/ws?user=" + encoded);
        handshake("/ws?channels=" + encoded);
        handshake("/ws?resume=" + encoded);
        String header = ATTACK.replace("\n", "").replace("\r", "");
        handshake("/ws", "Origin: " + header);
        handshake("/ws", "Host: " + header);
        handshake("/ws", "User-Agent: " + header);
        handshake("/ws", "Sec-WebSocket-Key: " + header);
        handshake("/ws", "Sec-WebSocket-Protocol: " + header);
        // In a client's frames.
        String json = ATTACK.replace("\n", "\\n").replace("\r", "\\r").replace("\u001b", "\\u001b");
        WebClient ann = running.connect("user=ann");
        running.awaitSessions(1);
        int replies = 0;
        for (String frame : List.of(
                ATTACK,
                "{\"type\":\"" + json + "\",\"payload\":{},\"seq\":1}",
                "{\"type\":\"subscribe\",\"payload\":{\"channel\":\"" + json + "\"},\"seq\":1}",
                "{\"type\":\"auth\",\"payload\":{\"token\":\"" + json + "\"},\"seq\":1}")) {
            ann.send(frame);
            ann.await(++replies);
        }
        // In what RabbitMQ brings: address, properties, headers, body.
        broker.publish("user." + ATTACK, "{\"type\":\"note\",\"payload\":{},\"seq\":1}");
        broker.publish(ATTACK, "{\"type\":\"note\",\"payload\":{},\"seq\":1}");
        broker.publish("user.ann", ATTACK);
        broker.publish(
                broker.prefix(),
                "user.ann",
                new BasicProperties.Builder()
                        .deliveryMode(2)
                        .messageId(ATTACK)
                        .correlationId(ATTACK)
                        .headers(Map.of("x-push-offline", ATTACK, "other " + ATTACK.substring(0, 20), ATTACK))
                        .build(),
                "{\"type\":\"note\",\"payload\":{},\"seq\":1}");
        broker.awaitMessages(broker.prefix() + ".dead", 4);
        // By an operator.
        admin("POST /api/" + encoded, "Content-Type: application/json", "X-Pushbridge-Request: 1");
        admin("POST /api/" + header.replace(" ", ""), "Content-Type: application/json", "X-Pushbridge-Request: 1");

        String all = log.text();
        // Some of it did get there, as visible text.
        assertThat(all).contains("2026-01-01T00:00:00.000ZINFO[main]Audit:forged\\u001b[2K");
        assertThat(all.lines())
                .allMatch(line ->
                        line.matches("\\d{4}-\\d\\d-\\d\\dT.{12,20} (ERROR|WARN |INFO |DEBUG) \\[[^]]+] \\S+: .*")
                                || line.matches("\t+(at |\\.\\.\\. \\d+ |Suppressed: ).*")
                                || line.startsWith("Caused by: ")
                                || line.matches("[\\w.$]+(Exception|Error)(: .*)?"));
        assertThat(all.lines()).noneMatch(line -> line.startsWith("2026-01-01T00:00:00.000Z"));
        assertThat(all.codePoints())
                .noneMatch(c -> (c < ' ' && c != '\n' && c != '\t') || c == 0x202e || c == 0x2028 || c == 0x200b);
    }

    // -----------------------------------------------------------------------------------------------------------------

    private TestBridge start(boolean withTokens) throws Exception {
        BridgeConfig dev = TestBridge.config(broker.config(), TestBridge.LONG, null);
        TestBridge started = TestBridge.start(new BridgeConfig(
                dev.amqp(),
                dev.intake(),
                dev.message(),
                dev.delivery(),
                dev.hold(),
                dev.outbox(),
                dev.socket(),
                withTokens ? new AuthConfig(AuthConfig.Mode.TOKEN, false, List.of(), tokens(SECRET)) : dev.auth(),
                new AdminConfig("127.0.0.1", 0, withTokens ? ADMIN_TOKEN : null, 64, 1 << 20, null, null),
                dev.letters(),
                dev.receipts(),
                dev.shutdown()));
        started.awaitReady();
        bridge = started;
        return started;
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
                "session",
                true,
                false,
                List.of(),
                Duration.ZERO);
    }

    private static String mint(TokenConfig by, Duration good) {
        return new TokenMinter(by).mint("ann", List.of("news"), System.currentTimeMillis(), good);
    }

    private static String encoded(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(UTF_8));
    }

    private void handshake(String path, String... headers) throws IOException {
        String[] all = new String[headers.length + 3];
        System.arraycopy(headers, 0, all, 3, headers.length);
        all[0] = "Upgrade: websocket";
        all[1] = "Connection: Upgrade";
        all[2] = "Sec-WebSocket-Version: 13";
        boolean key = List.of(headers).toString().contains("Sec-WebSocket-Key");
        ask(
                running().bridge().socketPort(),
                "GET " + path,
                key ? all : with(all, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="));
    }

    private static String[] with(String[] headers, String one) {
        String[] more = java.util.Arrays.copyOf(headers, headers.length + 1);
        more[headers.length] = one;
        return more;
    }

    private void admin(String request, String... headers) throws IOException {
        ask(running().bridge().adminPort(), request, headers);
    }

    private TestBridge running() {
        return java.util.Objects.requireNonNull(bridge);
    }

    /** Sends a request and waits for the first byte of the answer, or for its end. */
    private static void ask(int port, String request, String... headers) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            boolean host = List.of(headers).toString().contains("Host: ");
            socket.getOutputStream()
                    .write((request + " HTTP/1.1\r\n" + (host ? "" : "Host: localhost\r\n")
                                    + String.join("\r\n", headers) + "\r\n\r\n")
                            .getBytes(UTF_8));
            socket.getInputStream().read();
        }
    }

    /** What the product's layout makes of everything that ours log from DEBUG on, and libraries from INFO on. */
    private static final class Captured extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        private final Logger ours = (Logger) LoggerFactory.getLogger("pushbridge");
        private final Encoder<ILoggingEvent> encoder =
                ((ConsoleAppender<ILoggingEvent>) root.getAppender("STDERR")).getEncoder();
        private final StringBuilder text = new StringBuilder();

        Captured() {
            setContext(root.getLoggerContext());
            start();
            root.addAppender(this);
            ours.setLevel(Level.DEBUG);
        }

        @Override
        protected void append(ILoggingEvent event) {
            synchronized (text) {
                text.append(new String(encoder.encode(event), UTF_8));
            }
        }

        String text() {
            synchronized (text) {
                return text.toString();
            }
        }

        @Override
        public void close() {
            ours.setLevel(null);
            root.detachAppender(this);
            stop();
        }
    }
}
