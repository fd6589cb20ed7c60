package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.LongString;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.letters.Entry;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterHeaders;
import pushbridge.letters.LetterQueue;
import pushbridge.letters.Outgoing;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.json.JsonFactory;

/**
 * Makes letters of what lies in the queues, and properties of what is published from them. What a bridge has put there
 * tells its story in {@code x-push-*} headers, what RabbitMQ itself has dead-lettered in {@code x-death}.
 */
final class LetterCodec {

    private static final JsonFactory JSON = new JsonFactory();

    /** Looking for the type of a larger body would cost more than knowing it is worth. */
    private static final int MOST_TO_PARSE = 1 << 20;

    private LetterCodec() {}

    // From the queue

    static Letter letter(LetterQueue queue, AmqpOriginal found) {
        Map<String, Object> headers = plain(found.headers());
        Glance glance = Glance.at(found.body());
        Story story = headers.get(LetterHeaders.REASON) != null
                ? ofBridge(found, headers)
                : headers.get("x-death") instanceof List<?> deaths && !deaths.isEmpty()
                        ? ofBroker(deaths, found, glance)
                        : ofNobody(found);
        return new Letter(
                Entry.text(id(found, headers)),
                queue,
                story.reason,
                story.detail,
                story.address,
                glance.type,
                story.failedAt,
                text(headers.get(LetterHeaders.NODE)),
                headers.get(LetterHeaders.DELIVERIES) instanceof Number number ? number.longValue() : 0,
                story.exchange,
                story.routingKey,
                story.history,
                properties(found.properties()),
                headers,
                found.body());
    }

    static Entry entry(Letter letter, int arrival, Entry.Place place, Shared shared) {
        return new Entry(
                Long.parseLong(letter.id(), 16),
                letter.failedAt().toEpochMilli(),
                copyNumber(text(letter.headers().get(LetterHeaders.COPY_ID))),
                arrival,
                shared.one(letter.reason()),
                shared.one(letter.detail()),
                letter.address() == null ? null : shared.one(letter.address()),
                letter.type() == null ? null : shared.one(letter.type()),
                letter.body().length,
                place);
    }

    /** Most of 100,000 letters say one of a few things. */
    static final class Shared {
        /** Beyond these each has its own. */
        private static final int MOST = 10_000;

        private final Map<String, String> texts = new java.util.HashMap<>();

        String one(String text) {
            String known = texts.get(text);
            if (known != null) {
                return known;
            }
            if (texts.size() < MOST) {
                texts.put(text, text);
            }
            return text;
        }
    }

    private record Story(
            String reason,
            String detail,
            @Nullable String address,
            Instant failedAt,
            String exchange,
            String routingKey,
            List<String> history) {}

    private static Story ofBridge(AmqpOriginal found, Map<String, Object> headers) {
        String exchange = text(headers.get(LetterHeaders.ORIGINAL + "exchange"));
        String key = text(headers.get(LetterHeaders.ORIGINAL + "routing-key"));
        List<String> history = new ArrayList<>();
        String deaths = text(headers.get(LetterHeaders.ORIGINAL + "death"));
        if (deaths != null) {
            history.add(deaths);
        }
        String replayOf = text(headers.get(LetterHeaders.REPLAYED));
        if (replayOf != null) {
            history.add("it was replayed, having been letter " + replayOf);
        }
        return new Story(
                String.valueOf(headers.get(LetterHeaders.REASON)),
                orEmpty(text(headers.get(LetterHeaders.DETAIL))),
                text(headers.get(LetterHeaders.ADDRESS)),
                instant(text(headers.get(LetterHeaders.FAILED_AT)), found),
                exchange == null ? found.exchange() : exchange,
                key == null ? found.routingKey() : key,
                history);
    }

