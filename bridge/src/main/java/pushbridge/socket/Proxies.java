package pushbridge.socket;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.config.Network;
import pushbridge.config.ProxyConfig;

/**
 * What trusted proxies say of a client. Everybody can send the headers that proxies send, so they count only as far as
 * they were written by a trusted one: each appends the address it was connected from, and the last one that is no trusted
 * proxy itself is the client. What stands in front of that may be invented.
 */
final class Proxies {

    /** Taken from a request before anybody could believe them, unless it came from a trusted proxy. */
    private static final List<String> CLAIMS =
            List.of("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "x-forwarded-proto");

    /** More than any chain of proxies has; the rest is not looked at. */
    private static final int MOST_HOPS = 32;

    private final ProxyConfig config;

    Proxies(ProxyConfig config) {
        this.config = config;
    }

    /** Whether the word of this address counts. */
    boolean trusts(InetAddress peer) {
        for (Network network : config.trusted()) {
            if (network.contains(peer)) {
                return true;
            }
        }
        return false;
    }

    /** Whether connections from this address must begin with a PROXY protocol header. */
    boolean speaksProxyProtocol(InetAddress peer) {
        return config.protocol() && trusts(peer);
    }

    /**
     * The address of the client.
     *
     * @param peer the other end of the connection, as TCP or the PROXY protocol tells it
     * @param headers by lower-case name
     */
    InetAddress clientOf(InetAddress peer, Map<String, List<String>> headers) {
        List<String> hops = hops(headers);
        InetAddress client = peer;
        for (int i = hops.size() - 1; i >= 0 && trusts(client); i--) {
            InetAddress hop = addressIn(hops.get(i));
            if (hop == null) {
                break; // "unknown", or hidden on purpose: nobody known is behind the proxy that says so
            }
            client = hop;
        }
        return client;
    }

    /**
     * Leaves of the headers only what is true: from a trusted proxy {@code host} is what the client asked for, even when
     * the proxy asks for something else; from anybody else nothing claims to come from a proxy.
     */
    void settle(InetAddress peer, Map<String, List<String>> headers) {
        if (!trusts(peer)) {
            CLAIMS.forEach(headers::remove);
            return;
        }
        String host = forwardedHost(headers);
        if (host != null) {
            headers.put("host", List.of(host));
        }
    }

    private @Nullable String forwardedHost(Map<String, List<String>> headers) {
        if (config.header() == ProxyConfig.Header.FORWARDED) {
            List<String> elements = elements(headers.get("forwarded"), ',');
            return elements.isEmpty() ? null : parameter(elements.get(elements.size() - 1), "host");
        }
        List<String> hosts = elements(headers.get("x-forwarded-host"), ',');
        return hosts.isEmpty() ? null : hosts.get(hosts.size() - 1);
    }

    /** As the proxies wrote them, the nearest last. */
    private List<String> hops(Map<String, List<String>> headers) {
        List<String> elements = elements(headers.get(config.header().lowerCaseName()), ',');
        if (elements.size() > MOST_HOPS) {
            elements = elements.subList(elements.size() - MOST_HOPS, elements.size());
        }
        if (config.header() != ProxyConfig.Header.FORWARDED) {
            return elements;
        }
        List<String> hops = new ArrayList<>();
        for (String element : elements) {
            String hop = parameter(element, "for");
            hops.add(hop == null ? "unknown" : hop);
        }
        return hops;
    }

    /** A parameter of an element of {@code Forwarded} (RFC 7239), without quotes; null when it is absent. */
    private static @Nullable String parameter(String element, String name) {
        for (String pair : elements(List.of(element), ';')) {
            int equals = pair.indexOf('=');
            if (equals > 0 && pair.substring(0, equals).trim().equalsIgnoreCase(name)) {
                String value = pair.substring(equals + 1).trim();
                return value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"")
                        ? value.substring(1, value.length() - 1)
                        : value;
            }
        }
        return null;
    }

    /** What stands between separators outside of quotes, in all lines of a header together. */
    private static List<String> elements(@Nullable List<String> lines, char separator) {
        List<String> elements = new ArrayList<>();
        if (lines == null) {
            return elements;
        }
        for (String line : lines) {
            boolean quoted = false;
            int from = 0;
            for (int i = 0; i <= line.length(); i++) {
                if (i == line.length() || (line.charAt(i) == separator && !quoted)) {
                    String element = line.substring(from, i).trim();
                    if (!element.isEmpty()) {
                        elements.add(element);
                    }
                    from = i + 1;
                } else if (line.charAt(i) == '"') {
                    quoted = !quoted;
                }
            }
        }
        return elements;
    }

    /** {@code 192.0.2.1}, {@code 192.0.2.1:80}, {@code 2001:db8::1}, {@code [2001:db8::1]:80}; null for anything else. */
    private static @Nullable InetAddress addressIn(String hop) {
        if (hop.startsWith("[")) {
            int end = hop.indexOf(']');
            return end < 0 ? null : Network.literal(hop.substring(1, end));
        }
        int colon = hop.indexOf(':');
        boolean withPort = colon >= 0 && colon == hop.lastIndexOf(':');
        return Network.literal(withPort ? hop.substring(0, colon) : hop);
    }
}
