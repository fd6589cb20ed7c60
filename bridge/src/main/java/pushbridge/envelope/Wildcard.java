package pushbridge.envelope;

/** Patterns in which {@code *} stands for any characters, none included; everything else stands for itself. */
public final class Wildcard {

    private Wildcard() {}

    /**
     * Whether the whole text fits. By hand, since a regular expression made of a pattern from outside could be made to run for
     * ever: at worst this takes the length of the pattern times that of the text, since only the last star is ever gone back
     * to.
     */
    public static boolean matches(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                resume = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++resume;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }
}
