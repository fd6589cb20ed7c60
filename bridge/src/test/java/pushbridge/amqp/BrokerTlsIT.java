package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Connection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import pushbridge.config.AmqpConfig;
import pushbridge.config.AmqpTlsConfig;
import pushbridge.config.TlsConfig;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;
import pushbridge.testing.TlsProxy;

/** {@code amqps://} to a real RabbitMQ, with TLS ended in front of it by a proxy that shows the certificates given. */
@ExtendWith(BrokerExtension.class)
class BrokerTlsIT {

    @TempDir
    static Path folder;

    private static Certificates authority;
    private static Certificates stranger;
    private static Issued good;
    private static Issued elsewhere;
    private static Issued bridge;

    private final Broker broker;

    BrokerTlsIT(Broker broker) {
        this.broker = broker;
    }

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new Certificates(folder, "authority");
        stranger = new Certificates(folder, "stranger");
        good = authority.issue("broker", "EC", true);
        elsewhere = authority.issue("elsewhere", "EC", false);
        bridge = authority.issue("bridge", "RSA", true);
    }

    @Test
    void aBrokerThatTheAuthorityVouchesForIsConnected() throws Exception {
        connects(good, false, new AmqpTlsConfig(true, authority.ca, null));
    }

    @Test
    void aBrokerThatNobodyVouchesForIsNot() throws Exception {
        refused(good, false, new AmqpTlsConfig(true, null, null)); // not among those that Java brings
        refused(good, false, new AmqpTlsConfig(true, stranger.ca, null));
    }

    @Test
    void norOneWithTheCertificateOfAnotherHost() throws Exception {
        refused(elsewhere, false, new AmqpTlsConfig(true, authority.ca, null));
    }

    @Test
    void unlessVerificationIsSwitchedOff() throws Exception {
        connects(elsewhere, false, new AmqpTlsConfig(false, null, null));
    }

    @Test
    void aCertificateOfTheBridgeIsShownWhenItIsAskedFor() throws Exception {
        refused(good, true, new AmqpTlsConfig(true, authority.ca, null));
        connects(
                good,
                true,
                new AmqpTlsConfig(true, authority.ca, new TlsConfig(bridge.certificate(), bridge.key(), null, null)));
        connects(
                good,
                true,
                new AmqpTlsConfig(
                        true, authority.ca, new TlsConfig(null, null, bridge.pkcs12(), Certificates.PASSWORD)));
    }

    private void connects(Issued shown, boolean clientCertificate, AmqpTlsConfig tls) throws Exception {
        try (TlsProxy proxy = proxy(shown, clientCertificate);
                Connection connection = connector(proxy, tls).connect()) {
            assertThat(connection.createChannel().isOpen()).isTrue();
        }
    }

    private void refused(Issued shown, boolean clientCertificate, AmqpTlsConfig tls) throws Exception {
        try (TlsProxy proxy = proxy(shown, clientCertificate)) {
            assertThatThrownBy(() -> connector(proxy, tls).connect())
                    .isInstanceOf(BrokerException.class)
                    .hasMessageStartingWith("RabbitMQ cannot be reached at localhost:" + proxy.port());
        }
    }

    private TlsProxy proxy(@Nullable Issued shown, boolean clientCertificate) throws Exception {
        return new TlsProxy(
                authority.client(shown),
                clientCertificate,
                new InetSocketAddress(broker.uri().getHost(), broker.uri().getPort()));
    }

    private Connector connector(TlsProxy proxy, AmqpTlsConfig tls) {
        URI plain = broker.uri();
        AmqpConfig c = broker.config(URI.create("amqps://" + plain.getRawUserInfo() + "@localhost:" + proxy.port()
                + (plain.getRawPath() == null ? "" : plain.getRawPath())));
        return new Connector(
                new AmqpConfig(
                        c.uris(),
                        c.prefix(),
                        c.prefetch(),
                        c.heartbeat(),
                        c.connectTimeout(),
                        c.confirmTimeout(),
                        c.backoffInitial(),
                        c.backoffMax(),
                        c.maxInboundBytes(),
                        c.deadMaxMessages(),
                        c.expiredMaxMessages(),
                        c.tokenRefresh(),
                        tls),
                "node",
                "test");
    }
}
