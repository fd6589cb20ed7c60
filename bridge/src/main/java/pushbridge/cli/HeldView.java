package pushbridge.cli;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import pushbridge.letters.Columns;
import pushbridge.letters.Times;
import pushbridge.log.VisibleText;
import tools.jackson.databind.JsonNode;

/** What a bridge says of held messages as text for people. Whatever a publisher may have put there is made harmless. */
final class HeldView {

    private static final int LONGEST_ADDRESS = 255;

    private static final int LISTED = 40;

    private final Instant now;

    HeldView(Instant now) {
        this.now = now;
    }

    static HeldView now() {
        return new HeldView(Instant.now());
    }

    /** How much waits, and the first addresses. */
    List<String> summary(JsonNode page) {
        JsonNode sum = page.path("matching");
        List<String> lines = new ArrayList<>();
        if (sum.path("addresses").asLong(0) == 0) {
            return List.of("Nothing is held.");
        }
        lines.add("%s %s held for %s, %,d bytes of log; for %,d of them nobody is connected."
                .formatted(
                        messages(sum),
                        sum.path("messages").asLong(0) == 1 ? "is" : "are",
                        addresses(sum),
                        sum.path("bytes").asLong(0),
                        sum.path("absent").asLong(0)));
        lines.add("The oldest was held at %s; the first expires at %s."
                .formatted(ago(sum, "heldSince"), ago(sum, "nextExpiry")));
        lines.add("");
        lines.addAll(table(page));
        more(page, lines);
        return lines;
    }

    /** A page of addresses. */
    List<String> list(JsonNode page) {
        JsonNode sum = page.path("matching");
        List<String> lines = new ArrayList<>();
        if (!page.path("page").isEmpty()) {
            lines.addAll(table(page));
            lines.add("");
        }
        lines.add("%s for %s.".formatted(messages(sum), addresses(sum)));
        more(page, lines);
        return lines;
    }

    private static List<String> table(JsonNode page) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("MESSAGES", "BYTES", "HELD SINCE", "FIRST EXPIRES", "CONNECTED", "ADDRESS"));
        for (JsonNode held : page.path("page")) {
            rows.add(List.of(
                    "%,d".formatted(held.path("messages").asLong(0)),
                    "%,d".formatted(held.path("bytes").asLong(0)),
                    Times.seconds(text(held, "heldSince")),
                    Times.seconds(text(held, "nextExpiry")),
                    held.path("connections").asLong(0) == 0
                            ? "-"
                            : "%,d".formatted(held.path("connections").asLong(0)),
                    text(held, "address")));
        }
        return Columns.of(rows);
    }

    private static void more(JsonNode page, List<String> lines) {
        if (page.has("next")) {
            lines.add("There are more: pushbridge held list --after '"
                    + text(page, "next").replace("'", "'\\''") + "'");
        }
    }

    /** What is held for one address. */
    List<String> details(JsonNode details) {
        List<String> lines = new ArrayList<>();
        lines.add("%s %s held for %s, %,d bytes of log: %s."
                .formatted(
                        messages(details),
                        details.path("messages").asLong(0) == 1 ? "is" : "are",
                        text(details, "address"),
                        details.path("bytes").asLong(0),
                        text(details, "why")));
        lines.add("");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("ID", "TYPE", "SEQ", "BYTES", "PUBLISHED", "HELD SINCE", "EXPIRES", "STATE"));
        for (JsonNode message : details.path("page")) {
            rows.add(List.of(
                    text(message, "id"),
                    Columns.cut(orDash(text(message, "type")), LISTED),
                    message.path("seq").asString("-"),
                    "%,d".formatted(message.path("bytes").asLong(0)),
                    orDash(Times.seconds(text(message, "published"))),
                    Times.seconds(text(message, "heldSince")),
                    Times.seconds(text(message, "expires")),
                    text(message, "state")));
        }
        lines.addAll(Columns.of(rows));
        if (details.has("next")) {
            lines.add("There are more: --after " + text(details, "next"));
        }
        return lines;
    }

    /** What came of an action, or would. */
    List<String> outcome(JsonNode outcome) {
        JsonNode chosen = outcome.path("chosen");
        String action = text(outcome, "action");
        boolean dryRun = outcome.path("dryRun").asBoolean(false);
        List<String> lines = new ArrayList<>();
        boolean one = (dryRun ? chosen : outcome).path("messages").asLong(0) == 1;
        lines.add("%s for %s %s %s."
                .formatted(
                        dryRun
                                ? messages(chosen)
                                : "%,d of %s".formatted(outcome.path("messages").asLong(0), messages(chosen)),
                        addresses(dryRun ? chosen : outcome),
                        dryRun ? "would be" : one ? "was" : "were",
                        switch (action) {
                            case "release" -> "offered once more";
                            case "drop" -> "dropped for good";
                            default -> "moved to the dead letters";
                        }));
        long absent = chosen.path("absent").asLong(0);
        if (action.equals("release") && absent > 0) {
            lines.add("For %,d of the addresses nobody is connected: theirs go on waiting.".formatted(absent));
        }
        if (outcome.has("stopped")) {
            lines.add("Stopped: " + text(outcome, "stopped"));
        }
        if (dryRun) {
            lines.add("Nothing was done. Add --yes to do it; with --up-to " + text(outcome, "upTo")
                    + " only what was there just now.");
        }
        return lines;
    }

    /** Whether everything that was meant is done, or would be. */
    static boolean isWhole(JsonNode outcome) {
        JsonNode chosen = outcome.path("chosen");
        if (text(outcome, "action").equals("release") && chosen.path("absent").asLong(0) > 0) {
            return false;
        }
        return !outcome.has("stopped");
    }

    private String ago(JsonNode json, String member) {
        return Times.ago(text(json, member), now);
    }

    private static String messages(JsonNode json) {
        long count = json.path("messages").asLong(0);
        return count == 1 ? "1 message" : "%,d messages".formatted(count);
    }

    private static String addresses(JsonNode json) {
        long count = json.path("addresses").asLong(0);
        return count == 1 ? "1 address" : "%,d addresses".formatted(count);
    }

    private static String text(JsonNode json, String member) {
        return VisibleText.of(json.path(member).asString(""), LONGEST_ADDRESS);
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
