package pushbridge.admin;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an operator asks for.
 *
 * @param method in capitals
 * @param path as it was sent, without the query
 * @param parts what stands in the path for each {@code {name}} of the registration, decoded
 * @param query the parameters, decoded
 * @param body at most {@code admin.max-body-bytes}; empty when there is none
 * @param who the operator, as far as that is known; for answers and logs
 */
public record AdminRequest(
        String method,
        String path,
        Map<String, String> parts,
        Map<String, List<String>> query,
        byte[] body,
        String who) {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** What stands in the path for {@code {name}}. */
    public String part(String name) {
        String part = parts.get(name);
        if (part == null) {
            throw new IllegalArgumentException("the registration has no {" + name + "}");
        }
        return part;
    }

    /**
     * The parameter of the query; null when there is none.
     *
     * @throws AdminException 400 when it is there more than once
     */
    public @Nullable String parameter(String name) throws AdminException {
        List<String> values = query.getOrDefault(name, List.of());
        if (values.size() > 1) {
            throw new AdminException(400, "bad-parameter", "The parameter " + name + " is there more than once.");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /**
     * The parameter as a number.
     *
     * @param otherwise when there is none
     * @throws AdminException 400 when it is no whole number from {@code least} to {@code most}
     */
    public int number(String name, int least, int most, int otherwise) throws AdminException {
        String text = parameter(name);
        if (text == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the same sentence as for one out of range
        }
        throw new AdminException(
                400,
                "bad-parameter",
                "The parameter " + name + " must be a number from " + least + " to " + most + ".");
    }

    /**
     * The body as JSON; an empty body is an empty object.
     *
     * @throws AdminException 400 when it is no JSON object
     */
    public JsonNode json() throws AdminException {
        if (body.length == 0) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode read = JSON.readTree(body);
            if (read.isObject()) {
                return read;
            }
        } catch (JacksonException e) {
            // Not what the parser says: it quotes the body, and this gets into the log.
            throw new AdminException(
                    400,
                    "malformed",
                    "The body is no JSON that can be read (line %d, column %d)."
                            .formatted(
                                    e.getLocation().getLineNr(), e.getLocation().getColumnNr()));
        }
        throw new AdminException(400, "malformed", "The body must be a JSON object.");
    }
}
