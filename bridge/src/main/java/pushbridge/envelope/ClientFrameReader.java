package pushbridge.envelope;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.Address.InvalidAddressException;
import pushbridge.envelope.ClientFrame.Invalid;
import pushbridge.envelope.StrictJson.MalformedJsonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads what clients send, with {@code client-frame.schema.json}. Thread-safe, and it keeps nothing between two calls.
 * How long a frame may be is the socket's concern.
 */
public final class ClientFrameReader {

    /** No client frame nests deeper than 2; a little more lets the schema name the unknown member instead. */
    private static final int MAX_DEPTH = 8;

    private static final long MAX_SEQ = (1L << 53) - 1;

    private static final String PING = "{\"type\":\"ping\"}";
    private static final String ACK = "{\"type\":\"ack\",\"count\":";
    /** Every number of so many digits is within the schema's range. */
    private static final int ACK_DIGITS = 15;

    private final StrictJson json = StrictJson.forFrames(MAX_DEPTH);
    private final Schema schema = Schemas.bundled("client-frame.schema.json");

    /**
     * Reads one text frame. Any thread; never throws for bad input.
     *
     * @param text the whole message
     */
    public ClientFrame read(String text) {
        if (text.equals(PING)) {
            return new ClientFrame.Ping(0);
        }
        long count = canonicalAck(text);
        if (count >= 0) {
            return new ClientFrame.Ack(count);
        }
        return readAny(text);
    }

    /** The way of every frame that is not spelled as our client library spells its two hot ones. */
    ClientFrame readAny(String text) {
        ObjectNode root;
        try {
            root = json.read(text);
        } catch (MalformedJsonException e) {
            return new Invalid(ClientError.MALFORMED, "the frame is not a JSON object: " + e.getMessage(), 0);
        }
        List<Error> errors = schema.validate(root);
        if (!errors.isEmpty()) {
            return invalid(root, errors);
        }
        if (root.path("seq").isFloatingPointNumber() && !json.isExactInteger(text, "seq")) {
            return new Invalid(ClientError.SCHEMA_INVALID, "/seq: must be an integer", 0);
        }
        if (root.path("count").isFloatingPointNumber() && !json.isExactInteger(text, "count")) {
            return new Invalid(ClientError.SCHEMA_INVALID, "/count: must be an integer", seq(root));
        }
        return valid(root);
    }

    private static ClientFrame valid(ObjectNode root) {
        long seq = seq(root);
        JsonNode payload = root.path("payload");
        String type = root.path("type").stringValue();
        return switch (type) {
            case "ping" -> new ClientFrame.Ping(seq);
            case "ack" -> new ClientFrame.Ack(root.path("count").longValue());
            case "auth" -> new ClientFrame.Auth(payload.path("token").stringValue(), seq);
            case "subscribe" -> {
                String channel = payload.path("channel").stringValue();
                Invalid problem = channelProblem(channel, seq);
                yield problem != null ? problem : new ClientFrame.Subscribe(channel, seq);
            }
            case "unsubscribe" -> {
                String channel = payload.path("channel").stringValue();
                Invalid problem = channelProblem(channel, seq);
                yield problem != null ? problem : new ClientFrame.Unsubscribe(channel, seq);
            }
            default ->
                throw new IllegalStateException("client-frame.schema.json allows a type that nobody reads: " + type);
        };
    }

    /** The schema counts characters, an address has its limit in bytes; null when the channel can be addressed. */
    private static @Nullable Invalid channelProblem(String channel, long seq) {
        try {
            Address.parse("channel." + channel);
            return null;
        } catch (InvalidAddressException e) {
            return new Invalid(
                    ClientError.SCHEMA_INVALID, Details.at("/payload/channel", String.valueOf(e.getMessage())), seq);
        }
    }

    private static Invalid invalid(ObjectNode root, List<Error> errors) {
        Error first = errors.get(0);
        String pointer = Details.pointer(first);
        long seq = seq(root);
        if (pointer.equals("/type") && "enum".equals(first.getKeyword())) {
            String type = root.path("type").asString();
            return type.equals("publish")
                    ? new Invalid(ClientError.NOT_AVAILABLE, "/type: this bridge takes no messages from clients", seq)
                    : new Invalid(
                            ClientError.UNKNOWN_TYPE,
                            Details.at(pointer, "there is no client frame \"" + Details.cut(type, 80) + '"'),
                            seq);
        }
        return new Invalid(
                ClientError.SCHEMA_INVALID,
                Details.at(pointer, Details.problem(first) + PayloadSchemas.more(errors)),
                seq);
    }

    /** The client's number if it sent one that can be repeated to it, else 0. */
    private static long seq(ObjectNode root) {
        JsonNode seq = root.path("seq");
        if (!seq.isNumber() || !seq.canConvertToExactIntegral() || !seq.canConvertToLong()) {
            return 0;
        }
        long number = seq.longValue();
        return number >= 0 && number <= MAX_SEQ ? number : 0;
    }

    /** The count of {@code {"type":"ack","count":n}} without any space; -1 for everything else. */
    private static long canonicalAck(String text) {
        int end = text.length() - 1;
        int digits = end - ACK.length();
        if (digits < 1 || digits > ACK_DIGITS || text.charAt(end) != '}' || !text.startsWith(ACK)) {
            return -1;
        }
        if (text.charAt(ACK.length()) == '0' && digits > 1) {
            return -1;
        }
        long count = 0;
        for (int i = ACK.length(); i < end; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            count = count * 10 + digit;
        }
        return count;
    }
}
