package pushbridge.app;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.config.LogConfig;
import pushbridge.log.LogOutput;
import tools.jackson.databind.JsonNode;

/** What operators can ask about the log, and change of it: {@code /api/log/levels}. */
final class LogRoutes {

    /** What a Java class or package is called; logback keeps each name it is told for ever, so only sensible ones. */
    private static final Pattern LOGGER =
            Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]{0,63}(\\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,9}");

    /** Loggers that may have a level of their own (I5). */
    private static final int MOST_LEVELS = 200;

    private LogRoutes() {}

    static void register(AdminServer admin) {
        admin.register("GET", "/api/log/levels", request -> AdminAnswer.json(Map.of("levels", LogOutput.levels())));
        admin.register("POST", "/api/log/levels", LogRoutes::set);
    }

    private static AdminAnswer set(AdminRequest request) throws AdminException {
        JsonNode body = request.json();
        String logger = body.path("logger").asString("ROOT");
        if (!LOGGER.matcher(logger).matches()) {
            throw new AdminException(400, "bad-logger", "logger must be the name of a class or package, or ROOT.");
        }
        Map<String, String> levels = LogOutput.levels();
        if (levels.size() >= MOST_LEVELS && !levels.containsKey(logger)) {
            throw new AdminException(
                    409,
                    "too-many",
                    MOST_LEVELS + " loggers have a level of their own; restart the bridge to forget them.");
        }
        LogConfig.Level level = level(body.path("level").asString(""));
        LogOutput.set(logger, level);
        return AdminAnswer.json(Map.of("logger", logger, "level", slug(level)))
                .noting("the log level of " + logger + " is " + slug(level));
    }

    private static LogConfig.Level level(String text) throws AdminException {
        for (LogConfig.Level level : LogConfig.Level.values()) {
            if (slug(level).equals(text)) {
                return level;
            }
        }
        String all =
                Arrays.stream(LogConfig.Level.values()).map(LogRoutes::slug).collect(Collectors.joining(", "));
        throw new AdminException(400, "bad-level", "level must be one of " + all + ".");
    }

    private static String slug(LogConfig.Level level) {
        return level.name().toLowerCase(Locale.ROOT);
    }
}
