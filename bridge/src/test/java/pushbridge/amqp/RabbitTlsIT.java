package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Connection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pushbridge.config.AmqpConfig;
import pushbridge.config.AmqpTlsConfig;
import pushbridge.config.TlsConfig;
import pushbridge.faults.RabbitNodes;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;
import pushbridge.testing.Ports;

/** {@code amqps://} to RabbitMQ's own TLS listener, which wants a certificate of whoever connects. */
class RabbitTlsIT {

    @TempDir
    static Path folder;

    private static final int PORT = Ports.free();

    private static Certificates authority;
    private static Certificates stranger;
    private static Issued bridge;
    private static Issued impostor;
    private static @Nullable RabbitNodes nodes;

    @BeforeAll
    static void start() throws Exception {
        authority = new Certificates(folder, "authority");
        stranger = new Certificates(folder, "stranger");
        bridge = authority.issue("bridge", "EC", true);
        impostor = stranger.issue("impostor", "EC", true);
        Issued broker = authority.issueForName("broker");
        nodes = RabbitNodes.startWith("""
                listeners.ssl.1 = 127.0.0.1:%d
                ssl_options.cacertfile = %s
                ssl_options.certfile = %s
                ssl_options.keyfile = %s
                ssl_options.verify = verify_peer
                ssl_options.fail_if_no_peer_cert = true
                ssl_options.versions.1 = tlsv1.3
                ssl_options.versions.2 = tlsv1.2
                """.formatted(PORT, authority.ca, broker.certificate(), broker.key()));
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    @Test
    void bothSidesThatKnowEachOtherConnect() throws Exception {
        for (TlsConfig shown : List.of(
                new TlsConfig(bridge.certificate(), bridge.key(), null, null),
                new TlsConfig(null, null, bridge.pkcs12(), Certificates.PASSWORD))) {
            try (Connection connection = connector("localhost", new AmqpTlsConfig(true, authority.ca, shown))
                    .connect()) {
                assertThat(connection.createChannel().isOpen()).isTrue();
            }
        }
    }

    @Test
    void verificationIsOnByDefault() {
        refused("localhost", new AmqpTlsConfig(true, null, own()), "signed by nobody that is trusted here", "ca-file");
        refused("localhost", new AmqpTlsConfig(true, stranger.ca, own()), "signed by nobody that is trusted here");
    }

    @Test
    void aCertificateForAnotherHostIsNotBelieved() {
        refused("127.0.0.1", new AmqpTlsConfig(true, authority.ca, own()), "is for another host", "127.0.0.1");
    }

    @Test
    void aBridgeThatTheBrokerDoesNotKnowIsToldThat() {
        refused("localhost", new AmqpTlsConfig(true, authority.ca, null), "amqp.tls.certificate-file");
        refused(
                "localhost",
                new AmqpTlsConfig(
                        true, authority.ca, new TlsConfig(impostor.certificate(), impostor.key(), null, null)),
                "amqp.tls.certificate-file");
    }

    @Test
    void thePortWithoutTlsIsNamedAsThat() {
        URI plain = started().plainUri();
        refused(
                URI.create("amqps://guest:guest@localhost:" + plain.getPort() + "/%2F"),
                new AmqpTlsConfig(true, authority.ca, own()),
                "speaks no TLS");
    }

    private static RabbitNodes started() {
        if (nodes == null) {
            throw new IllegalStateException("no node");
        }
        return nodes;
    }

    private static TlsConfig own() {
        return new TlsConfig(bridge.certificate(), bridge.key(), null, null);
    }

    private static void refused(String host, AmqpTlsConfig tls, String... sentence) {
        refused(uri(host), tls, sentence);
    }

    private static void refused(URI uri, AmqpTlsConfig tls, String... sentence) {
        assertThatThrownBy(() -> connector(uri, tls).connect())
                .isInstanceOf(BrokerException.class)
                .hasMessageStartingWith("RabbitMQ cannot be reached at " + uri.getHost() + ":" + uri.getPort() + " (")
                .hasMessageContainingAll(sentence)
                .hasMessageNotContaining("Exception");
    }

    private static URI uri(String host) {
        return URI.create("amqps://guest:guest@" + host + ":" + PORT + "/%2F");
    }

    private static Connector connector(String host, AmqpTlsConfig tls) {
        return connector(uri(host), tls);
    }

    private static Connector connector(URI uri, AmqpTlsConfig tls) {
        return new Connector(
                new AmqpConfig(
                        List.of(uri),
                        "tls",
                        100,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(10),
                        Duration.ofMillis(20),
                        Duration.ofMillis(200),
                        1 << 20,
                        1_000,
                        1_000,
                        Duration.ofMinutes(10),
                        tls),
                "node",
                "test");
    }
}
