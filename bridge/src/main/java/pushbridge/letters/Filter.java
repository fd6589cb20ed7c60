package pushbridge.letters;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.Wildcard;

/**
 * Which letters are meant: those to which everything given applies; empty means any.
 *
 * @param ids beginnings of ids
 * @param reasons slugs
 * @param types with {@code *} for any characters
 * @param addresses with {@code *} for any characters
 * @param since failed then or later
 * @param until failed before then
 * @param text stands in the body, the detail or a header, whatever the case
 */
public record Filter(
        List<String> ids,
        List<String> reasons,
        List<String> types,
        List<String> addresses,
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable String text) {

    /** Every letter. */
    public static final Filter ALL = new Filter(List.of(), List.of(), List.of(), List.of(), null, null, null);

    public Filter {
        ids = ids.stream().map(id -> id.toLowerCase(Locale.ROOT)).toList();
        reasons = List.copyOf(reasons);
        types = List.copyOf(types);
        addresses = List.copyOf(addresses);
        text = text == null || text.isEmpty() ? null : text.toLowerCase(Locale.ROOT);
    }

    /** Whether it leaves nothing out. */
    public boolean isAll() {
        return equals(ALL);
    }

    /** Whether the entry fits; what only the letter in full can tell is left open. */
    boolean fits(Entry entry) {
        return (ids.isEmpty() || ids.stream().anyMatch(entry.idText()::startsWith))
                && (reasons.isEmpty() || reasons.contains(entry.reason()))
                && fits(types, entry.type())
                && fits(addresses, entry.address())
                && (since == null || entry.failedAtMillis() >= since.toEpochMilli())
                && (until == null || entry.failedAtMillis() < until.toEpochMilli());
    }

    /** Whether {@link #fits} says all. */
    boolean needsNoBody() {
        return text == null;
    }

    boolean fits(Letter letter) {
        return text == null || letter.contains(text);
    }

    private static boolean fits(List<String> patterns, @Nullable String value) {
        return patterns.isEmpty()
                || (value != null && patterns.stream().anyMatch(pattern -> Wildcard.matches(pattern, value)));
    }
}
