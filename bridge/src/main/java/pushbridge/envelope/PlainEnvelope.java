package pushbridge.envelope;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Recognises an ordinary envelope in one pass over its bytes, without making a tree of it. It takes only what it can prove
 * to be valid by itself and leaves everything else undecided: unusual members, escapes in names, exponents, deep nesting.
 * So it never refuses anything, and what it takes is what parser and schema validator take ({@code PlainEnvelopeTest}
 * compares them). It knows {@code envelope.schema.json} as it was when its digest was noted in {@link EnvelopeReader}.
 *
 * <p>One object reads one body; not thread-safe.
 */
final class PlainEnvelope {

    private static final Set<String> RESERVED =
            Set.of("ping", "pong", "ack", "subscribe", "unsubscribe", "publish", "auth");
    private static final String RESERVED_PREFIX = "bridge.";

    private static final int MAX_TYPE = 128;
    /** 9007199254740991 has so many digits. */
    private static final int MAX_SEQ_DIGITS = 16;

    private static final long MAX_SEQ = (1L << 53) - 1;

    /** Member names that are looked at for duplicates, in all objects that are open at a time. */
    private static final int MAX_NAMES = 48;

    private static final int MAX_NAME = 255;
    private static final int MAX_DEPTH = 16;
    /** Digits, sign and point of a number that needs no second thought. */
    private static final int MAX_NUMBER = 17;

    private final byte[] body;
    private final int maxDepth;
    private int at;
    private boolean ascii = true;
    private boolean escaped;

    // Where the names of the open objects begin and end: a stack.
    private final int[] names = new int[2 * MAX_NAMES];
    private int namesUsed;

    private int typeStart;
    private int typeEnd;
    private int toStart;
    /** 0 when there is no {@code to}. */
    private int toEnd;

    private long seq = -1;
    private boolean payload;

    PlainEnvelope(byte[] body, int maxDepth) {
        this.body = body;
        this.maxDepth = Math.min(maxDepth, MAX_DEPTH);
    }

    /** Whether it is certainly valid, apart from its address and the schema of its payload. */
    boolean isRecognised() {
        space();
        if (!take('{') || !members()) {
            return false;
        }
        space();
        return at == body.length && typeEnd > 0 && seq >= 0 && payload && (ascii || StrictUtf8.firstInvalid(body) < 0);
    }

    /** The type; null when it is a reserved one. */
    @Nullable
    String type() {
        String type = new String(body, typeStart, typeEnd - typeStart, StandardCharsets.US_ASCII);
        return RESERVED.contains(type) || type.startsWith(RESERVED_PREFIX) ? null : type;
    }

    long seq() {
        return seq;
    }

    boolean hasAddress() {
        return toEnd > 0;
    }

    /** The text of {@code to}; null when there is none. */
    @Nullable
    String to() {
        return toEnd == 0 ? null : new String(body, toStart, toEnd - toStart, StandardCharsets.US_ASCII);
    }

