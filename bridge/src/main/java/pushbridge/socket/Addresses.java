package pushbridge.socket;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import pushbridge.config.SocketLimits;
import pushbridge.delivery.Clock;

/**
 * How many connections each client address has, and how often it comes. Whoever has an IPv6 network has 2^64 addresses of
 * it, so these count as one. Any thread; the lock is a leaf.
 */
final class Addresses {

    /** Addresses whose handshakes are counted, the latest; some 200 bytes each. Who has more counts from the start again. */
    static final int REMEMBERED = 10_000;

    /** An office comes back at once when a bridge was restarted. */
    private static final int HANDSHAKE_SECONDS_AT_ONCE = 10;

    private static final int IPV6_NETWORK_BYTES = 8;

    private final SocketLimits limits;
    private final Clock clock;

    // Guarded by this.
    private final Map<String, Integer> open = new HashMap<>();
    private final Map<String, Allowance> handshakes = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Allowance> eldest) {
            return size() > REMEMBERED;
        }
    };

    Addresses(SocketLimits limits, Clock clock) {
        this.limits = limits;
        this.clock = clock;
    }

    /** What counts as one address. */
    static String of(InetAddress address) {
        if (!(address instanceof Inet6Address)) {
            return address.getHostAddress();
        }
        byte[] network = Arrays.copyOf(Arrays.copyOf(address.getAddress(), IPV6_NETWORK_BYTES), 16);
        try {
            return InetAddress.getByAddress(network).getHostAddress() + "/64";
        } catch (UnknownHostException e) {
            throw new IllegalStateException("16 bytes are an address", e);
        }
    }

    /** Counts one more connection; how many the address has now. To be given back by {@link #leave}. */
    synchronized int enter(String address) {
        return open.merge(address, 1, Integer::sum);
    }

    synchronized void leave(String address) {
        open.computeIfPresent(address, (name, count) -> count == 1 ? null : count - 1);
    }

    /** Counts one more handshake; false when there have been too many. */
    synchronized boolean mayShakeHands(String address) {
        long now = clock.nanoTime();
        return handshakes
                .computeIfAbsent(
                        address,
                        name -> new Allowance(
                                limits.maxHandshakesPerSecondPerAddress(), HANDSHAKE_SECONDS_AT_ONCE, now))
                .take(1, now);
    }

    /** Addresses that have a connection. */
    synchronized int connected() {
        return open.size();
    }

    /** Addresses whose handshakes are counted. */
    synchronized int remembered() {
        return handshakes.size();
    }
}
