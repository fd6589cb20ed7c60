package pushbridge.envelope;

import java.math.BigDecimal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.BigIntegerNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.NumericNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads exactly one JSON object (RFC 8259, nothing beyond it): no duplicate names, no text after the end, bounded
 * nesting. Thread-safe.
 */
final class StrictJson {

    /** Longer numbers are refused: converting them takes more than linear time, and nobody can read them anyway. */
    static final int MAX_NUMBER_LENGTH = 1_000;

    /** The parser keeps the names it has seen in a table of some thousand entries; this bounds their size (I5). */
    static final int MAX_NAME_LENGTH = 4_096;

    /** The text is not one JSON object; the message is a sentence for whoever sent it. */
    static final class MalformedJsonException extends Exception {
        private static final long serialVersionUID = 1;

        MalformedJsonException(String message) {
            // Without a stack trace: it is an answer about bad input, made on the hot path.
            super(message, null, false, false);
        }
    }

    /**
     * Gives integers beyond 64 bits that are written with an exponent (1e19) the node they would have when written out.
     * The schema validator fails with an exception on a double that is an integer but no long.
     */
    private static final class WholeNumbers extends JsonNodeFactory {
        private static final long serialVersionUID = 1;

        @Override
        public NumericNode numberNode(double value) {
            if (Math.abs(value) >= 0x1p63 && !Double.isInfinite(value)) {
                return BigIntegerNode.valueOf(new BigDecimal(value).toBigInteger());
            }
            return super.numberNode(value);
        }
    }

    private final ObjectReader reader;
    private final int maxDepth;

    private StrictJson(int maxDepth, int maxStringLength, boolean rememberNames) {
        this.maxDepth = maxDepth;
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(maxDepth)
                        .maxNameLength(MAX_NAME_LENGTH)
                        .maxNumberLength(MAX_NUMBER_LENGTH)
                        .maxStringLength(maxStringLength)
                        .build())
                .configure(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES, rememberNames)
                .build();
        this.reader = JsonMapper.builder(factory)
                .nodeFactory(new WholeNumbers())
                .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
                // Looked for here instead, for the sake of a better sentence.
                .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build()
                .readerFor(JsonNode.class);
    }

    /** For the bodies that applications publish: the same few member names again and again. */
    static StrictJson forBodies(int maxDepth, int maxBytes) {
        return new StrictJson(maxDepth, maxBytes, true);
    }

    /** For what strangers send: their member names must not stay in any table (I5). */
    static StrictJson forFrames(int maxDepth) {
        return new StrictJson(maxDepth, StreamReadConstraints.DEFAULT_MAX_STRING_LEN, false);
    }

    /** Reads bytes that are known to be UTF-8. */
    ObjectNode read(byte[] utf8) throws MalformedJsonException {
        try (JsonParser parser = reader.createParser(utf8)) {
            return read(parser);
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** Reads a text. */
    ObjectNode read(String text) throws MalformedJsonException {
        try (JsonParser parser = reader.createParser(text)) {
            return read(parser);
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /**
     * Whether a top-level member is an integer to the last digit. The tree holds numbers with a fraction or an exponent
     * as doubles, which cannot tell 9007199254740990.5 or 1e-400 from an integer; the JSON Schema standard can.
     */
    boolean isExactInteger(byte[] utf8, String member) {
        try (JsonParser parser = reader.createParser(utf8)) {
            return isExactInteger(parser, member);
        }
    }

    /** The same for a text. */
    boolean isExactInteger(String text, String member) {
        try (JsonParser parser = reader.createParser(text)) {
            return isExactInteger(parser, member);
        }
    }

    private static boolean isExactInteger(JsonParser parser, String member) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean wanted = Objects.equals(parser.currentName(), member);
            parser.nextToken();
            if (wanted) {
                return isExactInteger(parser.getString());
            }
            parser.skipChildren();
        }
        return false;
    }

    private static boolean isExactInteger(String number) {
        try {
            BigDecimal exact = new BigDecimal(number);
            // Never expanded: 1e999999999 has a scale, not a billion digits.
            return exact.signum() == 0 || exact.stripTrailingZeros().scale() <= 0;
        } catch (NumberFormatException | ArithmeticException e) {
            return false; // an exponent beyond 32 bits
        }
    }

    private ObjectNode read(JsonParser parser) throws MalformedJsonException {
        // Null for a text without any token, whatever the annotations say.
        @Nullable JsonNode root = reader.readTree(parser);
        if (root == null || root.isMissingNode()) {
            throw new MalformedJsonException("there is no JSON text in it");
        }
        TokenStreamLocation end = parser.currentLocation();
        JsonToken next;
        try {
            next = parser.nextToken();
        } catch (JacksonException e) {
            throw trailing(end);
        }
        if (next != null) {
            throw trailing(end);
        }
        if (root instanceof ObjectNode object) {
            return object;
        }
        throw new MalformedJsonException("it is " + Details.kind(root) + ", not an object");
    }

    private static MalformedJsonException trailing(TokenStreamLocation end) {
        return new MalformedJsonException(place(end) + "something follows the end of the JSON text");
    }

    private MalformedJsonException malformed(JacksonException e) {
        return new MalformedJsonException(place(e.getLocation()) + Details.oneSentence(reason(e)));
    }

    private String reason(JacksonException e) {
        String message = Objects.requireNonNullElse(e.getOriginalMessage(), "not JSON");
        if (e instanceof MismatchedInputException && message.startsWith("Duplicate property ")) {
            int end = message.lastIndexOf(" for `ObjectNode`");
            return "the name " + message.substring("Duplicate property ".length(), Math.max(end, 19))
                    + " stands twice in one object";
        }
        if (message.startsWith("Document nesting depth")) {
            return "objects and lists are nested deeper than " + maxDepth + " levels";
        }
        if (message.startsWith("Name length")) {
            return "a member name has more than " + MAX_NAME_LENGTH + " characters";
        }
        if (message.startsWith("Number value length")) {
            return "a number has more than " + MAX_NUMBER_LENGTH + " characters";
        }
        // What follows these marks is advice for Java programmers.
        for (String mark : new String[] {"\n", " (start marker", " (for ", ": enable `", " (not recognized"}) {
            int at = message.indexOf(mark);
            if (at > 0) {
                message = message.substring(0, at);
            }
        }
        return message;
    }

    /** Lines and columns (in bytes, for bytes) from 1. */
    private static String place(@Nullable TokenStreamLocation location) {
        if (location == null || location.getLineNr() < 1) {
            return "";
        }
        return "line " + location.getLineNr() + ", column " + Math.max(location.getColumnNr(), 1) + ": ";
    }
}
