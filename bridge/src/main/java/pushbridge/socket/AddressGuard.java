package pushbridge.socket;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.glassfish.grizzly.CloseListener;
import org.glassfish.grizzly.Closeable;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.ICloseType;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.nio.transport.TCPNIOConnection;
import org.jspecify.annotations.Nullable;
import pushbridge.config.SocketConfig;
import pushbridge.config.SocketLimits;
import pushbridge.delivery.Clock;
import pushbridge.socket.HandshakeGate.Refused;

/**
 * Finds out which client is at the other end of a connection, and keeps one client, and all of them together, from coming
 * too often. A client that connects directly is counted from the moment it is accepted; one behind a proxy from its
 * handshake on, since nobody knows before who it is. With TLS the cost of a handshake comes before its request can be
 * read, so a direct client that comes too often is then turned away without an answer.
 */
@SuppressWarnings("deprecation") // the type of a close listener's argument, for which Grizzly has no other
final class AddressGuard {

    /** A connection is answered this far beyond the limit of an address, and farther is ended. */
    private static final int MARGIN = 16;

    /** For places, which get free only when somebody leaves. */
    private static final int RETRY_AFTER_FULL = 30;

    private static final int RETRY_AFTER_RATE = 5;

    /** What is known of a connection that was counted. */
    private record Counted(String address, int connections, boolean handshake) {}

    private static final Attribute<Counted> COUNTED =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(AddressGuard.class.getName());

    private final SocketLimits limits;
    private final Proxies proxies;
    private final Addresses addresses;
    private final boolean tls;
    private final RateLimiterRegistry rates = RateLimiterRegistry.ofDefaults();
    private final RateLimiter rate;

    AddressGuard(SocketConfig config, Proxies proxies, Clock clock) {
        this.limits = config.limits();
        this.proxies = proxies;
        this.addresses = new Addresses(limits, clock);
        this.tls = config.tls() != null;
        this.rate = rates.rateLimiter(
                "handshakes",
                RateLimiterConfig.custom()
                        .limitForPeriod(limits.maxHandshakesPerSecond())
                        .limitRefreshPeriod(Duration.ofSeconds(1))
                        .timeoutDuration(Duration.ZERO) // never waits: this is a selector thread
                        .build());
    }

    /** The address that TCP tells. */
    static InetAddress otherEnd(Connection<?> connection) {
        InetAddress address = connection.getPeerAddress() instanceof InetSocketAddress peer ? peer.getAddress() : null;
        return address == null ? InetAddress.getLoopbackAddress() : address; // gone already: its end is being handled
    }

    /** Counts a connection that was accepted; false when it is to be ended without an answer. */
    boolean accepted(TCPNIOConnection tcp) {
        InetAddress peer = otherEnd(tcp);
        if (proxies.trusts(peer)) {
            return true;
        }
        String address = Addresses.of(peer);
        if (tls && !(rate.acquirePermission() && (peer.isLoopbackAddress() || addresses.mayShakeHands(address)))) {
            return false;
        }
        int connections = enter(tcp, peer, address, tls);
        return connections <= limits.maxConnectionsPerAddress() + MARGIN;
    }

    /** The client behind a request. */
    InetAddress clientOf(TCPNIOConnection tcp, Map<String, List<String>> headers) {
        return proxies.clientOf(ProxyProtocolFilter.peerOf(tcp), headers);
    }

    /** Takes from the headers whatever only a trusted proxy may say. */
    void settle(TCPNIOConnection tcp, Map<String, List<String>> headers) {
        proxies.settle(ProxyProtocolFilter.peerOf(tcp), headers);
    }

    /** Counts a handshake; null when it may go on. */
    @Nullable
    Refused handshake(TCPNIOConnection tcp, InetAddress client) {
        Counted counted = COUNTED.get(tcp);
        String address = counted == null ? Addresses.of(client) : counted.address();
        if (counted == null || !counted.handshake()) {
            if (!rate.acquirePermission()) {
                return new Refused(
                        Refusal.TOO_OFTEN,
                        503,
                        "The bridge is given more handshakes than it may take.",
                        RETRY_AFTER_RATE);
            }
            if (!client.isLoopbackAddress() && !addresses.mayShakeHands(address)) {
                return new Refused(
                        Refusal.TOO_OFTEN_FOR_ADDRESS, 429, "This address shakes hands too often.", RETRY_AFTER_RATE);
            }
        }
        int connections = counted == null ? enter(tcp, client, address, true) : counted.connections();
        return connections <= limits.maxConnectionsPerAddress()
                ? null
                : new Refused(
                        Refusal.FULL_FOR_ADDRESS,
                        429,
                        "This address has as many connections as an address may have.",
                        RETRY_AFTER_FULL);
    }

    /** How many connections the address has now; 0 when nobody counts them. */
    private int enter(TCPNIOConnection tcp, InetAddress client, String address, boolean handshake) {
        if (client.isLoopbackAddress()) {
            COUNTED.set(tcp, new Counted(address, 0, handshake));
            return 0;
        }
        int connections = addresses.enter(address);
        COUNTED.set(tcp, new Counted(address, connections, handshake));
        // However and whenever it ends, even if it has ended already.
        CloseListener<Closeable, ICloseType> listener = (closeable, type) -> addresses.leave(address);
        tcp.addCloseListener(listener);
        return connections;
    }

    /** A connection has become a WebSocket: what is known of it besides is not needed any more. It stays counted. */
    static void forget(TCPNIOConnection tcp) {
        COUNTED.remove(tcp);
    }

    RateLimiterRegistry rates() {
        return rates;
    }

    /** What is counted. */
    Addresses addresses() {
        return addresses;
    }
}
