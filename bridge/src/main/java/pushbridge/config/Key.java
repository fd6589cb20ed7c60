package pushbridge.config;

import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One thing that can be set.
 *
 * @param name the name behind {@code pushbridge.}
 * @param group how often people need it
 * @param type what is allowed
 * @param fallback what holds when nothing sets it
 * @param secret whether its value may never be shown; such a key has a twin {@code <name>-file}
 * @param sentence what it does, one sentence for the reference
 */
record Key<T>(String name, Group group, ValueType<T> type, Default fallback, boolean secret, String sentence) {
    /** Starts every key. */
    static final String PREFIX = "pushbridge.";

    private static final String FILE_TWIN = "-file";

    /** How often people need a key; the reference is grouped by it. */
    enum Group {
        ESSENTIALS("Essentials", "What nearly every installation looks at."),
        FREQUENT("Frequent", "What a busy installation tunes."),
        RARE("Rare", "What has a reason to exist, and seldom one to be changed.");

        final String title;
        final String sentence;

        Group(String title, String sentence) {
            this.title = title;
            this.sentence = sentence;
        }
    }

    /**
     * What holds when nothing sets a key.
     *
     * @param documented as the reference shows it
     * @param text the text to read as if it had been set; null when there is no value then
     * @param required whether something must set it
     */
    record Default(String documented, Function<Machine, @Nullable String> text, boolean required) {
        static Default of(String text) {
            return new Default("`" + text + "`", machine -> text, false);
        }

        static Default none() {
            return new Default("none", machine -> null, false);
        }

        /** For a list. */
        static Default empty() {
            return new Default("none", machine -> "", false);
        }

        static Default mandatory() {
            return new Default("none: required by `serve`", machine -> null, true);
        }

        static Default processors(int least, int most) {
            return new Default(
                    "number of processors",
                    machine -> String.valueOf(Math.max(least, Math.min(most, machine.processors()))),
                    false);
        }
    }

    /** {@code pushbridge.amqp.uri} */
    String fullName() {
        return PREFIX + name;
    }

    /** {@code pushbridge.amqp.uri-file}: names a file that holds the value. */
    String fileTwin() {
        return fullName() + FILE_TWIN;
    }

    /** {@code PUSHBRIDGE_AMQP_URI} */
    String environmentName() {
        return environmentName(fullName());
    }

    static String environmentName(String fullName) {
        return fullName.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
