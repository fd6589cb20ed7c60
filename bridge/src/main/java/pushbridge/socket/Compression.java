package pushbridge.socket;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Agrees on permessage-deflate (RFC 7692) without any memory from one message to the next on either side: then a message
 * is compressed once for all, and an idle connection costs nothing.
 */
final class Compression {

    /** What is answered to an offer that is taken. */
    static final String AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private static final String NAME = "permessage-deflate";
    /** What Java's deflater always uses. */
    private static final int WINDOW_BITS = 15;

    private static final int LEAST_WINDOW_BITS = 8;

    private Compression() {}

    /**
     * Whether one of the offers can be taken.
     *
     * @param offers the values of {@code Sec-WebSocket-Extensions}, one offer each; null for none
     */
    static boolean isOffered(@Nullable List<String> offers) {
        return offers != null && offers.stream().anyMatch(Compression::isAcceptable);
    }

    /** RFC 7692 section 7: an offer with a parameter that is unknown, there twice or not to be had is declined. */
    private static boolean isAcceptable(String offer) {
        String[] parts = offer.split(";", -1);
        if (!parts[0].strip().equalsIgnoreCase(NAME)) {
            return false;
        }
        Set<String> seen = new HashSet<>();
        for (int i = 1; i < parts.length; i++) {
            String[] parameter = parts[i].split("=", 2);
            String name = parameter[0].strip().toLowerCase(Locale.ROOT);
            String value = parameter.length == 1 ? null : unquoted(parameter[1].strip());
            boolean known = switch (name) {
                case "server_no_context_takeover", "client_no_context_takeover" -> value == null;
                case "client_max_window_bits" -> value == null || windowBits(value) > 0;
                case "server_max_window_bits" -> value != null && windowBits(value) == WINDOW_BITS;
                default -> false;
            };
            if (!known || !seen.add(name)) {
                return false;
            }
        }
        return true;
    }

    private static String unquoted(String value) {
        return value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value;
    }

    /** 0 for anything that is no such number. */
    private static int windowBits(String value) {
        if (!value.matches("[1-9][0-9]?")) {
            return 0;
        }
        int bits = Integer.parseInt(value);
        return bits >= LEAST_WINDOW_BITS && bits <= WINDOW_BITS ? bits : 0;
    }
}
