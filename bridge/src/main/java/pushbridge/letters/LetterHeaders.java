package pushbridge.letters;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The headers by which a letter tells its story, and which of them go back with what is published again. */
public final class LetterHeaders {

    public static final String REASON = "x-push-reason";
    public static final String DETAIL = "x-push-detail";
    public static final String ADDRESS = "x-push-address";
    public static final String FAILED_AT = "x-push-failed-at";
    public static final String DELIVERIES = "x-push-deliveries";
    public static final String NODE = "x-push-node";
    /** The same on every attempt to publish a copy, so a copy that arrived twice can be told. */
    public static final String COPY_ID = "x-push-copy-id";

    /** Of an instruction that was replayed: the id of the letter it had been. Stays with it, should it die again. */
    public static final String REPLAYED = "x-push-replay-of";

    /** Begins the names of what a copy must not carry live. */
    public static final String ORIGINAL = "x-push-original-";

    /** Begins the copy id of a letter that got its own when it was imported; its id follows. */
    public static final String IMPORTED = "letter-";

    private static final Set<String> OF_THE_COPY =
            Set.of(REASON, DETAIL, ADDRESS, FAILED_AT, DELIVERIES, NODE, COPY_ID);

    private static final Set<String> OF_THE_BROKER =
            Set.of("x-death", "x-delivery-count", "x-acquired-count", "CC", "BCC");

    private LetterHeaders() {}

    /** What the application had set, or the broker knows nothing of. */
    static Map<String, Object> ofInstruction(Map<String, Object> headers) {
        Map<String, Object> kept = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            if (!OF_THE_COPY.contains(name) && !name.startsWith(ORIGINAL) && !isOfTheBroker(name)) {
                kept.put(name, value);
            }
        });
        return kept;
    }

    /** What a letter has when a bridge has made it, also if RabbitMQ did. */
    static Map<String, Object> ofLetter(Letter letter) {
        Map<String, Object> headers = new LinkedHashMap<>();
        letter.headers().forEach((name, value) -> {
            if (!isOfTheBroker(name)) {
                headers.put(name, value);
            }
        });
        headers.put(REASON, letter.reason());
        headers.put(DETAIL, letter.detail());
        headers.put(FAILED_AT, letter.failedAt().toString());
        headers.put(DELIVERIES, letter.deliveries());
        putIfKnown(headers, ADDRESS, letter.address());
        putIfKnown(headers, NODE, letter.node());
        headers.put(ORIGINAL + "exchange", letter.exchange());
        headers.put(ORIGINAL + "routing-key", letter.routingKey());
        headers.putIfAbsent(COPY_ID, IMPORTED + letter.id());
        if (!letter.history().isEmpty()) {
            headers.putIfAbsent(ORIGINAL + "death", String.join("; ", letter.history()));
        }
        return headers;
    }

    private static void putIfKnown(
            Map<String, Object> headers, String name, @org.jspecify.annotations.Nullable String value) {
        if (value != null) {
            headers.put(name, value);
        }
    }

    private static boolean isOfTheBroker(String name) {
        return OF_THE_BROKER.contains(name) || name.startsWith("x-first-death-") || name.startsWith("x-last-death-");
    }
}
