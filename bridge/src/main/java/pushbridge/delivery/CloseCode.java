package pushbridge.delivery;

import java.util.Locale;

/**
 * Why the bridge closes a connection. The range carries the verdict: 4000–4099 do not come back, 4100–4199 come back
 * with backoff, 4200–4299 come back at once; the rest is RFC 6455. The reason text of the close frame is the
 * {@linkplain #slug() slug}.
 */
public enum CloseCode {
    UNAUTHORIZED(4001, "No valid credentials."),
    FORBIDDEN(4002, "The credentials do not allow this."),
    KICKED(4003, "An operator or the application ended the connection."),
    SLOW(4100, "The client reads more slowly than its messages arrive."),
    ACK_TIMEOUT(4101, "The client confirmed nothing in time."),
    TOO_MANY(4102, "Too many connections, or too many requests on one."),
    BEHIND(4103, "Fell a whole outbox behind another connection of the same user."),
    STALLED(4104, "The client read nothing at all for too long."),
    TOKEN_EXPIRED(4200, "The credentials have expired; connect with fresh ones."),
    PROTOCOL_ERROR(1002, "The client broke the WebSocket protocol."),
    NOT_ACCEPTABLE(1003, "A binary frame: this endpoint takes text only."),
    BAD_DATA(1007, "A text frame that is not UTF-8."),
    TOO_BIG(1009, "A frame or message larger than the limit."),
    INTERNAL_ERROR(1011, "The bridge failed; its log says why."),
    SERVICE_RESTART(1012, "The bridge is stopping or has handed over; connect again.");

    private final int number;
    private final String meaning;
    private final String slug = name().toLowerCase(Locale.ROOT).replace('_', '-');

    CloseCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    /** The status code of the close frame. */
    public int number() {
        return number;
    }

    /** The reason text of the close frame and the label in metrics, for example {@code ack-timeout}. */
    public String slug() {
        return slug;
    }

    /** One sentence for people. */
    public String meaning() {
        return meaning;
    }
}
