package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who is connected, and to what. Loop thread only. */
final class Directory {

    private final Map<String, Session> byId = new LinkedHashMap<>();
    private final Map<String, List<Session>> byUser = new HashMap<>();
    private final Map<String, Set<Session>> byChannel = new HashMap<>();

    void add(Session session) {
        byId.put(session.id(), session);
        if (session.user() != null) {
            byUser.computeIfAbsent(session.user(), user -> new ArrayList<>(1)).add(session);
        }
        session.present = true;
    }

    void remove(Session session) {
        session.present = false;
        byId.remove(session.id());
        if (session.user() != null) {
            byUser.computeIfPresent(session.user(), (user, sessions) -> {
                sessions.remove(session);
                return sessions.isEmpty() ? null : sessions;
            });
        }
        for (String channel : session.channels()) {
            removeFrom(channel, session);
        }
    }

    void subscribe(Session session, String channel) {
        if (session.addChannel(channel)) {
            byChannel.computeIfAbsent(channel, name -> new LinkedHashSet<>()).add(session);
        }
    }

    void unsubscribe(Session session, String channel) {
        if (session.removeChannel(channel)) {
            removeFrom(channel, session);
        }
    }

    private void removeFrom(String channel, Session session) {
        byChannel.computeIfPresent(channel, (name, sessions) -> {
            sessions.remove(session);
            return sessions.isEmpty() ? null : sessions;
        });
    }

    /** The connections of a user; empty when absent. */
    List<Session> ofUser(@Nullable String user) {
        return byUser.getOrDefault(user, List.of());
    }

    /** The subscribers of a channel, in the order they came. */
    Collection<Session> ofChannel(String channel) {
        return byChannel.getOrDefault(channel, Set.of());
    }

    /** The connection with this id, as a list of none or one. */
    List<Session> ofConnection(String id) {
        Session session = byId.get(id);
        return session == null ? List.of() : List.of(session);
    }

    Collection<Session> all() {
        return byId.values();
    }

    Set<String> connectedUsers() {
        return byUser.keySet();
    }

    int users() {
        return byUser.size();
    }

    int channels() {
        return byChannel.size();
    }
}
