package pushbridge.envelope;

import java.nio.charset.StandardCharsets;

/**
 * Whom a message is for: {@code user.<id>}, {@code channel.<name>}, {@code all} or {@code connection.<id>}. The id is
 * everything after the first dot.
 *
 * @param kind which of the four
 * @param id the user, channel or connection; empty for {@link Kind#ALL}
 * @param text the whole address as published, at most {@value #MAX_BYTES} bytes of UTF-8
 */
public record Address(Kind kind, String id, String text) {

    /** An address is an AMQP routing key, which is a short string: at most 255 bytes. */
    public static final int MAX_BYTES = 255;

    /** The kinds of address. */
    public enum Kind {
        /** All connections of a user. */
        USER("user."),
        /** All connections subscribed to a channel. */
        CHANNEL("channel."),
        /** Every connection. */
        ALL("all"),
        /** One connection. */
        CONNECTION("connection.");

        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }
    }

    private static final Kind[] WITH_ID = {Kind.USER, Kind.CHANNEL, Kind.CONNECTION};

    /** Thrown for a text that is no address; the message is a sentence for the publisher. */
    public static final class InvalidAddressException extends Exception {
        InvalidAddressException(String message) {
            // Without a stack trace: it is an answer about bad input, made on the hot path.
            super(message, null, false, false);
        }
    }

    /** Reads an address. */
    public static Address parse(String text) throws InvalidAddressException {
        if (text.equals(Kind.ALL.prefix)) {
            return new Address(Kind.ALL, "", text);
        }
        for (Kind kind : WITH_ID) {
            if (text.startsWith(kind.prefix)) {
                String id = text.substring(kind.prefix.length());
                check(text, id);
                return new Address(kind, id, text);
            }
        }
        throw new InvalidAddressException(
                quoted(text) + " is no address: expected user.<id>, channel.<name>, connection.<id> or all");
    }

    private static void check(String text, String id) throws InvalidAddressException {
        if (id.isEmpty()) {
            throw new InvalidAddressException(quoted(text) + " names nobody: an id must follow the dot");
        }
        // Three bytes a char is the most UTF-8 takes, so most texts need no encoding to be sure.
        if (text.length() * 3 > MAX_BYTES && text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            throw new InvalidAddressException("the address is longer than " + MAX_BYTES + " bytes of UTF-8");
        }
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            if (Character.isISOControl(c)) {
                throw new InvalidAddressException(
                        "the address has a control character (U+%04X) in its id".formatted((int) c));
            }
            if (Character.isSurrogate(c)) {
                // A JSON escape can spell half a pair, but no UTF-8, and so no routing key, can hold it.
                if (!Character.isHighSurrogate(c)
                        || i + 1 == id.length()
                        || !Character.isLowSurrogate(id.charAt(i + 1))) {
                    throw new InvalidAddressException(
                            "the address has half of a surrogate pair (U+%04X) in its id".formatted((int) c));
                }
                i++;
            }
        }
    }

    /** The text in quotes, cut and without control characters, so that it can stand in a header or a log line. */
    private static String quoted(String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
    }

    @Override
    public String toString() {
        return text;
    }
}