    /** Whether {@code to} is this text, without making a string of it. */
    boolean isTo(String text) {
        if (toEnd - toStart != text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (body[toStart + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The members of the envelope, behind its brace; at least three are needed, so none may be missing here. */
    private boolean members() {
        do {
            space();
            if (!take('"')) {
                return false;
            }
            int start = at;
            if (!plainText()) {
                return false;
            }
            int length = at - 1 - start;
            if (!colon()) {
                return false;
            }
            boolean known;
            if (is(start, length, "type")) {
                known = typeEnd == 0 && typeMember();
            } else if (is(start, length, "seq")) {
                known = seq < 0 && seqMember();
            } else if (is(start, length, "payload")) {
                known = !payload && peek() == '{' && value(2);
                payload = true;
            } else {
                known = is(start, length, "to") && toEnd == 0 && toMember();
            }
            if (!known) {
                return false;
            }
            space();
        } while (take(','));
        return take('}');
    }

    private boolean typeMember() {
        if (!take('"')) {
            return false;
        }
        typeStart = at;
        if (!plainText()) {
            return false;
        }
        typeEnd = at - 1;
        return typeEnd > typeStart && typeEnd - typeStart <= MAX_TYPE;
    }

    private boolean toMember() {
        if (!take('"')) {
            return false;
        }
        toStart = at;
        if (!plainText()) {
            return false;
        }
        toEnd = at - 1;
        return toEnd > toStart;
    }

    private boolean seqMember() {
        int start = at;
        long value = 0;
        while (isDigit(peek())) {
            if (at - start == MAX_SEQ_DIGITS) {
                return false;
            }
            value = value * 10 + (body[at++] - '0');
        }
        int digits = at - start;
        if (digits == 0 || (digits > 1 && body[start] == '0') || value > MAX_SEQ) {
            return false;
        }
        seq = value;
        return isEndOfValue();
    }

    /** Any value of a payload; {@code depth} is its own if it is an object or a list. */
    private boolean value(int depth) {
        switch (peek()) {
            case '{' -> {
                return depth <= maxDepth && object(depth);
            }
            case '[' -> {
                return depth <= maxDepth && list(depth);
            }
            case '"' -> {
                at++;
                return text();
            }
            case 't' -> {
                return word("true");
            }
            case 'f' -> {
                return word("false");
            }
            case 'n' -> {
                return word("null");
            }
            default -> {
                return number();
            }
        }
    }

    private boolean object(int depth) {
        at++;
        space();
        if (take('}')) {
            return true;
        }
        int outer = namesUsed;
        do {
            space();
            if (!take('"')) {
                return false;
            }
            int start = at;
            escaped = false;
            if (!text() || escaped) {
                return false;
            }
            if (!isNew(start, at - 1, outer) || !colon() || !value(depth + 1)) {
                return false;
            }
            space();
        } while (take(','));
        namesUsed = outer;
        return take('}');
    }

    private boolean list(int depth) {
        at++;
        space();
        if (take(']')) {
            return true;
        }
        do {
            space();
            if (!value(depth + 1)) {
                return false;
            }
            space();
        } while (take(','));
        return take(']');
    }

    /** Notes a name of an object; false when it had it before, or when there are too many to be looked at. */
    private boolean isNew(int start, int end, int outer) {
        if (namesUsed == MAX_NAMES || end - start > MAX_NAME) {
            return false;
        }
        for (int i = outer; i < namesUsed; i++) {
            if (Arrays.equals(body, start, end, body, names[2 * i], names[2 * i + 1])) {
                return false;
            }
        }
        names[2 * namesUsed] = start;
        names[2 * namesUsed + 1] = end;
        namesUsed++;
        return true;
    }

    /** A text behind its quote, up to and with the next; ASCII without escapes. */
    private boolean plainText() {
        while (at < body.length) {
            byte b = body[at++];
            if (b == '"') {
                return true;
            }
            if (b < ' ' || b == '\\' || b == 0x7F) {
                return false;
            }
        }
        return false;
    }

    /** A text behind its quote, up to and with the next; whatever JSON allows. */
    private boolean text() {
        while (at < body.length) {
            byte b = body[at++];
            if (b == '"') {
                return true;
            }
            if (b < ' ') {
                if (b >= 0) {
                    return false;
                }
                ascii = false;
            } else if (b == '\\') {
                escaped = true;
                if (!escape()) {
                    return false;
                }
            }
        }
        return false;
    }

    private boolean escape() {
        if (at == body.length) {
            return false;
        }
        switch (body[at++]) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> {
                return true;
            }
            case 'u' -> {
                for (int end = at + 4; at < end; at++) {
                    int c = peek();
                    if (!isDigit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) {
                        return false;
                    }
                }
                return true;
            }
            default -> {
                return false;
            }
        }
    }

    /** A number without an exponent, short enough for every representation. */
    private boolean number() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        int first = at;
        if (!digits() || (body[first] == '0' && at - first > 1)) {
            return false;
        }
        if (peek() == '.') {
            at++;
            if (!digits()) {
                return false;
            }
        }
        return at - start <= MAX_NUMBER && isEndOfValue();
    }

    private boolean digits() {
        int start = at;
        while (isDigit(peek())) {
            at++;
        }
        return at > start;
    }

    /** Whether what stands here can follow a number. */
    private boolean isEndOfValue() {
        return switch (peek()) {
            case ',', '}', ']', ' ', '\t', '\n', '\r' -> true;
            default -> false;
        };
    }

    private boolean word(String word) {
        if (!is(at, word.length(), word)) {
            return false;
        }
        at += word.length();
        return isEndOfValue();
    }

    private boolean is(int start, int length, String text) {
        if (length != text.length() || start + length > body.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (body[start + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean colon() {
        space();
        if (!take(':')) {
            return false;
        }
        space();
        return true;
    }

    private void space() {
        while (at < body.length) {
            byte b = body[at];
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return;
            }
            at++;
        }
    }

    private boolean take(char c) {
        if (peek() != c) {
            return false;
        }
        at++;
        return true;
    }

    /** -1 at the end; other bytes are compared with ASCII only, so their sign does not matter. */
    private int peek() {
        return at < body.length ? body[at] : -1;
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }
}
