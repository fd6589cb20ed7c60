package pushbridge.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.letters.Filter;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterDesk;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterJson;
import pushbridge.letters.LetterQueue;
import pushbridge.letters.Progress;
import pushbridge.letters.Replay;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Has the running bridge do it, which is the one who reads dead letters while it runs. */
final class RemoteDesk implements LetterDesk {

    private static final String BELOW = "/api/dead-letters";

    /** Of one request of an import: a part of what a bridge takes by default. */
    private static final int BYTES_AT_ONCE = 256 * 1024;

    private final AdminClient bridge;

    RemoteDesk(AdminClient bridge) {
        this.bridge = bridge;
    }

    /**
     * Whether a bridge listens there at all.
     *
     * @throws AdminClient.Failed something is there that cannot be talked to
     */
    static boolean isThere(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        try {
            bridge.get("/health/live");
            return true;
        } catch (AdminClient.Failed e) {
            if (e.isNobodyThere()) {
                return false;
            }
            if (e.status() == 503) {
                return true; // it is ill, and there
            }
            throw e;
        }
    }

    @Override
    public ObjectNode list(LetterQueue queue, Filter filter, int limit, @Nullable String after, boolean newestFirst)
            throws LetterException, InterruptedException {
        return get(BELOW + query(queue, filter) + "&limit=" + limit
                + (after == null ? "" : "&after=" + AdminClient.encoded(after))
                + (newestFirst ? "&newest=true" : ""));
    }

    @Override
    public ObjectNode count(LetterQueue queue, Filter filter) throws LetterException, InterruptedException {
        return get(BELOW + "/count" + query(queue, filter));
    }

    @Override
    public ObjectNode show(LetterQueue queue, String id) throws LetterException, InterruptedException {
        return get(BELOW + "/" + AdminClient.encoded(id) + query(queue, Filter.ALL));
    }

    private ObjectNode get(String pathAndQuery) throws LetterException, InterruptedException {
        try {
            return object(bridge.get(pathAndQuery));
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
    }

    private static ObjectNode object(JsonNode json) throws LetterException {
        if (json instanceof ObjectNode object) {
            return object;
        }
        throw LetterException.unavailable("what answers there is no bridge of this version: its answer is no object");
    }

    private static LetterException problem(AdminClient.Failed e) {
        return new LetterException(LetterException.Kind.of(e.status()), String.valueOf(e.getMessage()));
    }

    private static String query(LetterQueue queue, Filter filter) {
        StringBuilder query = new StringBuilder("?queue=").append(queue.slug());
        add(query, "id", filter.ids());
        add(query, "reason", filter.reasons());
        add(query, "type", filter.types());
        add(query, "address", filter.addresses());
        add(
                query,
                "since",
                filter.since() == null ? List.of() : List.of(filter.since().toString()));
        add(
                query,
                "until",
                filter.until() == null ? List.of() : List.of(filter.until().toString()));
        add(query, "text", filter.text() == null ? List.of() : List.of(filter.text()));
        return query.toString();
    }

    private static void add(StringBuilder query, String name, List<String> values) {
        values.forEach(value -> query.append('&').append(name).append('=').append(AdminClient.encoded(value)));
    }

    @Override
    public void export(LetterQueue queue, Filter filter, Taker taker) throws LetterException, InterruptedException {
        LetterException[] failed = {null};
        AnswerReader reader = new AnswerReader(Progress.NONE, letter -> {
            try {
                taker.take(letter);
                return true;
            } catch (LetterException e) {
                failed[0] = e;
                return false;
            }
        });
        try {
            bridge.stream(BELOW + "/export" + query(queue, filter), reader);
            if (failed[0] != null) {
                throw failed[0];
            }
            reader.result();
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
    }

    @Override
    public ObjectNode replay(LetterQueue queue, Filter filter, Replay how, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException {
        ObjectNode body = request(queue, filter, dryRun);
        body.set("how", LetterJson.replay(how));
        return change("/replay", body, progress);
    }

    @Override
    public ObjectNode discard(LetterQueue queue, Filter filter, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException {
        return change("/discard", request(queue, filter, dryRun), progress);
    }

    private static ObjectNode request(LetterQueue queue, Filter filter, boolean dryRun) {
        ObjectNode body = LetterJson.object();
        body.put("queue", queue.slug());
        body.put("dryRun", dryRun);
        body.set("filter", LetterJson.filter(filter));
        return body;
    }

    private ObjectNode change(String action, ObjectNode body, Progress progress)
            throws LetterException, InterruptedException {
        AnswerReader reader = new AnswerReader(progress);
        try {
            bridge.stream(BELOW + action, body, reader);
            return object(reader.result());
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
    }

    @Override
    public ObjectNode put(List<Letter> letters, boolean dryRun) throws LetterException, InterruptedException {
        ObjectNode sum = LetterJson.object();
        sum.put("dryRun", dryRun);
        List<ObjectNode> part = new ArrayList<>();
        int bytes = 0;
        for (Letter letter : letters) {
            ObjectNode json = LetterJson.full(letter);
            int size = LetterJson.line(json).length();
            if (!part.isEmpty() && bytes + size > BYTES_AT_ONCE) {
                add(sum, putPart(part, dryRun));
                part.clear();
                bytes = 0;
            }
            part.add(json);
            bytes += size;
        }
        add(sum, putPart(part, dryRun));
        return sum;
    }

    private ObjectNode putPart(List<ObjectNode> part, boolean dryRun) throws LetterException, InterruptedException {
        ObjectNode body = LetterJson.object();
        body.put("dryRun", dryRun);
        part.forEach(body.putArray("letters")::add);
        try {
            return object(bridge.act("POST", BELOW + "/import", body));
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
    }

    private static void add(ObjectNode sum, ObjectNode part) {
        for (String name : List.of("selected", "imported", "thereAlready")) {
            sum.put(name, sum.path(name).asLong(0) + part.path(name).asLong(0));
        }
    }

    @Override
    public void close() {
        // The bridge lets go by itself, some time after the last question.
    }
}
