package pushbridge.envelope;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.config.MessageConfig;
import pushbridge.envelope.Address.InvalidAddressException;
import pushbridge.envelope.Reading.Refusal;
import pushbridge.envelope.StrictJson.MalformedJsonException;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads the body of a push-instruction, with the very schemas that are published in {@code schemas/}. Thread-safe, and
 * it keeps nothing between two calls.
 *
 * <p>The checks go from the cheapest to the dearest, and each relies on those before it: size, UTF-8, JSON, envelope,
 * address, payload.
 */
public final class EnvelopeReader {

    private static final byte[] TO = "\"to\":\"".getBytes(StandardCharsets.US_ASCII);
    /** The comma is always right: an envelope has other members. */
    private static final byte[] AFTER_TO = "\",".getBytes(StandardCharsets.US_ASCII);

    /** SHA-256 of the schema that {@link PlainEnvelope} knows; with another one every body is read thoroughly. */
    static final String KNOWN_SCHEMA = "a15e55d9c3ebaf9947a189263bd3b66ca22c96b52207973fd5ac89a03c21be6d";

    private final int maxBytes;
    private final int maxDepth;
    private final boolean knowsSchema;
    private final StrictJson json;
    private final Schema envelopeSchema;
    private final PayloadSchemas payloadSchemas;

    /**
     * Compiles the schemas, those of {@link MessageConfig#typesDir()} included.
     *
     * @throws SchemaFileException when a payload schema cannot be used
     */
    public EnvelopeReader(MessageConfig config) throws SchemaFileException {
        this.maxBytes = config.maxBytes();
        this.maxDepth = config.maxDepth();
        this.knowsSchema = Schemas.digest("envelope.schema.json").equals(KNOWN_SCHEMA);
        this.json = StrictJson.forBodies(config.maxDepth(), config.maxBytes());
        this.envelopeSchema = Schemas.bundled("envelope.schema.json");
        this.payloadSchemas = PayloadSchemas.load(config.typesDir());
    }

    /**
     * Reads one body. Any thread; never throws for bad input.
     *
     * @param exchange the exchange it was published to; empty for the default exchange, whose routing key is the name of
     *     the queue and no address
     * @param routingKey the key it was published with
     * @param body the published bytes; kept by the result when nothing had to be added, never modified
     */
    public Reading read(String exchange, String routingKey, byte[] body) {
        @Nullable String key = exchange.isEmpty() ? null : routingKey;
        if (body.length > maxBytes) {
            return new Refusal(
                    DeadLetterReason.TOO_LARGE,
                    "the body has " + body.length + " bytes; message.max-bytes allows " + maxBytes,
                    key);
        }
        Envelope plain = knowsSchema ? readPlain(key, body) : null;
        return plain != null ? plain : readThoroughly(key, body);
    }

    /** The envelope, if it is an ordinary one; null leaves it to {@link #readThoroughly}. */
    @Nullable
    Envelope readPlain(@Nullable String key, byte[] body) {
        PlainEnvelope plain = new PlainEnvelope(body, maxDepth);
        if (!plain.isRecognised() || (key != null && plain.hasAddress() && !plain.isTo(key))) {
            return null;
        }
        String type = plain.type();
        String to = key != null ? key : plain.to();
        if (type == null || to == null || payloadSchemas.has(type)) {
            return null;
        }
        try {
            Address address = Address.parse(to);
            return new Envelope(address, type, plain.seq(), plain.hasAddress() ? body : withAddress(body, address));
        } catch (InvalidAddressException e) {
            return null; // for the sentence that goes with it
        }
    }

    /** By parser and schema validator. */
    Reading readThoroughly(@Nullable String key, byte[] body) {
        ObjectNode root;
        try {
            checkEncoding(body);
            root = json.read(body);
        } catch (MalformedJsonException e) {
            return new Refusal(DeadLetterReason.MALFORMED, "the body is not an envelope: " + e.getMessage(), key);
        }
        List<Error> errors = envelopeSchema.validate(root);
        if (!errors.isEmpty()) {
            return refusal(errors, root, key);
        }
        JsonNode seq = root.path("seq");
        if (seq.isFloatingPointNumber() && !json.isExactInteger(body, "seq")) {
            return new Refusal(
                    DeadLetterReason.SCHEMA_INVALID, Details.at("/seq", "must be an integer"), known(root, key));
        }
        return addressed(root, key, seq.longValue(), body);
    }

    private Reading addressed(ObjectNode root, @Nullable String key, long seq, byte[] body) {
        @Nullable String to = text(root, "to");
        Address address;
        try {
            if (key != null) {
                address = parse("the routing key", key);
            } else if (to != null) {
                address = parse("/to", to);
            } else {
                return new Refusal(
                        DeadLetterReason.UNADDRESSABLE,
                        "/to: is missing; a message published through the default exchange must name its address",
                        null);
            }
        } catch (InvalidAddressException e) {
            return new Refusal(DeadLetterReason.UNADDRESSABLE, reason(e), known(root, key));
        }
        if (to != null && !to.equals(address.text())) {
            // Else a publisher who may only write to some routing keys could reach anybody.
            return new Refusal(
                    DeadLetterReason.UNADDRESSABLE,
                    Details.at("/to", '"' + to + "\" is not the routing key \"" + address + '"'),
                    key);
        }
        String type = root.path("type").stringValue();
        String problem = payloadSchemas.problem(type, root.path("payload"));
        if (problem != null) {
            return new Refusal(DeadLetterReason.PAYLOAD_INVALID, problem, address.text());
        }
        return new Envelope(address, type, seq, to == null ? withAddress(body, address) : body);
    }

