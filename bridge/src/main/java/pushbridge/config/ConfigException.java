package pushbridge.config;

import java.util.List;

/** Thrown for a configuration that cannot be used; says everything that is wrong with it, secrets masked. */
public final class ConfigException extends Exception {
    private final List<String> problems;

    /** @param problems one sentence each, without secrets; not empty */
    public ConfigException(List<String> problems) {
        super(text(problems));
        this.problems = List.copyOf(problems);
    }

    /** One sentence for each problem: the key, where it was set, what is wrong and what is allowed. */
    public List<String> problems() {
        return problems;
    }

    private static String text(List<String> problems) {
        return (problems.size() == 1 ? "1 problem" : problems.size() + " problems") + " in the configuration:\n  "
                + String.join("\n  ", problems);
    }
}
