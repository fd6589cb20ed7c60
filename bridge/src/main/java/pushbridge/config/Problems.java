package pushbridge.config;

import java.util.ArrayList;
import java.util.List;

/** Gathers everything that is wrong, so that it can be told together. */
final class Problems {
    private final List<String> sentences = new ArrayList<>();

    /** Adds {@code key (from where): what is wrong}. */
    void add(String key, Origin origin, String sentence) {
        String from = origin.kind() == Origin.Kind.DEFAULT ? origin.text() : "from " + origin.text();
        add(key + " (" + from + "): " + sentence);
    }

    /** Adds a sentence that is about no one key. */
    void add(String sentence) {
        // Whoever wrote the sentence left secrets out; this catches one that stands where none is expected.
        sentences.add(Secrets.mask(sentence));
    }

    void throwIfAny() throws ConfigException {
        if (!sentences.isEmpty()) {
            throw new ConfigException(sentences);
        }
    }
}
