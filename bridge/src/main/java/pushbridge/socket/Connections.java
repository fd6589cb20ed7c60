package pushbridge.socket;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The open connections, how many each user has, and how those before them ended. Any thread. */
final class Connections {

    private final Set<PushConnection> open = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> perUser = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> ended = new ConcurrentHashMap<>();
    private final int maxPerUser;

    Connections(int maxPerUser) {
        this.maxPerUser = maxPerUser;
    }

    /**
     * Takes one of the user's places; to be given back by {@link #release}.
     *
     * @return false when all are taken
     */
    boolean reserve(@Nullable String user) {
        if (user == null) {
            return true;
        }
        boolean[] reserved = new boolean[1];
        perUser.compute(user, (name, count) -> {
            int taken = count == null ? 0 : count;
            reserved[0] = taken < maxPerUser;
            return reserved[0] ? Integer.valueOf(taken + 1) : count;
        });
        return reserved[0];
    }

    void release(@Nullable String user) {
        if (user != null) {
            perUser.computeIfPresent(user, (name, count) -> count == 1 ? null : count - 1);
        }
    }

    void add(PushConnection connection) {
        open.add(connection);
    }

    /** Forgets a connection and gives its user's place back; the second time it does nothing. */
    void remove(PushConnection connection, @Nullable String user) {
        if (open.remove(connection)) {
            release(user);
        }
    }

    /** A live view; safe to walk while connections come and go. */
    Set<PushConnection> open() {
        return open;
    }

    void countEnd(String how) {
        ended.computeIfAbsent(how, name -> new LongAdder()).increment();
    }

    Map<String, Long> ends() {
        Map<String, Long> counts = new TreeMap<>();
        ended.forEach((how, count) -> counts.put(how, count.sum()));
        return counts;
    }
}
