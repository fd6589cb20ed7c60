package pushbridge.config;

import java.nio.file.Path;

/**
 * Where a value comes from.
 *
 * @param kind which source; a later one overrides an earlier one
 * @param text as people read it: {@code bridge.yaml line 12}
 */
record Origin(Kind kind, String text) {

    /** The sources, weakest first. */
    enum Kind {
        DEFAULT,
        FILE,
        ENVIRONMENT,
        COMMAND_LINE
    }

    static final Origin UNSET = new Origin(Kind.DEFAULT, "default");
    static final Origin COMMAND_LINE = new Origin(Kind.COMMAND_LINE, "command line");

    static Origin file(Path file, int line) {
        return new Origin(Kind.FILE, file + " line " + line);
    }

    static Origin environment(String name) {
        return new Origin(Kind.ENVIRONMENT, "environment " + name);
    }
}
