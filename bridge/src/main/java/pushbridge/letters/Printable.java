package pushbridge.letters;

/**
 * Text from elsewhere as a terminal may see it. A body or a header can carry escape sequences that move the cursor, set the
 * title or paste into the shell, and characters that show text in another order than it has.
 */
public final class Printable {

    private Printable() {}

    /** The text with everything that is not simply shown written as {@code \}{@code u001b}. Its lines become one. */
    public static String line(String text) {
        return escape(text, false);
    }

    /** The same, keeping line ends and tabs. */
    public static String lines(String text) {
        return escape(text, true);
    }

    /** In quotation marks, cut to 80 characters. */
    static String quoted(String text) {
        return '"' + line(text.length() > 80 ? text.substring(0, 80) + "…" : text) + '"';
    }

    /** Whether a terminal shows it as the one character it is. */
    static boolean isPlain(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.UNASSIGNED,
                    Character.PRIVATE_USE -> codePoint == 0x200D; // joins emoji
            default -> true;
        };
    }

    private static String escape(String text, boolean keepLines) {
        int first = firstUnplain(text, keepLines);
        if (first == text.length()) {
            return text;
        }
        StringBuilder safe = new StringBuilder(text.length() + 16).append(text, 0, first);
        for (int i = first; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            int chars = Character.charCount(codePoint);
            if (isPlain(codePoint) || (keepLines && isLayout(codePoint))) {
                safe.appendCodePoint(codePoint);
            } else {
                for (int c = 0; c < chars; c++) {
                    safe.append("\\u%04x".formatted((int) text.charAt(i + c)));
                }
            }
            i += chars;
        }
        return safe.toString();
    }

    private static int firstUnplain(String text, boolean keepLines) {
        int i = 0;
        while (i < text.length()) {
            int codePoint = text.codePointAt(i);
            if (!isPlain(codePoint) && !(keepLines && isLayout(codePoint))) {
                return i;
            }
            i += Character.charCount(codePoint);
        }
        return i;
    }

    private static boolean isLayout(int codePoint) {
        return codePoint == '\n' || codePoint == '\t';
    }
}
