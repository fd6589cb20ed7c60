package pushbridge.auth;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which pages may connect, by the {@code Origin} that browsers send and pages cannot forge. Immutable.
 */
public final class OriginRule {

    private static final int HTTP = 80;
    private static final int HTTPS = 443;
    private static final int MOST_SHOWN = 200;

    private final List<String> allowed;

    /** @param allowed {@code https://app.example.com}, {@code https://*.example.com} or {@code *}, in lower case */
    public OriginRule(List<String> allowed) {
        this.allowed = List.copyOf(allowed);
    }

    /** Whether somebody has said which origins are allowed. */
    public boolean hasList() {
        return !allowed.isEmpty();
    }

    /** Whether the list names this origin. */
    public boolean isListed(String origin) {
        String asked = withoutDefaultPort(origin.toLowerCase(Locale.ROOT));
        for (String pattern : allowed) {
            if (pattern.equals("*") || matches(withoutDefaultPort(pattern), asked)) {
                return true;
            }
        }
        return false;
    }

    /** A star stands for one or more labels in front of the rest of a name, and for nothing else. */
    private static boolean matches(String pattern, String origin) {
        int star = pattern.indexOf("*.");
        if (star < 0) {
            return pattern.equals(origin);
        }
        String scheme = pattern.substring(0, star);
        String rest = pattern.substring(star + 1);
        if (!origin.startsWith(scheme)
                || !origin.endsWith(rest)
                || origin.length() <= scheme.length() + rest.length()) {
            return false;
        }
        return origin.substring(scheme.length(), origin.length() - rest.length())
                .matches("[a-z0-9-]+(\\.[a-z0-9-]+)*");
    }

    private static String withoutDefaultPort(String origin) {
        if (origin.startsWith("https://") && origin.endsWith(":" + HTTPS)) {
            return origin.substring(0, origin.length() - (":" + HTTPS).length());
        }
        if (origin.startsWith("http://") && origin.endsWith(":" + HTTP)) {
            return origin.substring(0, origin.length() - (":" + HTTP).length());
        }
        return origin;
    }

    /** Whether a page comes from the very host and port that it connects to, as the {@code Host} header names them. */
    public static boolean isSameHost(String origin, @Nullable String host) {
        URI page;
        try {
            page = new URI(origin);
        } catch (URISyntaxException e) {
            return false; // among them "null", the origin of a sandboxed page
        }
        String scheme = page.getScheme();
        String pageHost = page.getHost();
        if (scheme == null || pageHost == null || host == null) {
            return false;
        }
        int defaultPort = scheme.equalsIgnoreCase("https") ? HTTPS : HTTP;
        int pagePort = page.getPort() < 0 ? defaultPort : page.getPort();
        return pageHost.equalsIgnoreCase(nameOf(host)) && pagePort == portOf(host, defaultPort);
    }

    /** The name in a Host header, with the brackets of an IPv6 address. */
    public static String nameOf(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }

    /** Whether a name, or an address as in a URL, always means this machine. Nothing is looked up. */
    public static boolean isLoopbackName(@Nullable String name) {
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

    /** What to tell a page that may not connect: both values, so that its developer sees which of them is wrong. */
    public static String refusal(String origin, @Nullable String host) {
        return "A page from " + shown(origin) + " may not connect to "
                + shown(host == null ? "a host without a name" : host)
                + "; whoever runs the bridge can allow it with auth.origins.";
    }

    /** It comes from the client: a part of it, and nothing that is no plain character. */
    private static String shown(String value) {
        String plain = value.replaceAll("[^\\x20-\\x7e]", "?");
        return '"' + (plain.length() <= MOST_SHOWN ? plain : plain.substring(0, MOST_SHOWN) + "…") + '"';
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
}
