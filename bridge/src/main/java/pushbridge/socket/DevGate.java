package pushbridge.socket;

import java.util.ArrayList;
import java.util.List;
import pushbridge.auth.OriginRule;
import pushbridge.config.SocketConfig;
import pushbridge.envelope.Address;

/**
 * For trying out only: believes the query, {@code ?user=42&channels=news,sports}. So that a page of somebody else open in
 * the developer's browser cannot use it, the {@code Origin} must be this very host and port, and on a loopback address
 * the {@code Host} must be a loopback name: a foreign name pointing here is DNS rebinding.
 */
public final class DevGate implements HandshakeGate {

    private final OriginRule origins;
    private final boolean onLoopback;
    private final int maxChannels;

    /**
     * @param config tells the address listened on
     * @param maxChannels channels one connection may listen to
     */
    public DevGate(SocketConfig config, int maxChannels) {
        this(config, List.of(), maxChannels);
    }

    /**
     * The same.
     *
     * @param origins of pages that may connect besides its own
     */
    public DevGate(SocketConfig config, List<String> origins, int maxChannels) {
        this.origins = new OriginRule(origins);
        this.onLoopback = OriginRule.isLoopbackName(config.host());
        this.maxChannels = maxChannels;
    }

    @Override
    public Admission admit(Handshake handshake) {
        String host = handshake.host();
        if (host == null) {
            return new Refused(400, "The Host header is missing.");
        }
        if (onLoopback && !OriginRule.isLoopbackName(OriginRule.nameOf(host))) {
            return new Refused(
                    403, "The bridge listens on a loopback address; reach it as localhost, not by another name.");
        }
        String origin = handshake.header("origin");
        if (origin != null && !OriginRule.isSameHost(origin, host) && !origins.isListed(origin)) {
            return Refused.foreignOrigin(OriginRule.refusal(origin, host));
        }
        String user = handshake.parameter("user");
        if (user != null && user.isEmpty()) {
            user = null;
        }
        List<String> channels = new ArrayList<>();
        try {
            if (user != null) {
                Address.parse("user." + user);
            }
            for (String list : handshake.query().getOrDefault("channels", List.of())) {
                for (String channel : list.split(",", -1)) {
                    if (!channel.isEmpty() && !channels.contains(channel)) {
                        Address.parse("channel." + channel);
                        channels.add(channel);
                        if (channels.size() > maxChannels) {
                            return new Refused(400, "More than " + maxChannels + " channels in the query.");
                        }
                    }
                }
            }
        } catch (Address.InvalidAddressException e) {
            return new Refused(400, "Bad user or channel in the query: " + e.getMessage() + ".");
        }
        return new Admitted(user, List.copyOf(channels));
    }
}
