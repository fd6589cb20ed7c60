package pushbridge.config;

/**
 * The log.
 *
 * @param format how a line looks
 * @param level how much is told
 */
public record LogConfig(Format format, Level level) {

    /** How a line looks. */
    public enum Format {
        /** Text on a terminal, JSON elsewhere. */
        AUTO,
        /** For people. */
        TEXT,
        /** One JSON object a line. */
        JSON
    }

    /** How much is told; each includes those before it. */
    public enum Level {
        /** What should not happen. */
        ERROR,
        /** What somebody should look at. */
        WARN,
        /** What an operator may want to know. */
        INFO,
        /** Each connection, and what is tried again. */
        DEBUG,
        /** Whatever there is. */
        TRACE
    }
}
