package pushbridge.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Collects what the scenarios measure, and says each figure at once, so that a run that is cut short was not in vain. */
final class Figures {

    private final List<Figure> all = new ArrayList<>();
    private String scenario = "";

    /** What follows belongs to this scenario. */
    void begin(String name) {
        scenario = name;
    }

    /** Something worth knowing that has no target. */
    void note(String name, double value, String unit) {
        add(name, value, unit, null, null);
    }

    /** The same of a count. */
    void note(String name, long value, String unit) {
        note(name, (double) value, unit);
    }

    void atLeast(double target, String name, double value, String unit) {
        add(name, value, unit, target, null);
    }

    void atMost(double target, String name, double value, String unit) {
        add(name, value, unit, null, target);
    }

    /** For what has one right value: 0. */
    void none(String name, double value) {
        atMost(0, name, value, "");
    }

    /** The same of a count. */
    void none(String name, long value) {
        none(name, (double) value);
    }

    private void add(String name, double value, String unit, @Nullable Double atLeast, @Nullable Double atMost) {
        Figure figure = new Figure(scenario, name, value, unit, atLeast, atMost);
        all.add(figure);
        Console.say("  " + figure.name() + ": " + number(value) + " " + unit + target(figure));
    }

    List<Figure> all() {
        return List.copyOf(all);
    }

    /** Whether no target was missed. */
    boolean allReached() {
        return all.stream().noneMatch(figure -> Boolean.FALSE.equals(figure.reached()));
    }

    /** The table at the end, in Markdown, so that it can be put into a document as it is. */
    String table() {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"scenario", "figure", "measured", "target", "reached"});
        for (Figure figure : all) {
            Boolean reached = figure.reached();
            rows.add(new String[] {
                figure.scenario(),
                figure.name(),
                (number(figure.value()) + " " + figure.unit()).strip(),
                bound(figure),
                reached == null ? "" : reached ? "yes" : "NO"
            });
        }
        int[] widths = new int[5];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (int r = 0; r < rows.size(); r++) {
            line(table, rows.get(r), widths);
            if (r == 0) {
                String[] rule = new String[widths.length];
                for (int i = 0; i < widths.length; i++) {
                    rule[i] = "-".repeat(widths[i]);
                }
                line(table, rule, widths);
            }
        }
        return table.toString();
    }

    private static void line(StringBuilder table, String[] cells, int[] widths) {
        for (int i = 0; i < cells.length; i++) {
            table.append("| ")
                    .append(cells[i])
                    .append(" ".repeat(widths[i] - cells[i].length()))
                    .append(' ');
        }
        table.append("|\n");
    }

    private static String target(Figure figure) {
        Boolean reached = figure.reached();
        return reached == null ? "" : "  (target " + bound(figure) + ": " + (reached ? "reached)" : "NOT reached)");
    }

    private static String bound(Figure figure) {
        if (figure.atLeast() != null) {
            return (">= " + number(figure.atLeast()) + " " + figure.unit()).strip();
        }
        return figure.atMost() == null ? "" : ("<= " + number(figure.atMost()) + " " + figure.unit()).strip();
    }

    /** Three digits that mean something, and whole numbers in full. */
    static String number(double value) {
        if (value == Math.rint(value) || Math.abs(value) >= 1_000) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        return String.format(
                Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.2f", value);
    }
}
