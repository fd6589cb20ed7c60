package pushbridge.letters;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.envelope.Address;
import pushbridge.envelope.Reading;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Does it in this process. Thread-safe; what changes something goes one after the other. */
public final class LocalDesk implements LetterDesk {

    private static final Logger log = LoggerFactory.getLogger(LocalDesk.class);

    /** Groups told of by {@link #count}, and by an action for what it leaves. */
    private static final int GROUPS = 50;

    private final Shelves shelves;
    private final Runnable onClose;
    private final LongSupplier wallMillis;
    private final Object changing = new Object();

    /**
     * @param wallMillis the machine's clock
     * @param onClose run by {@link #close}
     */
    public LocalDesk(Shelves shelves, LongSupplier wallMillis, Runnable onClose) {
        this.shelves = shelves;
        this.wallMillis = wallMillis;
        this.onClose = onClose;
    }

    // Looking

    @Override
    public ObjectNode list(LetterQueue queue, Filter filter, int limit, @Nullable String after, boolean newestFirst)
            throws LetterException, InterruptedException {
        try (Shelf shelf = shelves.open(queue)) {
            return list(queue, shelf, matching(shelf, filter), limit, after, newestFirst);
        }
    }

    private static ObjectNode list(
            LetterQueue queue,
            Shelf shelf,
            List<Entry> matching,
            int limit,
            @Nullable String after,
            boolean newestFirst)
            throws LetterException {
        if (newestFirst) {
            Collections.reverse(matching);
        }
        int from = 0;
        if (after != null) {
            from = -1;
            for (int i = 0; i < matching.size() && from < 0; i++) {
                from = matching.get(i).idText().equals(after) ? i + 1 : -1;
            }
            if (from < 0) {
                throw new LetterException(
                        LetterException.Kind.NOT_FOUND,
                        "the letter " + Printable.quoted(after) + ", behind which to go on, is not there any more");
            }
        }
        int to = Math.min(matching.size(), from + limit);
        ObjectNode json = totals(queue, shelf, matching.size());
        ArrayNode letters = json.putArray("letters");
        for (Entry entry : matching.subList(from, to)) {
            letters.add(LetterJson.summary(queue, entry));
        }
        json.put(
                "next", to < matching.size() && to > from ? matching.get(to - 1).idText() : null);
        return json;
    }

    private static ObjectNode totals(LetterQueue queue, Shelf shelf, int matching) {
        ObjectNode json = LetterJson.object();
        json.put("queue", queue.slug());
        json.put("total", shelf.entries().size());
        json.put("beyond", shelf.beyond());
        json.put("matching", matching);
        return json;
    }

    @Override
    public ObjectNode count(LetterQueue queue, Filter filter) throws LetterException, InterruptedException {
        try (Shelf shelf = shelves.open(queue)) {
            return count(queue, shelf, matching(shelf, filter));
        }
    }

    private static ObjectNode count(LetterQueue queue, Shelf shelf, List<Entry> matching) {
        Tally byReason = new Tally();
        Tally byType = new Tally();
        Tally byProblem = new Tally();
        for (Entry entry : matching) {
            byReason.add(entry, Map.of("reason", entry.reason()));
            byType.add(entry, Map.of("type", entry.type() == null ? "" : entry.type()));
            Map<String, String> problem = new LinkedHashMap<>();
            problem.put("reason", entry.reason());
            problem.put("type", entry.type() == null ? "" : entry.type());
            problem.put("detail", entry.detail());
            byProblem.add(entry, problem);
        }
        ObjectNode json = totals(queue, shelf, matching.size());
        if (!matching.isEmpty()) {
            json.put(
                    "oldest",
                    LetterJson.summary(queue, matching.get(0)).path("failedAt").asString());
            json.put(
                    "newest",
                    LetterJson.summary(queue, matching.get(matching.size() - 1))
                            .path("failedAt")
                            .asString());
        }
        json.set("reasons", byReason.json());
        json.set("types", byType.json());
        json.set("problems", byProblem.json());
        json.put("moreProblems", Math.max(0, byProblem.groups.size() - GROUPS));
        return json;
    }

    @Override
    public ObjectNode show(LetterQueue queue, String id) throws LetterException, InterruptedException {
        Letter letter;
        try (Shelf shelf = shelves.open(queue)) {
            letter = shelf.read(one(shelf, id));
        }
        ObjectNode json = LetterJson.full(letter);
        Reading.Refusal refusal = verdict(letter, Replay.PLAIN);
        ObjectNode now = json.putObject("replayedNow");
        now.put("taken", refusal == null);
        if (refusal != null) {
            now.put("reason", refusal.reason().slug());
            now.put("detail", refusal.detail());
        }
        return json;
    }

