package pushbridge.admin;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import pushbridge.auth.OriginRule;
import pushbridge.config.AdminConfig;

/**
 * Decides about every request to the listener for operators before anything else sees it. Three kinds of stranger are
 * kept out: who lacks the token (or, one layer down, the client certificate); a page of another site that uses the
 * operator's browser; and a page whose name was made to point at this machine (DNS rebinding). Immutable.
 */
final class AdminGuard {

    /** A page of another site cannot send it without asking, and here nothing answers such a question with yes. */
    static final String HEADER = "X-Pushbridge-Request";

    private static final String BEARER = "bearer ";

    /**
     * What is known of a request before its body is read.
     *
     * @param open whether it asks for health or for the files of the console, which needs no token
     * @param header the value of a header, null when it is not there
     * @param certificate whom the client's certificate names; null when it showed none
     */
    record Head(
            String method,
            boolean open,
            UnaryOperator<@Nullable String> header,
            @Nullable String certificate) {
        @Nullable
        String value(String name) {
            return header.apply(name);
        }

        boolean reads() {
            return method.equals("GET") || method.equals("HEAD");
        }
    }

    /** What is decided. */
    sealed interface Decision {}

    /**
     * It may go on.
     *
     * @param who the operator, as far as that is known
     * @param trusted false for who lacks the token: a probe is told no details
     */
    record Granted(String who, boolean trusted) implements Decision {}

    record Refused(int status, String code, String detail) implements Decision {}

    private final byte @Nullable [] tokenDigest;
    private final boolean onLoopback;

    /** @param onLoopback whether only this machine reaches the listener */
    AdminGuard(AdminConfig config, boolean onLoopback) {
        this.tokenDigest = config.token() == null ? null : digest(config.token());
        this.onLoopback = onLoopback;
    }

    Decision decide(Head head) {
        boolean tokenShown = showsToken(head.value("Authorization"));
        String host = head.value("Host");
        // Who knows the token is no page that was tricked; and only browsers can be, which always name a host.
        if (onLoopback && !tokenShown && host != null && !OriginRule.isLoopbackName(OriginRule.nameOf(host))) {
            return new Refused(
                    403,
                    "foreign-host",
                    "This listener is reached as localhost or 127.0.0.1, and by another name only with the token.");
        }
        String origin = head.value("Origin");
        if (origin != null && !OriginRule.isSameHost(origin, host)) {
            return new Refused(403, "foreign-origin", "Pages of other origins may not use this listener.");
        }
        if (isCrossSite(head)) {
            return new Refused(403, "foreign-origin", "Pages of other sites may not use this listener.");
        }
        if (tokenDigest != null && !tokenShown && !head.open()) {
            return new Refused(
                    401, "unauthorized", "Send pushbridge.admin.token as the header \"Authorization: Bearer …\".");
        }
        if (!head.reads()) {
            if (!isJson(head.value("Content-Type"))) {
                return new Refused(415, "not-json", "Send Content-Type: application/json, also without a body.");
            }
            if (!tokenShown && head.value(HEADER) == null) {
                return new Refused(403, "not-meant", "Send the header " + HEADER + ": 1 as well.");
            }
        }
        return new Granted(who(tokenShown, head.certificate()), tokenDigest == null || tokenShown);
    }

    /** Browsers say so of what a page of another site (or another port of this host) makes them send; old ones do not. */
    private static boolean isCrossSite(Head head) {
        String site = head.value("Sec-Fetch-Site");
        if (site == null || site.equals("same-origin") || site.equals("none")) {
            return false;
        }
        // A link may lead here, and shows its reader what the reader may see.
        return !(head.reads() && "navigate".equals(head.value("Sec-Fetch-Mode")));
    }

    private static boolean isJson(@Nullable String contentType) {
        if (contentType == null) {
            return false;
        }
        int semicolon = contentType.indexOf(';');
        String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
        return type.trim().toLowerCase(Locale.ROOT).equals("application/json");
    }

    private boolean showsToken(@Nullable String authorization) {
        if (tokenDigest == null
                || authorization == null
                || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return false;
        }
        String shown = authorization.substring(BEARER.length()).trim();
        // Of digests, so that the time tells neither the length nor how much of it is right.
        return MessageDigest.isEqual(digest(shown), tokenDigest);
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static String who(boolean tokenShown, @Nullable String certificate) {
        if (certificate != null) {
            return tokenShown ? "certificate " + certificate + ", token" : "certificate " + certificate;
        }
        return tokenShown ? "token" : "nobody in particular";
    }
}