    private static Story ofBroker(List<?> deaths, AmqpOriginal found, Glance glance) {
        // The latest comes first.
        Map<?, ?> last = deaths.get(0) instanceof Map<?, ?> map ? map : Map.of();
        String reason = orEmpty(text(last.get("reason"))).replace('_', '-');
        String exchange = orEmpty(text(last.get("exchange")));
        String key = last.get("routing-keys") instanceof List<?> keys && !keys.isEmpty()
                ? String.valueOf(keys.get(0))
                : found.routingKey();
        List<String> history = new ArrayList<>();
        for (Object death : deaths) {
            if (death instanceof Map<?, ?> map) {
                history.add("%s: RabbitMQ took it from %s (%s, %s times), where it had come from %s with key %s"
                        .formatted(
                                map.get("time") instanceof Date date ? date.toInstant() : "at some time",
                                map.get("queue"),
                                map.get("reason"),
                                map.get("count"),
                                orEmpty(text(map.get("exchange"))).isEmpty()
                                        ? "the default exchange"
                                        : "exchange " + map.get("exchange"),
                                map.get("routing-keys")));
            }
        }
        Collections.reverse(history);
        return new Story(
                reason.isEmpty() ? "unknown" : reason,
                "RabbitMQ itself took it from the queue %s: %s".formatted(last.get("queue"), meaning(reason)),
                exchange.isEmpty() ? glance.to : key,
                last.get("time") instanceof Date date ? date.toInstant() : Instant.EPOCH,
                exchange,
                key,
                history);
    }

    private static String meaning(String reason) {
        return switch (reason) {
            case "expired" -> "its time was over before a bridge took it";
            case "maxlen" -> "the queue was longer than it may be";
            case "rejected" -> "somebody who consumed it rejected it";
            case "delivery-limit" -> "it was delivered and came back more often than the queue allows";
            default -> "for a reason not known here";
        };
    }

    private static Story ofNobody(AmqpOriginal found) {
        return new Story(
                "unknown",
                "it has neither x-push-reason nor x-death: somebody published it to this queue",
                null,
                instant(null, found),
                found.exchange(),
                found.routingKey(),
                List.of());
    }

    /** The time that is told, or the one the message has, or none. */
    private static Instant instant(@Nullable String told, AmqpOriginal found) {
        if (told != null) {
            try {
                return Instant.parse(told);
            } catch (DateTimeParseException e) {
                return Instant.EPOCH; // not ours; the header itself is shown
            }
        }
        Date timestamp = found.properties().getTimestamp();
        return timestamp == null ? Instant.EPOCH : timestamp.toInstant();
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }

    /** 48 bits that stay with the letter: of what names the copy, else of everything there is. */
    private static long id(AmqpOriginal found, Map<String, Object> headers) {
        String copyId = text(headers.get(LetterHeaders.COPY_ID));
        if (copyId != null) {
            return Long.parseLong(idOfCopy(copyId), 16);
        }
        MessageDigest sha = sha256();
        sha.update((found.routingKey()
                        + '\n'
                        + found.properties().getMessageId()
                        + '\n'
                        + found.properties().getTimestamp()
                        + '\n'
                        + headers.get("x-death")
                        + '\n')
                .getBytes(StandardCharsets.UTF_8));
        sha.update(found.body());
        return first48Bits(sha.digest());
    }

    /** The id of the letter that has this copy id. */
    static String idOfCopy(String copyId) {
        if (copyId.matches(LetterHeaders.IMPORTED + "[0-9a-f]{12}")) {
            return copyId.substring(LetterHeaders.IMPORTED.length());
        }
        return Entry.text(first48Bits(sha256().digest(copyId.getBytes(StandardCharsets.UTF_8))));
    }

