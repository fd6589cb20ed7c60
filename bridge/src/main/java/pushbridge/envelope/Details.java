package pushbridge.envelope;

import com.networknt.schema.Error;
import tools.jackson.databind.JsonNode;

/** The words in which refusals are told: the JSON pointer of the place, then one sentence about it. */
final class Details {

    /** A detail travels in a header and stands in a log line, so it must not grow with what it complains about. */
    static final int MAX_LENGTH = 600;

    private static final int MAX_POINTER_LENGTH = 200;

    private Details() {}

    /** The JSON pointer (RFC 6901) of what an error is about: of a missing or unknown member its own, not its object's. */
    static String pointer(Error error) {
        String location = error.getInstanceLocation().toString();
        String property = error.getProperty();
        if (property != null && namesMember(error)) {
            return location + '/' + property.replace("~", "~0").replace("/", "~1");
        }
        return location;
    }

    private static boolean namesMember(Error error) {
        String keyword = error.getKeyword();
        return "required".equals(keyword)
                || "additionalProperties".equals(keyword)
                || "unevaluatedProperties".equals(keyword);
    }

    /** What is wrong, without the place. */
    static String problem(Error error) {
        String keyword = error.getKeyword();
        if (keyword == null) {
            return error.getMessage();
        }
        return switch (keyword) {
            case "required" -> "is missing";
            case "additionalProperties", "unevaluatedProperties" -> "is not known here";
            case "type" -> {
                JsonNode wanted = error.getSchemaNode();
                JsonNode found = error.getInstanceNode();
                yield wanted != null && wanted.isString() && found != null
                        ? "must be " + withArticle(wanted.stringValue()) + ", not " + kind(found)
                        : error.getMessage();
            }
            case "minimum" -> "must not be below " + error.getSchemaNode();
            case "maximum" -> "must not be above " + error.getSchemaNode();
            default -> error.getMessage();
        };
    }

    /** Pointer and sentence in one. */
    static String at(String pointer, String problem) {
        String shown = pointer.length() > MAX_POINTER_LENGTH ? cut(pointer, MAX_POINTER_LENGTH) : pointer;
        return oneSentence(shown.isEmpty() ? problem : shown + ": " + problem);
    }

    /** What a value is, in the words of its publisher. */
    static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> node.isEmpty() ? "an empty list" : "a list";
            case OBJECT -> "an object";
            case STRING -> "a string";
            case BOOLEAN -> node.booleanValue() ? "true" : "false";
            case NULL -> "null";
            case NUMBER -> number(node);
            default -> "something else";
        };
    }

    private static String number(JsonNode node) {
        String text = node.asString();
        return text.length() <= 32 ? "the number " + text : "a number";
    }

    private static String withArticle(String jsonType) {
        return switch (jsonType) {
            case "object", "integer" -> "an " + jsonType;
            case "array" -> "a list";
            case "null" -> "null";
            default -> "a " + jsonType;
        };
    }

    /** Without control characters or halves of surrogate pairs, and not too long. */
    static String oneSentence(String text) {
        String shown = cut(text, MAX_LENGTH);
        int i = 0;
        while (i < shown.length()) {
            int codePoint = shown.codePointAt(i);
            if (isUnprintable(codePoint)) {
                return printable(shown);
            }
            i += Character.charCount(codePoint);
        }
        return shown;
    }

    private static String printable(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints().map(c -> isUnprintable(c) ? '?' : c).forEach(clean::appendCodePoint);
        return clean.toString();
    }

    private static boolean isUnprintable(int codePoint) {
        return Character.isISOControl(codePoint) || Character.getType(codePoint) == Character.SURROGATE;
    }

    static String cut(String text, int length) {
        return text.length() > length ? text.substring(0, length) + "…" : text;
    }
}
