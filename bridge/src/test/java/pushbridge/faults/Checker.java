package pushbridge.faults;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges a run from outside: from what was published and from what each client saw, in the order it saw it. It knows
 * messages by address and seq, so that a duplicate cannot make up for a loss.
 */
final class Checker {

    private final Map<String, Published> published = new HashMap<>();
    /** Those of an earlier judgement: they may come once more, and that is all. */
    private final Map<String, Published> earlier = new HashMap<>();

    private final Map<String, Integer> frames = new HashMap<>();
    private final Set<String> delivered = new HashSet<>();
    private final Set<String> copied = new HashSet<>();
    private final List<String> reordered = new ArrayList<>();
    private final List<String> altered = new ArrayList<>();
    private final List<String> unreasoned = new ArrayList<>();
    private int late;

    private Checker() {}

    /**
     * Judges.
     *
     * @param published all messages, those of an address in publish order, with ascending seq
     * @param clients what each client saw, by its name; only one client of each user, or a copy would count as a
     *     duplicate
     * @param steady those of the clients that never lost their connection. Any other one may get a message of a channel
     *     late, behind later ones: it was away when that was sent to all, and there when RabbitMQ delivered it again
     * @param copies what the queues of dead and expired messages have
     */
    static Verdict judge(
            Collection<Published> published,
            Map<String, List<String>> clients,
            Set<String> steady,
            Collection<Copy> copies) {
        return judge(List.of(), published, clients, steady, copies);
    }

    /**
     * The same for a part of a run.
     *
     * @param earlier the messages of the part before, all of which were delivered: another copy of one is a duplicate
     */
    static Verdict judge(
            Collection<Published> earlier,
            Collection<Published> published,
            Map<String, List<String>> clients,
            Set<String> steady,
            Collection<Copy> copies) {
        Checker checker = new Checker();
        for (Published message : earlier) {
            checker.earlier.put(message.key(), message);
        }
        for (Published message : published) {
            checker.published.put(message.key(), message);
        }
        clients.forEach((client, texts) -> checker.readClient(client, steady.contains(client), texts));
        copies.forEach(checker::readCopy);
        return checker.verdict();
    }

    private void readClient(String client, boolean steady, List<String> texts) {
        Set<String> seen = new HashSet<>();
        Map<String, Long> highest = new HashMap<>();
        for (String text : texts) {
            Frame frame = Frame.of(text);
            if (!isGenuine(client, frame)) {
                continue;
            }
            if (earlier.containsKey(frame.key())) {
                late += isForUser(frame.address()) ? 1 : 0;
                continue;
            }
            if (isForUser(frame.address())) {
                frames.merge(frame.key(), 1, Integer::sum);
                delivered.add(frame.key());
            }
            if (seen.add(frame.key())) {
                @Nullable Long before = highest.put(frame.address(), frame.seq());
                if (before != null && before > frame.seq()) {
                    if (steady || isForUser(frame.address())) {
                        reordered.add("%s got %s behind %d".formatted(client, frame.key(), before));
                    }
                    highest.put(frame.address(), before);
                }
            }
        }
    }

    private void readCopy(Copy copy) {
        if (isGenuine("a copy", copy.frame())) {
            copied.add(copy.frame().key());
            if (copy.reason().isBlank()) {
                unreasoned.add(copy.frame().key());
            }
        }
    }

    private boolean isGenuine(String where, Frame frame) {
        Published original = published.get(frame.key());
        if (original == null) {
            original = earlier.get(frame.key());
        }
        boolean genuine = original != null && original.text().equals(frame.text());
        if (!genuine) {
            altered.add("%s: %s".formatted(where, frame.text()));
        }
        return genuine;
    }

    private Verdict verdict() {
        int messages = 0;
        int duplicated = late;
        int repeated = 0;
        List<String> lost = new ArrayList<>();
        for (Published message : published.values()) {
            if (!isForUser(message.address()) || !message.confirmed()) {
                continue;
            }
            messages++;
            int own = message.attempts() - 1;
            repeated += own > 0 ? 1 : 0;
            duplicated += Math.max(0, frames.getOrDefault(message.key(), 0) - 1 - own);
            if (!delivered.contains(message.key()) && !copied.contains(message.key())) {
                lost.add(message.key());
            }
        }
        return new Verdict(
                messages, delivered.size(), copied.size(), duplicated, repeated, lost, reordered, altered, unreasoned);
    }

    private static boolean isForUser(String address) {
        return address.startsWith("user.");
    }
}