    private static Entry one(Shelf shelf, String id) throws LetterException {
        if (!id.matches("[0-9a-fA-F]{1,12}")) {
            throw LetterException.invalid(
                    Printable.quoted(id) + " is no id of a letter, which has up to 12 hexadecimal digits");
        }
        Filter filter = new Filter(List.of(id), List.of(), List.of(), List.of(), null, null, null);
        List<Entry> matching = shelf.entries().stream().filter(filter::fits).toList();
        if (matching.isEmpty()) {
            throw new LetterException(LetterException.Kind.NOT_FOUND, "there is no letter " + Printable.quoted(id));
        }
        if (matching.stream().mapToLong(Entry::id).distinct().count() > 1) {
            throw LetterException.invalid(matching.size() + " letters begin with " + id + ", such as "
                    + matching.get(0).idText() + " and " + matching.get(1).idText() + ": write more of it");
        }
        return matching.get(0);
    }

    @Override
    public void export(LetterQueue queue, Filter filter, Taker taker) throws LetterException, InterruptedException {
        try (Shelf shelf = shelves.open(queue)) {
            for (Entry entry : cheaply(shelf, filter)) {
                Letter letter = shelf.read(entry);
                if (filter.fits(letter)) {
                    taker.take(LetterJson.full(letter));
                }
            }
        }
    }

    private static List<Entry> matching(Shelf shelf, Filter filter) throws LetterException {
        List<Entry> matching = cheaply(shelf, filter);
        if (filter.needsNoBody()) {
            return matching;
        }
        List<Entry> all = new ArrayList<>();
        for (Entry entry : matching) {
            if (filter.fits(shelf.read(entry))) {
                all.add(entry);
            }
        }
        return all;
    }

    private static List<Entry> cheaply(Shelf shelf, Filter filter) {
        List<Entry> matching = new ArrayList<>(shelf.entries());
        if (!filter.isAll()) {
            matching.removeIf(entry -> !filter.fits(entry));
        }
        return matching;
    }

    /** Ids that were written down must not be passed over in silence. */
    private static void requireIds(List<Entry> matching, Filter filter) throws LetterException {
        for (String id : filter.ids()) {
            if (matching.stream().noneMatch(entry -> entry.idText().startsWith(id))) {
                throw new LetterException(
                        LetterException.Kind.NOT_FOUND,
                        "there is no letter " + Printable.quoted(id) + " to which the rest applies; nothing was done");
            }
        }
    }

    // Changing

