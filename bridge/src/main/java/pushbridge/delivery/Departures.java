package pushbridge.delivery;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Connections that have closed lately, and whether anything has gone past them since, so that a page that comes back and
 * names the connection it had can be told that it missed nothing. What is not remembered is never called complete.
 * Bounded (I5): the oldest are forgotten first. Loop thread only.
 */
final class Departures {

    /** One closed connection. */
    static final class Departure {
        private final @Nullable String address;
        private final Set<String> channels;
        /** Fan-outs before it left. */
        private final long leftAt;
        /** Whether something addressed to its user went elsewhere, or may have. */
        private boolean missed;
        /** Whether the page had everything that was offered to it, what is sent to many included. */
        private final boolean hadAll;

        private Departure(Session session, long leftAt) {
            this.address = session.user() == null ? null : addressOf(session.user());
            this.channels = Set.copyOf(session.channels());
            this.leftAt = leftAt;
            this.missed = session.hasMissed();
            this.hadAll = session.hasAll();
        }
    }

    private final int max;
    private final LinkedHashMap<String, Departure> byId = new LinkedHashMap<>();
    private final Map<String, List<Departure>> byAddress = new HashMap<>();
    /** Of how many departures, those that have come back included, a channel is remembered. */
    private final Map<String, Integer> remembering = new HashMap<>();
    /** The last fan-out to each of these channels. */
    private final Map<String, Long> lastOf = new HashMap<>();

    private long fanOuts;
    private long lastToAll;

    /** @param max connections remembered; 0 for none */
    Departures(int max) {
        this.max = max;
    }

    private static String addressOf(String user) {
        return "user." + user;
    }

    /** A connection has closed. Only one that acknowledges is remembered: what others have is not known. */
    void left(Session session) {
        if (max == 0 || session.confirmation() != Confirmation.ACK) {
            return;
        }
        Departure departure = new Departure(session, fanOuts);
        byId.put(session.id(), departure);
        if (departure.address != null) {
            byAddress
                    .computeIfAbsent(departure.address, address -> new ArrayList<>(1))
                    .add(departure);
        }
        departure.channels.forEach(channel -> remembering.merge(channel, 1, Integer::sum));
        if (byId.size() > max) {
            Iterator<Map.Entry<String, Departure>> oldest = byId.entrySet().iterator();
            Departure forgotten = oldest.next().getValue();
            oldest.remove();
            unlink(forgotten);
            forget(forgotten);
        }
    }

    /** A page has come back and names the connection it had; null when that is not known, or was another user's. */
    @Nullable
    Departure back(String id, @Nullable String user) {
        Departure departure = byId.get(id);
        String address = user == null ? null : addressOf(user);
        if (departure == null || (address == null ? departure.address != null : !address.equals(departure.address))) {
            return null;
        }
        byId.remove(id);
        unlink(departure);
        return departure;
    }

    private void unlink(Departure departure) {
        if (departure.address != null) {
            byAddress.computeIfPresent(departure.address, (address, departures) -> {
                departures.remove(departure);
                return departures.isEmpty() ? null : departures;
            });
        }
    }

    /** A departure that came back is of no use any more. */
    void forget(Departure departure) {
        for (String channel : departure.channels) {
            if (remembering.computeIfPresent(channel, (name, count) -> count == 1 ? null : count - 1) == null) {
                lastOf.remove(channel);
            }
        }
    }

    /** Nothing that was remembered holds any more: another bridge may have delivered meanwhile. */
    void clear() {
        for (Departure departure : byId.values()) {
            forget(departure);
        }
        byId.clear();
        byAddress.clear();
    }

    /** A message for this address is delivered to somebody else, or to nobody any more. */
    void passed(String address) {
        if (!byAddress.isEmpty()) {
            for (Departure departure : byAddress.getOrDefault(address, List.of())) {
                departure.missed = true;
            }
        }
    }

    /** A message was sent to all subscribers of a channel. */
    void sentTo(String channel) {
        fanOuts++;
        if (remembering.containsKey(channel)) {
            lastOf.put(channel, fanOuts);
        }
    }

    /** A message was sent to everybody. */
    void sentToAll() {
        lastToAll = ++fanOuts;
    }

    /** Whether it is known that nothing for the user has gone past this one. */
    static boolean isComplete(@Nullable Departure departure) {
        return departure != null && !departure.missed;
    }

    /** Whether it is known that nothing on the channel has gone past this one until now. */
    boolean isComplete(@Nullable Departure departure, String channel) {
        return departure != null
                && departure.hadAll
                && departure.channels.contains(channel)
                && lastToAll <= departure.leftAt
                && lastOf.getOrDefault(channel, 0L) <= departure.leftAt;
    }

    int size() {
        return byId.size();
    }
}