    private static long first48Bits(byte[] digest) {
        long bits = 0;
        for (int i = 0; i < 6; i++) {
            bits = (bits << 8) | (digest[i] & 0xFF);
        }
        return bits;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** A bridge counts its copies behind the last hyphen. */
    private static long copyNumber(@Nullable String copyId) {
        if (copyId == null || copyId.startsWith(LetterHeaders.IMPORTED)) {
            return 0;
        }
        String digits = copyId.substring(copyId.lastIndexOf('-') + 1);
        return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : 0;
    }

    /** The library's texts become strings, also inside of lists and tables. */
    private static Map<String, Object> plain(Map<String, Object> table) {
        Map<String, Object> plain = new LinkedHashMap<>();
        table.forEach((name, value) -> {
            Object converted = plain(value);
            if (converted != null) {
                plain.put(name, converted);
            }
        });
        return plain;
    }

    private static @Nullable Object plain(@Nullable Object value) {
        if (value instanceof LongString text) {
            return text.toString();
        } else if (value instanceof List<?> list) {
            List<@Nullable Object> plain = new ArrayList<>();
            list.forEach(element -> plain.add(plain(element)));
            return plain;
        } else if (value instanceof Map<?, ?> map) {
            Map<String, Object> table = new LinkedHashMap<>();
            map.forEach((name, element) -> {
                Object converted = plain(element);
                if (converted != null) {
                    table.put(String.valueOf(name), converted);
                }
            });
            return table;
        }
        return value;
    }

    private static Map<String, Object> properties(BasicProperties from) {
        Map<String, Object> properties = new LinkedHashMap<>();
        put(properties, "messageId", from.getMessageId());
        put(
                properties,
                "timestamp",
                from.getTimestamp() == null
                        ? null
                        : from.getTimestamp().toInstant().toEpochMilli());
        put(properties, "contentType", from.getContentType());
        put(properties, "contentEncoding", from.getContentEncoding());
        put(properties, "correlationId", from.getCorrelationId());
        put(properties, "replyTo", from.getReplyTo());
        put(properties, "type", from.getType());
        put(properties, "appId", from.getAppId());
        put(properties, "userId", from.getUserId());
        return properties;
    }

    private static void put(Map<String, Object> properties, String name, @Nullable Object value) {
        if (value != null) {
            properties.put(name, value);
        }
    }

    /** What a first look at a body tells, as far as it is JSON. */
    private record Glance(@Nullable String type, @Nullable String to) {

        private static final Glance NOTHING = new Glance(null, null);

        static Glance at(byte[] body) {
            if (body.length > MOST_TO_PARSE) {
                return NOTHING;
            }
            String type = null;
            String to = null;
            try (JsonParser parser = JSON.createParser(tools.jackson.core.ObjectReadContext.empty(), body)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    return NOTHING;
                }
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (value == JsonToken.VALUE_STRING && name.equals("type")) {
                        type = parser.getString();
                    } else if (value == JsonToken.VALUE_STRING && name.equals("to")) {
                        to = parser.getString();
                    }
                    parser.skipChildren();
                }
            } catch (JacksonException e) {
                return new Glance(cut(type), cut(to)); // what stood before the mistake is still worth knowing
            }
            return new Glance(cut(type), cut(to));
        }

        private static @Nullable String cut(@Nullable String text) {
            return text == null ? null : CopyMessage.cut(text);
        }
    }

    // To RabbitMQ

    static BasicProperties properties(Outgoing outgoing) {
        Map<String, Object> from = outgoing.properties();
        Map<String, Object> headers = new LinkedHashMap<>(outgoing.headers());
        return new BasicProperties.Builder()
                .messageId(text(from.get("messageId")))
                .timestamp(
                        from.get("timestamp") instanceof Number millis
                                ? Date.from(Instant.ofEpochMilli(millis.longValue()))
                                : null)
                .contentType(text(from.get("contentType")))
                .contentEncoding(text(from.get("contentEncoding")))
                .correlationId(text(from.get("correlationId")))
                .replyTo(text(from.get("replyTo")))
                .type(text(from.get("type")))
                .appId(text(from.get("appId")))
                .expiration(text(from.get("expiration")))
                .deliveryMode(2)
                .headers(headers)
                .build();
    }
}