    @Override
    public ObjectNode replay(LetterQueue queue, Filter filter, Replay how, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException {
        checkAddress(how.to());
        synchronized (changing) {
            try (Shelf shelf = shelves.open(queue)) {
                List<Entry> chosen = matching(shelf, filter);
                requireIds(chosen, filter);
                if (how.body() != null && chosen.size() != 1) {
                    throw LetterException.invalid(
                            "another body is for exactly one letter, and " + chosen.size() + " are meant");
                }
                ReplayRun run = new ReplayRun(shelf, how, dryRun, progress, chosen.size());
                if (dryRun) {
                    run.over(chosen, null);
                } else {
                    try (Sender sender = shelves.sender()) {
                        run.over(chosen, sender);
                    } finally {
                        audit("Replayed", queue, run.done, filter, how.to() == null ? "" : " to " + how.to());
                    }
                    shelf.settle();
                }
                return run.json(queue);
            }
        }
    }

    private static void checkAddress(@Nullable String to) throws LetterException {
        if (to != null) {
            try {
                Address.parse(to);
            } catch (Address.InvalidAddressException e) {
                throw LetterException.invalid("the address to replay to: " + e.getMessage());
            }
        }
    }

    /** One replay: who was taken, who was left and why. */
    private final class ReplayRun {
        private final Shelf shelf;
        private final Replay how;
        private final boolean dryRun;
        private final Progress progress;
        private final long of;
        private final Tally refused = new Tally();
        private long seen;
        private long done;
        private long answered;
        private long returned;
        private boolean full;
        private boolean calledOff;

        ReplayRun(Shelf shelf, Replay how, boolean dryRun, Progress progress, long of) {
            this.shelf = shelf;
            this.how = how;
            this.dryRun = dryRun;
            this.progress = progress;
            this.of = of;
        }

        /** @param sender null in a dry run */
        void over(List<Entry> chosen, @Nullable Sender sender) throws LetterException, InterruptedException {
            for (Entry entry : chosen) {
                // Whatever is published behind one that was refused would overtake it.
                if (full || calledOff) {
                    break;
                }
                seen++;
                one(entry, sender);
                calledOff = !progress.at(dryRun ? seen : answered, of);
            }
            if (sender != null) {
                sender.flush();
            }
            progress.at(dryRun ? seen : answered, of);
        }

        private void one(Entry entry, @Nullable Sender sender) throws LetterException, InterruptedException {
            Outgoing outgoing;
            try {
                outgoing = outgoing(shelf.read(entry), how);
            } catch (JsonPatch.PatchException e) {
                leave(entry, "patch", String.valueOf(e.getMessage()));
                return;
            }
            Reading.Refusal refusal = shelves.refusal(outgoing);
            if (refusal != null && !how.anyway()) {
                leave(entry, refusal.reason().slug(), refusal.detail());
            } else if (sender == null) {
                done++;
            } else {
                sender.send(outgoing, fate -> answer(entry, fate));
            }
        }

        private void leave(Entry entry, String reason, String detail) {
            answered++;
            Map<String, String> problem = new LinkedHashMap<>();
            problem.put("reason", reason);
            problem.put("detail", detail);
            refused.add(entry, problem);
        }

        private void answer(Entry entry, Sender.Fate fate) throws LetterException {
            answered++;
            switch (fate) {
                case TAKEN -> {
                    shelf.remove(entry); // only now: a crash before it leaves a duplicate, never a loss
                    done++;
                }
                case RETURNED -> returned++;
                case REFUSED -> full = true;
            }
        }

        ObjectNode json(LetterQueue queue) {
            ObjectNode json = LetterJson.object();
            json.put("queue", queue.slug());
            json.put("dryRun", dryRun);
            json.put("selected", of);
            json.put("replayed", done);
            json.put("left", of - done);
            json.put("refusedAgain", refused.total);
            json.set("refusals", refused.json());
            if (returned > 0) {
                json.put(
                        "stopped",
                        "RabbitMQ has no queue for " + returned + " of them: start a bridge, it declares it");
            } else if (full) {
                json.put(
                        "stopped",
                        "RabbitMQ refused in the middle: its queue of instructions is full, or has no leader at the"
                                + " moment; the rest was left");
            } else if (calledOff) {
                json.put("stopped", "it was called off; the rest was left");
            }
            return json;
        }
    }

    @Override
    public ObjectNode discard(LetterQueue queue, Filter filter, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException {
        synchronized (changing) {
            try (Shelf shelf = shelves.open(queue)) {
                List<Entry> chosen = matching(shelf, filter);
                requireIds(chosen, filter);
                long done = 0;
                if (!dryRun) {
                    try {
                        for (Entry entry : chosen) {
                            shelf.remove(entry);
                            if (!progress.at(++done, chosen.size())) {
                                break;
                            }
                        }
                        shelf.settle();
                    } finally {
                        audit("Discarded", queue, done, filter, "");
                    }
                }
                ObjectNode json = LetterJson.object();
                json.put("queue", queue.slug());
                json.put("dryRun", dryRun);
                json.put("selected", chosen.size());
                json.put("discarded", dryRun ? chosen.size() : done);
                return json;
            }
        }
    }

    @Override
    public ObjectNode put(List<Letter> letters, boolean dryRun) throws LetterException, InterruptedException {
        synchronized (changing) {
            Set<String> known = new HashSet<>();
            for (LetterQueue queue : LetterQueue.values()) {
                List<Letter> its = letters.stream()
                        .filter(letter -> letter.queue() == queue)
                        .toList();
                if (!its.isEmpty()) {
                    known.addAll(there(queue, its));
                }
            }
            List<Letter> missing = letters.stream()
                    .filter(letter -> known.add(letter.queue().slug() + letter.id()))
                    .toList();
            Taken taken = new Taken();
            if (!dryRun && !missing.isEmpty()) {
                try (Sender sender = shelves.sender()) {
                    for (Letter letter : missing) {
                        sender.send(again(letter), taken);
                    }
                    sender.flush();
                } finally {
                    audit("Imported", missing.get(0).queue(), taken.count, Filter.ALL, "");
                }
            }
            ObjectNode json = LetterJson.object();
            json.put("dryRun", dryRun);
            json.put("selected", letters.size());
            json.put("imported", dryRun ? missing.size() : taken.count);
            json.put("thereAlready", letters.size() - missing.size());
            return json;
        }
    }

    /** Which of these are in their queue; a queue may have many more than are asked for. */
    private Set<String> there(LetterQueue queue, List<Letter> asked) throws LetterException, InterruptedException {
        Set<Long> ids = new HashSet<>();
        asked.forEach(letter -> ids.add(Long.parseLong(letter.id(), 16)));
        Set<String> there = new HashSet<>();
        try (Shelf shelf = shelves.open(queue)) {
            for (Entry entry : shelf.entries()) {
                if (ids.contains(entry.id())) {
                    there.add(queue.slug() + entry.idText());
                }
            }
        }
        return there;
    }

    private static final class Taken implements Sender.Answer {
        private long count;

        @Override
        public void is(Sender.Fate fate) throws LetterException {
            switch (fate) {
                case TAKEN -> count++;
                case RETURNED ->
                    throw LetterException.unavailable(
                            "RabbitMQ has no queue for letters: start a bridge, it declares it");
                case REFUSED ->
                    throw LetterException.unavailable(
                            "RabbitMQ refuses further letters: the queue is full, or has no leader at the moment");
            }
        }
    }

    /** A letter to be put back; what RabbitMQ would not take from us is told in our own words. */
    private static Outgoing again(Letter letter) {
        return new Outgoing(
                letter.id(),
                letter.queue() == LetterQueue.DEAD ? Outgoing.Target.DEAD : Outgoing.Target.EXPIRED,
                "",
                letter.properties(),
                LetterHeaders.ofLetter(letter),
                letter.body());
    }

    private Reading.@Nullable Refusal verdict(Letter letter, Replay how) {
        try {
            return shelves.refusal(outgoing(letter, how));
        } catch (JsonPatch.PatchException e) {
            throw new IllegalStateException("nothing is patched", e);
        }
    }

    /** The instruction as it was before, or as it is wanted now. */
    private Outgoing outgoing(Letter letter, Replay how) throws JsonPatch.PatchException {
        byte[] body = how.body() != null ? how.body() : letter.body();
        if (how.patch() != null) {
            body = LetterJson.MAPPER.writeValueAsBytes(how.patch().apply(json(body)));
        }
        Map<String, Object> properties = new LinkedHashMap<>(letter.properties());
        Object expiration = letter.headers().get(LetterHeaders.ORIGINAL + "expiration");
        if (how.expiration() != null) {
            expiration = Long.toString(how.expiration().toMillis());
        }
        if (expiration != null) {
            // Its time is over by now, so it gets as long again.
            properties.put("expiration", expiration.toString());
            properties.put("timestamp", wallMillis.getAsLong());
        }
        Map<String, Object> headers = LetterHeaders.ofInstruction(letter.headers());
        headers.put(LetterHeaders.REPLAYED, letter.id());
        if (how.to() != null) {
            return new Outgoing(
                    letter.id(), Outgoing.Target.ADDRESS, how.to(), properties, headers, addressed(body, how.to()));
        }
        return letter.exchange().isEmpty()
                ? new Outgoing(letter.id(), Outgoing.Target.INSTRUCTIONS, "", properties, headers, body)
                : new Outgoing(letter.id(), Outgoing.Target.ADDRESS, letter.routingKey(), properties, headers, body);
    }

    private static JsonNode json(byte[] body) throws JsonPatch.PatchException {
        try {
            return LetterJson.MAPPER.readTree(body);
        } catch (JacksonException e) {
            throw new JsonPatch.PatchException("the body is not JSON, so it cannot be patched");
        }
    }

    /** An address in the body must be that of the routing key. */
    private static byte[] addressed(byte[] body, String to) {
        try {
            if (LetterJson.MAPPER.readTree(body) instanceof ObjectNode object && object.has("to")) {
                object.put("to", to);
                return LetterJson.MAPPER.writeValueAsBytes(object);
            }
            return body;
        } catch (JacksonException e) {
            return body; // it is refused for that, whatever the address
        }
    }

    private static void audit(String what, LetterQueue queue, long count, Filter filter, String more) {
        log.info(
                "{} {} of the letters in {}{}; chosen were {}",
                what,
                count,
                queue.slug(),
                more,
                LetterJson.line(LetterJson.filter(filter)));
    }

    @Override
    public void close() {
        onClose.run();
    }

    /** Counts in groups, with an example of each. */
    private static final class Tally {
        private final Map<Map<String, String>, Group> groups = new HashMap<>();
        private long total;

        private static final class Group {
            private final String example;
            private long count;

            Group(String example) {
                this.example = example;
            }
        }

        void add(Entry entry, Map<String, String> by) {
            total++;
            groups.computeIfAbsent(by, key -> new Group(entry.idText())).count++;
        }

        /** The largest first. */
        ArrayNode json() {
            ArrayNode array = LetterJson.MAPPER.createArrayNode();
            groups.entrySet().stream()
                    .sorted(Comparator.comparingLong(
                                    (Map.Entry<Map<String, String>, Group> group) -> -group.getValue().count)
                            .thenComparing(group -> group.getValue().example))
                    .limit(GROUPS)
                    .forEach(group -> {
                        ObjectNode json = LetterJson.object();
                        group.getKey().forEach(json::put);
                        json.put("count", group.getValue().count);
                        json.put("example", group.getValue().example);
                        array.add(json);
                    });
            return array;
        }
    }
}
