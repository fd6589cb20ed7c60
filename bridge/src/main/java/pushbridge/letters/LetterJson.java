package pushbridge.letters;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Letters, filters and what is to be done with them as JSON: for exports, the HTTP API and the command line alike. */
public final class LetterJson {

    static final JsonMapper MAPPER = JsonMapper.builder().build();

    private static final String TIMESTAMP = "$timestamp";
    private static final String BYTES = "$bytes";
    private static final String DECIMAL = "$decimal";

    private LetterJson() {}

    /** One line of JSON that a terminal may see as it is: what it would not simply show is escaped. */
    public static String line(JsonNode json) {
        // Everything but letters and the like can only stand in a string, where an escape means the same.
        return Printable.line(MAPPER.writeValueAsString(json));
    }

    /** An empty object. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /**
     * Reads a JSON object.
     *
     * @param what for the sentence when it is none
     */
    public static ObjectNode parse(String text, String what) throws LetterException {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode object) {
                return object;
            }
            throw LetterException.invalid(what + " is no JSON object");
        } catch (JacksonException e) {
            throw LetterException.invalid(what + " is not JSON: " + Printable.line(e.getOriginalMessage()));
        }
    }

    // Letters

    /** For lists: without properties, headers and body. */
    static ObjectNode summary(LetterQueue queue, Entry entry) {
        ObjectNode json = object();
        json.put("id", entry.idText());
        json.put("queue", queue.slug());
        json.put("reason", entry.reason());
        json.put("detail", entry.detail());
        json.put("address", entry.address());
        json.put("type", entry.type());
        json.put("failedAt", Instant.ofEpochMilli(entry.failedAtMillis()).toString());
        json.put("bytes", entry.bodyBytes());
        return json;
    }

    /** One in full. */
    public static ObjectNode full(Letter letter) {
        ObjectNode json = object();
        json.put("id", letter.id());
        json.put("queue", letter.queue().slug());
        json.put("reason", letter.reason());
        json.put("detail", letter.detail());
        json.put("address", letter.address());
        json.put("type", letter.type());
        json.put("failedAt", letter.failedAt().toString());
        json.put("bytes", letter.body().length);
        json.put("node", letter.node());
        json.put("deliveries", letter.deliveries());
        json.put("exchange", letter.exchange());
        json.put("routingKey", letter.routingKey());
        ArrayNode history = json.putArray("history");
        letter.history().forEach(history::add);
        json.set("properties", table(letter.properties()));
        json.set("headers", table(letter.headers()));
        String text = utf8(letter.body());
        if (text != null) {
            json.put("body", text);
        } else {
            json.put("bodyBase64", Base64.getEncoder().encodeToString(letter.body()));
        }
        return json;
    }

    /**
     * Reads a line of an export.
     *
     * @throws LetterException naming the member that is missing or wrong
     */
    public static Letter letter(ObjectNode json) throws LetterException {
        byte[] body = json.has("bodyBase64")
                ? base64(required(json, "bodyBase64"))
                : required(json, "body").getBytes(StandardCharsets.UTF_8);
        List<String> history = new ArrayList<>();
        json.path("history").forEach(sentence -> history.add(sentence.asString("")));
        String id = required(json, "id");
        if (!id.matches("[0-9a-f]{12}")) {
            throw LetterException.invalid("id " + Printable.quoted(id) + " is not 12 hexadecimal digits");
        }
        return new Letter(
                id,
                LetterQueue.of(required(json, "queue")),
                required(json, "reason"),
                text(json, "detail", ""),
                optional(json, "address"),
                optional(json, "type"),
                instant("failedAt", required(json, "failedAt")),
                optional(json, "node"),
                json.path("deliveries").asLong(0),
                text(json, "exchange", ""),
                text(json, "routingKey", ""),
                history,
                table(json.path("properties")),
                table(json.path("headers")),
                body);
    }

    private static String required(JsonNode json, String member) throws LetterException {
        JsonNode value = json.path(member);
        if (!value.isString()) {
            throw LetterException.invalid("it has no text " + member + ", which a letter needs");
        }
        return value.stringValue();
    }

    static @Nullable String optional(JsonNode json, String member) {
        JsonNode value = json.path(member);
        return value.isString() ? value.stringValue() : null;
    }

    private static String text(JsonNode json, String member, String fallback) {
        String text = optional(json, member);
        return text == null ? fallback : text;
    }

    private static byte[] base64(String text) throws LetterException {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw LetterException.invalid("its bodyBase64 is not Base64");
        }
    }

    /**
     * A moment as in {@code 2026-11-28T03:00:00Z}.
     *
     * @param what for the sentence when it is none
     */
    static Instant instant(String what, String text) throws LetterException {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw LetterException.invalid(
                    what + " " + Printable.quoted(text) + " is no time such as 2026-11-28T03:00:00Z");
        }
    }

    /** The text of these bytes; null when they are not UTF-8. */
    public static @Nullable String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    // Header tables

    private static ObjectNode table(Map<String, Object> table) {
        ObjectNode json = object();
        table.forEach((name, value) -> json.set(name, value(value)));
        return json;
    }

    private static JsonNode value(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            ObjectNode json = object();
            map.forEach((name, element) -> json.set(String.valueOf(name), value(element)));
            return json;
        } else if (value instanceof List<?> list) {
            ArrayNode json = MAPPER.createArrayNode();
            list.forEach(element -> json.add(value(element)));
            return json;
        } else if (value instanceof Date date) {
            return object().put(TIMESTAMP, date.toInstant().toString());
        } else if (value instanceof byte[] bytes) {
            return object().put(BYTES, Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof BigDecimal decimal) {
            return object().put(DECIMAL, decimal.toPlainString());
        }
        return MAPPER.valueToTree(value);
    }

    private static Map<String, Object> table(JsonNode json) throws LetterException {
        Map<String, Object> table = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> member : json.properties()) {
            Object value = value(member.getValue());
            if (value != null) {
                table.put(member.getKey(), value);
            }
        }
        return table;
    }

    private static @Nullable Object value(JsonNode json) throws LetterException {
        if (json.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            for (JsonNode element : json) {
                list.add(value(element));
            }
            return list;
        } else if (json.isObject()) {
            if (json.size() == 1 && json.path(TIMESTAMP).isString()) {
                return Date.from(instant(TIMESTAMP, json.path(TIMESTAMP).stringValue()));
            } else if (json.size() == 1 && json.path(BYTES).isString()) {
                return base64(json.path(BYTES).stringValue());
            } else if (json.size() == 1 && json.path(DECIMAL).isString()) {
                return new BigDecimal(json.path(DECIMAL).stringValue());
            }
            return table(json);
        } else if (json.isBoolean()) {
            return json.booleanValue();
        } else if (json.isIntegralNumber()) {
            return json.longValue();
        } else if (json.isNumber()) {
            return json.doubleValue();
        }
        return json.isString() ? json.stringValue() : null;
    }

    // Requests

    /** For the body of a request. */
    public static ObjectNode filter(Filter filter) {
        ObjectNode json = object();
        list(json, "ids", filter.ids());
        list(json, "reasons", filter.reasons());
        list(json, "types", filter.types());
        list(json, "addresses", filter.addresses());
        if (filter.since() != null) {
            json.put("since", filter.since().toString());
        }
        if (filter.until() != null) {
            json.put("until", filter.until().toString());
        }
        if (filter.text() != null) {
            json.put("text", filter.text());
        }
        return json;
    }

    private static void list(ObjectNode json, String name, List<String> texts) {
        if (!texts.isEmpty()) {
            ArrayNode array = json.putArray(name);
            texts.forEach(array::add);
        }
    }

    /** Of the body of a request. */
    public static Filter filter(JsonNode json) throws LetterException {
        String since = optional(json, "since");
        String until = optional(json, "until");
        return new Filter(
                list(json, "ids"),
                list(json, "reasons"),
                list(json, "types"),
                list(json, "addresses"),
                since == null ? null : instant("since", since),
                until == null ? null : instant("until", until),
                optional(json, "text"));
    }

    private static List<String> list(JsonNode json, String name) throws LetterException {
        List<String> texts = new ArrayList<>();
        JsonNode list = json.path(name);
        if (!list.isArray() && !list.isMissingNode()) {
            throw LetterException.invalid(name + " must be a list of texts");
        }
        for (JsonNode element : list) {
            if (!element.isString()) {
                throw LetterException.invalid(name + " must be a list of texts");
            }
            texts.add(element.stringValue());
        }
        return texts;
    }

    /** For the body of a request. */
    public static ObjectNode replay(Replay replay) {
        ObjectNode json = object();
        if (replay.to() != null) {
            json.put("to", replay.to());
        }
        if (replay.patch() != null) {
            json.set("patch", replay.patch().source());
        }
        if (replay.body() != null) {
            json.put("bodyBase64", Base64.getEncoder().encodeToString(replay.body()));
        }
        if (replay.expiration() != null) {
            json.put("expirationMillis", replay.expiration().toMillis());
        }
        json.put("anyway", replay.anyway());
        return json;
    }

    /** Of the body of a request. */
    public static Replay replay(JsonNode json) throws LetterException {
        JsonNode patch = json.get("patch");
        String body = optional(json, "body");
        String base64 = optional(json, "bodyBase64");
        JsonNode expiration = json.path("expirationMillis");
        if (!expiration.isMissingNode() && (!expiration.canConvertToLong() || expiration.longValue() < 0)) {
            throw LetterException.invalid("expirationMillis must be a number of milliseconds");
        }
        return new Replay(
                optional(json, "to"),
                patch == null ? null : JsonPatch.of(patch),
                base64 != null ? base64(base64) : body != null ? body.getBytes(StandardCharsets.UTF_8) : null,
                expiration.isMissingNode() ? null : Duration.ofMillis(expiration.longValue()),
                json.path("anyway").asBoolean(false));
    }
}
