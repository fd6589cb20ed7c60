package pushbridge.admin;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line in the log for every action of an operator, done or refused; the logger is {@code pushbridge.admin.Audit}. */
final class Audit {

    private static final Logger log = LoggerFactory.getLogger(Audit.class);

    private Audit() {}

    /**
     * @param who the operator, as far as that is known
     * @param from the address that TCP tells
     * @param path without its query, in which somebody may have put anything
     * @param did what was done, or why not
     */
    static void log(String who, String from, String method, String path, int status, String did) {
        log.info(
                "who=\"{}\" from={} action=\"{} {}\" status={} result=\"{}\"",
                plain(who),
                from,
                method,
                plain(path),
                status,
                plain(did));
    }

    /** Nothing in a field can end it. */
    private static String plain(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
