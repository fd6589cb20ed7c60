package pushbridge.config;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds the key that a source means, or the sentence that says why there is none. */
final class KeyNames {
    private static final String SEE = "'pushbridge config-doc' lists all keys";
    private static final Pattern LOOKS_LIKE_A_NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

    private record Named(Key<?> key, boolean isTwin) {}

    private final Map<String, Named> names = new LinkedHashMap<>();

    private KeyNames(UnaryOperator<String> spelling) {
        for (Key<?> key : Keys.all()) {
            names.put(spelling.apply(key.fullName()), new Named(key, false));
            if (key.secret()) {
                names.put(spelling.apply(key.fileTwin()), new Named(key, true));
            }
        }
    }

    /** As written in YAML and on the command line: {@code pushbridge.amqp.uri}. */
    static KeyNames dotted() {
        return new KeyNames(UnaryOperator.identity());
    }

    /** As written in the environment: {@code PUSHBRIDGE_AMQP_URI}. */
    static KeyNames ofEnvironment() {
        return new KeyNames(Key::environmentName);
    }

    /** The setting a name and a text make; null when no key has this name. */
    @Nullable
    Setting setting(String name, String text, Origin origin) {
        Named named = names.get(name);
        return named == null ? null : new Setting(named.key, named.isTwin, text.strip(), origin);
    }

    boolean isKey(String name) {
        return names.containsKey(name);
    }

    /** Whether keys start with this name and a dot. */
    boolean isSection(String name) {
        return names.keySet().stream().anyMatch(key -> key.startsWith(name + "."));
    }

    /** Says that a name is unknown and which one may have been meant. */
    String unknown(String name) {
        String nearest = nearest(name, names.keySet());
        return "there is no such key; " + (nearest == null ? SEE : "did you mean " + nearest + "? " + SEE);
    }

    /** A name as it can be shown. What looks like no name may be a misplaced value, and that may be a secret. */
    static String shown(String name) {
        return LOOKS_LIKE_A_NAME.matcher(name).matches() ? name : "a key that is not shown";
    }

    private static @Nullable String nearest(String name, Collection<String> candidates) {
        String best = null;
        // Farther away it would be a guess; half of a short name is still a typo.
        int bestDistance = Math.max(2, name.length() / 4) + 1;
        for (String candidate : candidates) {
            int distance = distance(name, candidate);
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return best;
    }

    /** Letters to change, add or take away (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
