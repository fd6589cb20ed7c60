package pushbridge.socket;

import org.glassfish.grizzly.filterchain.FilterChainBuilder;
import org.glassfish.grizzly.filterchain.TransportFilter;
import org.glassfish.grizzly.http.server.AddOn;
import org.glassfish.grizzly.http.server.HttpServerFilter;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.utils.IdleTimeoutFilter;
import org.jspecify.annotations.Nullable;
import pushbridge.tls.TlsFilter;

/**
 * Puts the {@link UpgradeFilter} in front of the HTTP handlers of a listener, and the {@link ProxyProtocolFilter} in front
 * of everything, TLS behind it.
 */
final class UpgradeAddOn implements AddOn {

    private final UpgradeFilter upgrade;
    private final ProxyProtocolFilter proxyProtocol;
    private final @Nullable TlsFilter tls;

    UpgradeAddOn(UpgradeFilter upgrade, ProxyProtocolFilter proxyProtocol, @Nullable TlsFilter tls) {
        this.upgrade = upgrade;
        this.proxyProtocol = proxyProtocol;
        this.tls = tls;
    }

    @Override
    public void setup(NetworkListener listener, FilterChainBuilder builder) {
        // It keeps connections in a queue of its own beyond the upgrade and would cut them off; Arrivals has deadlines.
        int idleTimeout = builder.indexOfType(IdleTimeoutFilter.class);
        if (idleTimeout >= 0) {
            builder.remove(idleTimeout);
        }
        builder.add(builder.indexOfType(HttpServerFilter.class), upgrade);
        int first = builder.indexOfType(TransportFilter.class) + 1;
        if (tls != null) {
            builder.add(first, tls);
        }
        builder.add(first, proxyProtocol);
    }
}
