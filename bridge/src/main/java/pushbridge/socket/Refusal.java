package pushbridge.socket;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Why a connection never became a WebSocket: the closed list that is counted. */
enum Refusal {
    /** 400. */
    MALFORMED,
    /** 426: no WebSocket handshake, or another version of it. */
    NO_WEBSOCKET,
    /** 401: no token, or none that is good. */
    UNAUTHORIZED,
    /** 403: a page that may not connect. */
    FOREIGN_ORIGIN,
    /** 403, for another reason. */
    FORBIDDEN,
    /** 503: another bridge is the owner. */
    STANDBY,
    /** 503: all places are taken. */
    FULL,
    /** 429: all places of one address are taken. */
    FULL_FOR_ADDRESS,
    /** 429: all places of one user are taken. */
    FULL_FOR_USER,
    /** 503: more handshakes a second than there may be. */
    TOO_OFTEN,
    /** 429: more handshakes a second than one address may make. */
    TOO_OFTEN_FOR_ADDRESS,
    /** 503, for another reason. */
    UNAVAILABLE,
    /** Ended without an answer: far beyond a limit, or before its TLS handshake. */
    CUT_OFF,
    /** Not finished in time. */
    TIMEOUT,
    /** Of a trusted proxy that should have said for whom, and did not. */
    NO_PROXY_HEADER;

    /** As in metrics. */
    String slug() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<String> slugs() {
        return Arrays.stream(values()).map(Refusal::slug).toList();
    }

    /** What most answers with this HTTP status are. */
    static Refusal of(int status) {
        return switch (status) {
            case 401 -> UNAUTHORIZED;
            case 403 -> FORBIDDEN;
            case 426 -> NO_WEBSOCKET;
            case 400 -> MALFORMED;
            default -> UNAVAILABLE;
        };
    }
}