    /** The body with {@code to} as its first member; every other byte stays what and where it was. */
    private static byte[] withAddress(byte[] body, Address address) {
        int brace = 0;
        while (body[brace] != '{') {
            brace++; // whitespace: anything else would have been malformed
        }
        byte[] name = JsonStringEncoder.getInstance().quoteAsUTF8(address.text());
        byte[] full = new byte[body.length + TO.length + name.length + AFTER_TO.length];
        int at = brace + 1;
        System.arraycopy(body, 0, full, 0, at);
        System.arraycopy(TO, 0, full, at, TO.length);
        at += TO.length;
        System.arraycopy(name, 0, full, at, name.length);
        at += name.length;
        System.arraycopy(AFTER_TO, 0, full, at, AFTER_TO.length);
        at += AFTER_TO.length;
        System.arraycopy(body, brace + 1, full, at, body.length - brace - 1);
        return full;
    }

    /** Also refuses what the JSON parser would take besides UTF-8: a byte order mark, UTF-16, UTF-32. */
    private static void checkEncoding(byte[] body) throws MalformedJsonException {
        if (body.length >= 3 && body[0] == (byte) 0xEF && body[1] == (byte) 0xBB && body[2] == (byte) 0xBF) {
            throw new MalformedJsonException("it begins with a byte order mark; publish UTF-8 without one");
        }
        int invalid = StrictUtf8.firstInvalid(body);
        if (invalid >= 0) {
            throw new MalformedJsonException("byte %d (0x%02X) is not UTF-8".formatted(invalid + 1, body[invalid]));
        }
        for (int i = 0; i < Math.min(body.length, 4); i++) {
            if (body[i] == 0) {
                throw new MalformedJsonException("byte " + (i + 1) + " is 0: it must be UTF-8, not UTF-16 or UTF-32");
            }
        }
    }

    /** Says which of the ways to break {@code envelope.schema.json} it is, and what to do about it. */
    private static Refusal refusal(List<Error> errors, ObjectNode root, @Nullable String key) {
        @Nullable String address = known(root, key);
        @Nullable Error broken = null;
        for (Error error : errors) {
            String pointer = Details.pointer(error);
            if (pointer.equals("/type") && "not".equals(error.getKeyword())) {
                return new Refusal(
                        DeadLetterReason.RESERVED_TYPE,
                        Details.at(
                                pointer,
                                '"' + text(root, "type") + "\" is reserved for the protocol; use a name of your own"),
                        address);
            }
            if (broken == null && !isAboutAddress(error, pointer)) {
                broken = error;
            }
        }
        if (broken != null) {
            String pointer = Details.pointer(broken);
            return new Refusal(
                    DeadLetterReason.SCHEMA_INVALID,
                    Details.at(pointer, advice(pointer, broken, root) + PayloadSchemas.more(errors)),
                    address);
        }
        String to = text(root, "to");
        try {
            parse("/to", to == null ? "" : to);
        } catch (InvalidAddressException e) {
            return new Refusal(DeadLetterReason.UNADDRESSABLE, reason(e), address);
        }
        return new Refusal(DeadLetterReason.UNADDRESSABLE, Details.at("/to", Details.problem(errors.get(0))), address);
    }

    private static boolean isAboutAddress(Error error, String pointer) {
        return pointer.equals("/to") && !"type".equals(error.getKeyword());
    }

    private static String advice(String pointer, Error error, ObjectNode root) {
        String problem = Details.problem(error);
        String keyword = error.getKeyword();
        if ("additionalProperties".equals(keyword)) {
            return "is no member of an envelope, which has type, payload, seq and to; business data goes into payload";
        }
        if ("required".equals(keyword)) {
            return switch (pointer) {
                case "/payload" -> "is missing; an empty object will do (in PHP (object)[])";
                case "/seq" ->
                    "is missing; any integer that identifies the message (in PHP (int)(microtime(true)*1e6))";
                default -> problem;
            };
        }
        JsonNode value = root.at(pointer);
        return switch (pointer) {
            case "/payload" -> problem + payloadAdvice(value);
            case "/seq" -> seqAdvice(value);
            default -> problem;
        };
    }

    private static String payloadAdvice(JsonNode payload) {
        if (payload.isString()) {
            return "; encode the envelope as a whole and not its payload a second time";
        }
        if (payload.isArray() && !payload.isEmpty()) {
            return "; put the list into a member of it";
        }
        return "; for an empty one in PHP write (object)[]";
    }

    private static String seqAdvice(JsonNode seq) {
        String range = "must be an integer from 0 to 9007199254740991 (2^53-1), not " + Details.kind(seq);
        if (seq.isString()) {
            return range + "; publish it without quotes (in PHP cast it with (int))";
        }
        return range;
    }

    private static Address parse(String where, String text) throws InvalidAddressException {
        try {
            return Address.parse(text);
        } catch (InvalidAddressException e) {
            throw new InvalidAddressException(where + ": " + e.getMessage());
        }
    }

    private static String reason(InvalidAddressException e) {
        return Details.oneSentence(String.valueOf(e.getMessage()));
    }

    /** The address as far as it can be told: on the default exchange whatever short text stands in {@code to}. */
    private static @Nullable String known(ObjectNode root, @Nullable String key) {
        if (key != null) {
            return key;
        }
        String to = text(root, "to");
        return to == null || to.length() > Address.MAX_BYTES ? null : to;
    }

    private static @Nullable String text(ObjectNode root, String member) {
        JsonNode value = root.path(member);
        return value.isString() ? value.stringValue() : null;
    }
}
