package pushbridge.letters;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.DeadLetterReason;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A desk's answers as text for people. Whatever a publisher may have put into a letter is made harmless for a terminal. */
public final class LetterView {

    /** A detail of one that is listed is cut to this. */
    private static final int LISTED_DETAIL = 90;

    private static final int LISTED_ADDRESS = 40;

    /** Lines of a body that are shown. */
    private static final int BODY_LINES = 200;

    /** Characters of one of them. */
    private static final int LINE_LENGTH = 400;

    private static final int HEX_BYTES = 512;

    /** As malformed bodies are told of. */
    private static final Pattern PLACE = Pattern.compile("line (\\d{1,9}), column (\\d{1,9}): (.*)");

    private static final JsonMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final Instant now;
    private final boolean colours;

    /**
     * @param now for how long ago something was
     * @param colours whether the terminal shows any
     */
    public LetterView(Instant now, boolean colours) {
        this.now = now;
        this.colours = colours;
    }

    // Lists

    /** The page of a list as a table. */
    public List<String> list(JsonNode page, boolean newestFirst) {
        List<String> lines = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("ID", "FAILED", "REASON", "TYPE", "ADDRESS", "DETAIL"));
        for (JsonNode letter : page.path("letters")) {
            rows.add(List.of(
                    text(letter, "id"),
                    Times.seconds(text(letter, "failedAt")),
                    text(letter, "reason"),
                    Columns.cut(orDash(text(letter, "type")), LISTED_ADDRESS),
                    Columns.cut(orDash(text(letter, "address")), LISTED_ADDRESS),
                    Columns.cut(text(letter, "detail"), LISTED_DETAIL)));
        }
        if (rows.size() > 1) {
            lines.addAll(Columns.of(rows));
            lines.add("");
        }
        long matching = page.path("matching").asLong(0);
        long total = page.path("total").asLong(0);
        int shown = page.path("letters").size();
        String of = matching == total
                ? letters(total) + " in " + text(page, "queue")
                : "%,d of %s in %s fit".formatted(matching, letters(total), text(page, "queue"));
        lines.add(
                shown == matching
                        ? of + "."
                        : "%s; %,d shown, %s first.".formatted(of, shown, newestFirst ? "the newest" : "the oldest")
                                + (text(page, "next").isEmpty() ? "" : " More: --after " + text(page, "next")));
        beyond(page, lines);
        return lines;
    }

    private static void beyond(JsonNode json, List<String> lines) {
        long beyond = json.path("beyond").asLong(0);
        if (beyond > 0) {
            lines.add(
                    "%,d more lie behind these, more than are looked at together (letters.max-messages, letters.max-bytes);"
                                    .formatted(beyond)
                            + " they come when these are replayed or discarded.");
        }
    }

    /** Counts: what is wrong, the most frequent first. */
    public List<String> count(JsonNode count) {
        List<String> lines = new ArrayList<>();
        long matching = count.path("matching").asLong(0);
        lines.add("%s in %s%s%s."
                .formatted(
                        letters(matching),
                        text(count, "queue"),
                        matching == count.path("total").asLong(0)
                                ? ""
                                : " fit, of %,d".formatted(count.path("total").asLong(0)),
                        matching == 0
                                ? ""
                                : ", from " + ago(text(count, "oldest")) + " to " + ago(text(count, "newest"))));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("COUNT", "REASON", "TYPE", "SUCH AS", "DETAIL"));
        for (JsonNode problem : count.path("problems")) {
            rows.add(List.of(
                    "%,d".formatted(problem.path("count").asLong(0)),
                    text(problem, "reason"),
                    Columns.cut(orDash(text(problem, "type")), LISTED_ADDRESS),
                    text(problem, "example"),
                    Columns.cut(text(problem, "detail"), LISTED_DETAIL)));
        }
        if (rows.size() > 1) {
            lines.add("");
            lines.addAll(Columns.of(rows));
        }
        long more = count.path("moreProblems").asLong(0);
        if (more > 0) {
            lines.add("… and %,d more kinds".formatted(more));
        }
        beyond(count, lines);
        return lines;
    }

    // One

    /**
     * One letter in full.
     *
     * @param whole also what is long
     */
    public List<String> show(JsonNode letter, boolean whole) {
        List<String> lines = new ArrayList<>();
        lines.add("Letter " + text(letter, "id") + " in " + text(letter, "queue"));
        lines.add("");
        field(lines, "why", red(text(letter, "reason")) + meaning(text(letter, "reason")));
        field(lines, "", text(letter, "detail"));
        JsonNode now = letter.path("replayedNow");
        if (now.isObject()) {
            field(
                    lines,
                    "replayed now",
                    now.path("taken").asBoolean(false)
                            ? "it would be taken"
                            : "it would be refused again, " + text(now, "reason") + ": " + text(now, "detail"));
        }
        field(lines, "address", orDash(text(letter, "address")));
        field(lines, "type", orDash(text(letter, "type")));
        field(lines, "failed", ago(text(letter, "failedAt")));
        field(
                lines,
                "by",
                text(letter, "node").isEmpty()
                        ? "no bridge: RabbitMQ, or somebody who published it here"
                        : "the bridge " + text(letter, "node") + ", to which it had been delivered "
                                + letter.path("deliveries").asLong(0) + "×");
        field(
                lines,
                "published",
                text(letter, "exchange").isEmpty()
                        ? "through the default exchange to " + text(letter, "routingKey")
                        : "to the exchange " + text(letter, "exchange") + " with the key "
                                + text(letter, "routingKey"));
        String before = "history";
        for (JsonNode sentence : letter.path("history")) {
            field(lines, before, Printable.line(sentence.asString("")));
            before = "";
        }
        entries(lines, "properties", letter.path("properties"));
        entries(lines, "headers", letter.path("headers"));
        lines.add("");
        body(lines, letter, whole);
        return lines;
    }

    private static void field(List<String> lines, String name, String value) {
        if (!value.isEmpty()) {
            lines.add("  %-14s%s".formatted(name, value));
        }
    }

    private static void entries(List<String> lines, String name, JsonNode table) {
        String before = name;
        for (Map.Entry<String, JsonNode> entry : table.properties()) {
            JsonNode value = entry.getValue();
            String shown = value.isString() ? Printable.line(value.stringValue()) : LetterJson.line(value);
            if (entry.getKey().equals("timestamp") && value.isIntegralNumber()) {
                shown = Instant.ofEpochMilli(value.longValue()).toString();
            }
            field(lines, before, Printable.line(entry.getKey()) + ": " + shown);
            before = "";
        }
    }

    private static String meaning(String slug) {
        for (DeadLetterReason reason : DeadLetterReason.values()) {
            if (reason.slug().equals(slug)) {
                return ": " + reason.meaning();
            }
        }
        return "";
    }

    private void body(List<String> lines, JsonNode letter, boolean whole) {
        long bytes = letter.path("bytes").asLong(0);
        String text = LetterJson.optional(letter, "body");
        List<String> shown = new ArrayList<>();
        String kind;
        if (text == null) {
            kind = "not UTF-8";
            hex(shown, letter.path("bodyBase64").asString(""), whole);
        } else {
            JsonNode json = json(text);
            kind = json == null ? "not JSON, as it is" : "JSON, laid out";
            if (json == null) {
                raw(shown, text, text(letter, "detail"));
            } else {
                Mark mark = Mark.of(text(letter, "detail"), json);
                new Layout(shown, mark).value("", json, List.of(), "");
            }
        }
        lines.add("  body (%,d bytes, %s)".formatted(bytes, kind));
        int most = whole ? Integer.MAX_VALUE : BODY_LINES;
        for (int i = 0; i < Math.min(shown.size(), most); i++) {
            String line = shown.get(i);
            lines.add("    " + (whole || line.length() <= LINE_LENGTH ? line : Columns.cut(line, LINE_LENGTH)));
        }
        if (shown.size() > most) {
            lines.add("    … %,d more lines: --whole".formatted(shown.size() - most));
        }
    }

    private static @Nullable JsonNode json(String text) {
        try {
            JsonNode json = STRICT.readTree(text);
            return json.isContainer() ? json : null;
        } catch (JacksonException e) {
            return null;
        }
    }

    /** As it came, with a pointer to the place that the detail names. */
    private void raw(List<String> lines, String text, String detail) {
        Matcher place = PLACE.matcher(detail);
        long wanted = place.find() ? Long.parseLong(place.group(1)) : -1;
        int number = 0;
        for (String line : text.split("\n", -1)) {
            lines.add(Printable.lines(line).replace("\t", " "));
            if (++number == wanted) {
                // The column counts bytes.
                byte[] utf8 = line.getBytes(StandardCharsets.UTF_8);
                int before = Math.min((int) Math.min(Long.parseLong(place.group(2)) - 1, LINE_LENGTH), utf8.length);
                String prefix = new String(utf8, 0, before, StandardCharsets.UTF_8);
                lines.add(" ".repeat(Columns.width(Printable.lines(prefix))) + red("^ " + place.group(3)));
            }
        }
    }

    private static void hex(List<String> lines, String base64, boolean whole) {
        byte[] bytes = Base64.getDecoder().decode(base64);
        int most = whole ? bytes.length : Math.min(bytes.length, HEX_BYTES);
        for (int from = 0; from < most; from += 16) {
            StringBuilder hex = new StringBuilder();
            StringBuilder ascii = new StringBuilder();
            for (int i = from; i < Math.min(from + 16, most); i++) {
                hex.append("%02x ".formatted(bytes[i]));
                ascii.append(bytes[i] >= 0x20 && bytes[i] < 0x7F ? (char) bytes[i] : '.');
            }
            lines.add("%08x  %-48s |%s|".formatted(from, hex, ascii));
        }
        if (most < bytes.length) {
            lines.add("… %,d more bytes: --whole".formatted(bytes.length - most));
        }
    }

    /**
     * The place that a detail points at.
     *
     * @param path to the value that is wrong, or to the nearest that is there
     * @param words what is wrong with it
     */
    private record Mark(@Nullable List<String> path, String words) {

        static Mark of(String detail, JsonNode json) {
            int colon = detail.indexOf(": ");
            if (!detail.startsWith("/") || colon < 0) {
                return new Mark(null, "");
            }
            String words = detail.substring(colon + 2);
            List<String> path = JsonPatch.tokens(detail.substring(0, colon));
            List<String> there = new ArrayList<>();
            JsonNode at = json;
            for (String token : path) {
                JsonNode next =
                        at.isArray() && token.matches("[0-9]{1,9}") ? at.path(Integer.parseInt(token)) : at.path(token);
                if (next.isMissingNode()) {
                    return new Mark(there, Printable.line(token) + " " + words);
                }
                there.add(token);
                at = next;
            }
            return new Mark(there, words);
        }
    }

    /** Lays JSON out, a member a line, with the mark behind the line of its value. */
    private final class Layout {
        private final List<String> lines;
        private final Mark mark;

        Layout(List<String> lines, Mark mark) {
            this.lines = lines;
            this.mark = mark;
        }

        /**
         * @param before what stands on the line in front of the value
         * @param after what stands behind it
         */
        void value(String before, JsonNode value, List<String> path, String after) {
            if (lines.size() > BODY_LINES * 100) {
                return; // nobody reads that, and it might be large
            }
            String hint = path.equals(mark.path) ? "   " + red("<-- " + mark.words) : "";
            String indent =
                    before.substring(0, before.length() - before.stripLeading().length());
            if (value.isObject() && !value.isEmpty()) {
                lines.add(before + "{" + hint);
                int left = value.size();
                for (Map.Entry<String, JsonNode> member : value.properties()) {
                    value(
                            indent + "  " + LetterJson.line(LetterJson.MAPPER.valueToTree(member.getKey())) + ": ",
                            member.getValue(),
                            plus(path, member.getKey()),
                            --left > 0 ? "," : "");
                }
                lines.add(indent + "}" + after);
            } else if (value.isArray() && !value.isEmpty()) {
                lines.add(before + "[" + hint);
                for (int i = 0; i < value.size(); i++) {
                    value(indent + "  ", value.get(i), plus(path, String.valueOf(i)), i < value.size() - 1 ? "," : "");
                }
                lines.add(indent + "]" + after);
            } else {
                lines.add(before + LetterJson.line(value) + after + hint);
            }
        }

        private static List<String> plus(List<String> path, String token) {
            List<String> longer = new ArrayList<>(path);
            longer.add(token);
            return longer;
        }
    }

    // Actions

    /** What came of a replay, or would. */
    public List<String> replayed(JsonNode result) {
        boolean dryRun = result.path("dryRun").asBoolean(false);
        long selected = result.path("selected").asLong(0);
        long replayed = result.path("replayed").asLong(0);
        List<String> lines = new ArrayList<>();
        lines.add("%s of %s %s replayed."
                .formatted(
                        "%,d".formatted(replayed),
                        letters(selected),
                        dryRun ? "would be" : replayed == 1 ? "was" : "were"));
        long again = result.path("refusedAgain").asLong(0);
        if (again > 0) {
            lines.add(
                    "Left, since a bridge as it is configured now would refuse them again (--anyway replays them all the same)"
                            + " or the patch does not fit:");
            for (JsonNode refusal : result.path("refusals")) {
                lines.add("  %,d  %s, such as %s: %s"
                        .formatted(
                                refusal.path("count").asLong(0),
                                text(refusal, "reason"),
                                text(refusal, "example"),
                                text(refusal, "detail")));
            }
        }
        stopped(result, lines);
        return lines;
    }

    /** What came of a discard, or would. */
    public List<String> discarded(JsonNode result) {
        boolean dryRun = result.path("dryRun").asBoolean(false);
        long discarded = result.path("discarded").asLong(0);
        return List.of("%s %s discarded for good."
                .formatted(letters(discarded), dryRun ? "would be" : discarded == 1 ? "was" : "were"));
    }

    private void stopped(JsonNode result, List<String> lines) {
        String why = text(result, "stopped");
        if (!why.isEmpty()) {
            lines.add(red("Stopped: ") + why + ".");
        }
    }

    // Words

    private static String letters(long count) {
        return count == 1 ? "1 letter" : "%,d letters".formatted(count);
    }

    private static String text(JsonNode json, String member) {
        String text = LetterJson.optional(json, member);
        return text == null ? "" : Printable.line(text);
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }

    private String ago(String instant) {
        return Times.ago(instant, now);
    }

    private String red(String text) {
        return colours && !text.isEmpty() ? "\u001b[31m" + text + "\u001b[0m" : text;
    }

    /** A bar for a terminal, such as {@code [#######.............]  35,000 of 100,000}. */
    public static String bar(long done, long of) {
        int filled = of == 0 ? 20 : (int) (20 * done / of);
        return String.format(Locale.ROOT, "[%s%s]  %,d of %,d", "#".repeat(filled), ".".repeat(20 - filled), done, of);
    }
}
