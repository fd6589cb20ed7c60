package pushbridge.envelope;

import java.util.Locale;

/**
 * Why a client's frame could not be served: the closed list of {@code code} in {@code bridge.error}. The connection
 * stays open; what closes it is a close code.
 */
public enum ClientError {
    /** The frame is not exactly one JSON object. */
    MALFORMED("The frame is not exactly one JSON object."),
    /** The frame breaks {@code client-frame.schema.json}. */
    SCHEMA_INVALID("The frame breaks client-frame.schema.json."),
    /** No client frame has this type. */
    UNKNOWN_TYPE("No client frame has this type."),
    /** The connection is subscribed to as many channels as it may be. */
    TOO_MANY_CHANNELS("Subscribed to as many channels as a connection may be."),
    /** The protocol knows the request, this bridge does not serve it. */
    NOT_AVAILABLE("This bridge does not serve such requests."),
    /** The client may not do this. */
    FORBIDDEN("The credentials do not allow this."),
    /** The token is no good; the connection goes on with the one it has. */
    UNAUTHORIZED("The token is not valid."),
    /** Not at the moment. */
    TRY_LATER("Not now; the same again in some seconds may be served.");

    private final String slug = name().toLowerCase(Locale.ROOT).replace('_', '-');
    private final String meaning;

    ClientError(String meaning) {
        this.meaning = meaning;
    }

    /** The name in frames, metrics and documentation, for example {@code unknown-type}. */
    public String slug() {
        return slug;
    }

    /** One sentence for people. */
    public String meaning() {
        return meaning;
    }
}
