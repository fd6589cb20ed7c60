package pushbridge.letters;

import java.util.ArrayList;
import java.util.List;

/** Text in columns, for a terminal. */
public final class Columns {

    private Columns() {}

    /** Rows as lines: each column as wide as its widest text. The first row is the heading, as long as any other. */
    public static List<String> of(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        rows.forEach(row -> {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], width(row.get(i)));
            }
        });
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - width(row.get(i)) + 2));
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    /** At most so many characters, the last of them an ellipsis where something was cut off. */
    public static String cut(String text, int length) {
        if (width(text) <= length) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, length - 1)) + "…";
    }

    static int width(String text) {
        return text.codePointCount(0, text.length());
    }
}
