package pushbridge.socket;

import org.glassfish.grizzly.filterchain.FilterChainBuilder;
import org.glassfish.grizzly.http.server.AddOn;
import org.glassfish.grizzly.http.server.HttpServerFilter;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.utils.IdleTimeoutFilter;

/** Puts the {@link UpgradeFilter} in front of the HTTP handlers of a listener. */
final class UpgradeAddOn implements AddOn {

    private final UpgradeFilter upgrade;

    UpgradeAddOn(UpgradeFilter upgrade) {
        this.upgrade = upgrade;
    }

    @Override
    public void setup(NetworkListener listener, FilterChainBuilder builder) {
        // It keeps connections in a queue of its own beyond the upgrade and would cut them off; Arrivals has deadlines.
        int idleTimeout = builder.indexOfType(IdleTimeoutFilter.class);
        if (idleTimeout >= 0) {
            builder.remove(idleTimeout);
        }
        builder.add(builder.indexOfType(HttpServerFilter.class), upgrade);
    }
}
