package pushbridge.doctor;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import pushbridge.config.BridgeConfig;

/** Whether the process may open as many files, sockets among them, as its configuration can need. */
public final class FileLimit {

    /** Connections to RabbitMQ, listening sockets, selectors, the jars and the log; a bridge at rest has some 80. */
    private static final int OTHERS = 200;

    /** What the public listener takes beyond its limit, to answer 503 there: an eighth. */
    private static final int MARGIN_SHARE = 8;

    private FileLimit() {}

    /** Of this process; empty where the system has none. */
    public static OptionalLong ofThisProcess() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? OptionalLong.of(unix.getMaxFileDescriptorCount())
                : OptionalLong.empty();
    }

    /** What an operator should know; null when the limit is high enough. */
    public static @Nullable String warning(BridgeConfig config, long limit) {
        int connections = config.socket().maxConnections();
        int others = OTHERS + config.admin().maxConnections();
        long needed = (long) connections + Math.max(16, connections / MARGIN_SHARE) + others;
        if (limit >= needed) {
            return null;
        }
        return ("This process may open %d files, and pushbridge.socket.max-connections=%d can need %d: at the limit nobody"
                        + " comes in any more, operators and RabbitMQ included. Raise it (ulimit -n %d, LimitNOFILE= in systemd,"
                        + " --ulimit nofile= in Docker), or set pushbridge.socket.max-connections to %d")
                .formatted(
                        limit,
                        connections,
                        needed,
                        needed,
                        Math.max(1, (limit - others) * MARGIN_SHARE / (MARGIN_SHARE + 1) - 16));
    }
}
