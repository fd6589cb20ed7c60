package pushbridge.socket;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import pushbridge.config.SocketConfig;
import pushbridge.envelope.Address;

/**
 * For trying out only: believes the query, {@code ?user=42&channels=news,sports}. So that a page of somebody else open in
 * the developer's browser cannot use it, the {@code Origin} must be this very host and port, and on a loopback address
 * the {@code Host} must be a loopback name: a foreign name pointing here is DNS rebinding.
 */
public final class DevGate implements HandshakeGate {

    private final boolean onLoopback;
    private final int maxChannels;

    /**
     * @param config tells the address listened on
     * @param maxChannels channels one connection may listen to
     */
    public DevGate(SocketConfig config, int maxChannels) {
        this.onLoopback = isLoopback(config.host());
        this.maxChannels = maxChannels;
    }

    @Override
    public Admission admit(Handshake handshake) {
        String host = handshake.header("host");
        if (host == null) {
            return new Refused(400, "The Host header is missing.");
        }
        if (onLoopback && !isLoopback(nameOf(host))) {
            return new Refused(
                    403, "The bridge listens on a loopback address; reach it as localhost, not by another name.");
        }
        String origin = handshake.header("origin");
        if (origin != null && !sameHostAndPort(origin, host)) {
            return new Refused(
                    403, "In dev mode a page may only connect to the host and port that it was loaded from.");
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

    private static boolean sameHostAndPort(String origin, String host) {
        URI page;
        try {
            page = new URI(origin);
        } catch (URISyntaxException e) {
            return false; // among them "null", the origin of a sandboxed page
        }
        String scheme = page.getScheme();
        String pageHost = page.getHost();
        if (scheme == null || pageHost == null) {
            return false;
        }
        int defaultPort = scheme.equalsIgnoreCase("https") ? 443 : 80;
        int pagePort = page.getPort() < 0 ? defaultPort : page.getPort();
        return pageHost.equalsIgnoreCase(nameOf(host)) && pagePort == portOf(host, defaultPort);
    }

    /** The name in a Host header, with the brackets of an IPv6 address. */
    private static String nameOf(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }

    private static int portOf(String host, int defaultPort) {
        int colon = host.lastIndexOf(':');
        if (colon <= host.lastIndexOf(']')) {
            return defaultPort;
        }
        try {
            return Integer.parseInt(host.substring(colon + 1));
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static boolean isLoopback(@Nullable String name) {
        if (name == null) {
            return false;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.equals("localhost") || lower.endsWith(".localhost")) {
            return true;
        }
        String literal = lower.startsWith("[") && lower.endsWith("]") ? lower.substring(1, lower.length() - 1) : lower;
        // Only literals: resolving the name would ask the very DNS that may lie.
        if (!literal.matches("[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*")) {
            return false;
        }
        try {
            return InetAddress.getByName(literal).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
