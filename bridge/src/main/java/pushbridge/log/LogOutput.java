package pushbridge.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;
import pushbridge.config.LogConfig;

/** How the log of this process looks, and how much it tells; both can be changed while it runs. */
public final class LogOutput {

    /** Its name in logback.xml. */
    private static final String STDERR = "STDERR";

    private LogOutput() {}

    /** Takes over the configuration, before the first line is written. */
    public static void configure(LogConfig config) {
        boolean json = switch (config.format()) {
            case JSON -> true;
            case TEXT -> false;
            case AUTO -> !isTerminal();
        };
        if (json) {
            writeJson();
        }
        context().getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(level(config.level()));
    }

    private static void writeJson() {
        LoggerContext context = context();
        if (context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).getAppender(STDERR)
                instanceof ConsoleAppender<ILoggingEvent> stderr) {
            JsonLayout layout = new JsonLayout();
            layout.setContext(context);
            layout.start();
            LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
            encoder.setContext(context);
            encoder.setCharset(StandardCharsets.UTF_8);
            encoder.setLayout(layout);
            encoder.start();
            stderr.setEncoder(encoder);
        }
        // Else somebody has given the process a logback.xml of their own, which says how the log looks.
    }

    /** Whether a person reads standard error as it is written. */
    private static boolean isTerminal() {
        Path stderr = Path.of("/proc/self/fd/2");
        try {
            String target = Files.readSymbolicLink(stderr).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return Terminal.isThere(); // not Linux: as good as Java knows
        }
    }

    /** The levels that are set, by logger; {@code ROOT} for all others. */
    public static Map<String, String> levels() {
        Map<String, String> levels = new TreeMap<>();
        for (Logger logger : context().getLoggerList()) {
            if (logger.getLevel() != null) {
                levels.put(logger.getName(), slug(logger.getLevel()));
            }
        }
        return levels;
    }

    /**
     * Sets how much is told from now on.
     *
     * @param logger a class, a package, or {@code ROOT}
     */
    public static void set(String logger, LogConfig.Level level) {
        context().getLogger(logger).setLevel(level(level));
    }

    private static Level level(LogConfig.Level level) {
        return Level.toLevel(level.name());
    }

    private static String slug(Level level) {
        return level.toString().toLowerCase(Locale.ROOT);
    }

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }
}
