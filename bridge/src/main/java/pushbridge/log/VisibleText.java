package pushbridge.log;

import pushbridge.config.Secrets;

/** Text of which every character is seen as what it is: nothing in it moves, colours, hides, turns or ends a line. */
public final class VisibleText {

    private VisibleText() {}

    /**
     * The text with {@code \}{@code u} escapes for what is no visible character: controls, line ends, terminal escapes, marks
     * that turn the direction of writing, zero-width ones, and halves of surrogate pairs. Passwords of URIs and JSON Web
     * Tokens are masked, as a second line of defence.
     *
     * @param longest characters that are shown; of what is longer the beginning, and how long it is
     */
    public static String of(String text, int longest) {
        if (text.length() <= longest) {
            return Secrets.mask(escaped(text));
        }
        int end = Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest;
        // Masked before it is cut: half a password would not be recognised. Not all of it, which may be megabytes.
        String masked = Secrets.mask(text.substring(0, Math.min(text.length(), end * 2)));
        return escaped(masked.substring(0, Math.min(masked.length(), end))) + "… (" + text.length() + " characters)";
    }

    private static String escaped(String text) {
        int first = firstInvisible(text);
        if (first < 0) {
            return text;
        }
        StringBuilder visible = new StringBuilder(text.length() + 16).append(text, 0, first);
        for (int i = first; i < text.length(); ) {
            int character = text.codePointAt(i);
            i += Character.charCount(character);
            if (!isInvisible(character)) {
                visible.appendCodePoint(character);
            } else if (character == '\n') {
                visible.append("\\n");
            } else if (character == '\r') {
                visible.append("\\r");
            } else if (character == '\t') {
                visible.append("\\t");
            } else {
                for (char half : Character.toChars(character)) {
                    visible.append(String.format("\\u%04x", (int) half));
                }
            }
        }
        return visible.toString();
    }

    private static int firstInvisible(String text) {
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            if (isInvisible(character)) {
                return i;
            }
            i += Character.charCount(character);
        }
        return -1;
    }

    private static boolean isInvisible(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.PRIVATE_USE -> true;
            default -> false;
        };
    }
}
