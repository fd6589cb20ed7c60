package pushbridge.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
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
                + (after == null ? "" : "&after=" + encoded(after))
                + (newestFirst ? "&newest=true" : ""));
    }

    @Override
    public ObjectNode count(LetterQueue queue, Filter filter) throws LetterException, InterruptedException {
        return get(BELOW + "/count" + query(queue, filter));
    }

    @Override
    public ObjectNode show(LetterQueue queue, String id) throws LetterException, InterruptedException {
        return get(BELOW + "/" + encoded(id) + query(queue, Filter.ALL));
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
        values.forEach(value -> query.append('&').append(name).append('=').append(encoded(value)));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public void export(LetterQueue queue, Filter filter, Taker taker) throws LetterException, InterruptedException {
        Reader reader = new Reader(taker, Progress.NONE);
        try {
            bridge.stream(BELOW + "/export" + query(queue, filter), reader);
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
        reader.result();
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
        Reader reader = new Reader(letter -> {}, progress);
        try {
            bridge.stream(BELOW + action, body, reader);
        } catch (AdminClient.Failed e) {
            throw problem(e);
        }
        return reader.result();
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

    /** Reads the lines of an answer: letters or progress, then the result or the error. */
    private static final class Reader implements AdminClient.Lines {
        private final Taker taker;
        private final Progress progress;
        private @Nullable ObjectNode result;
        private @Nullable LetterException failure;

        Reader(Taker taker, Progress progress) {
            this.taker = taker;
            this.progress = progress;
        }

        @Override
        public boolean next(String line) {
            try {
                ObjectNode json = LetterJson.parse(line, "a line of the bridge's answer");
                if (json.path("result") instanceof ObjectNode object) {
                    result = object;
                } else if (json.has("error")) {
                    failure = new LetterException(
                            LetterException.Kind.of(json.path("status").asInt(0)),
                            json.path("detail").asString("the bridge does not say why"));
                } else if (json.has("done")) {
                    return progress.at(
                            json.path("done").asLong(0), json.path("of").asLong(0));
                } else {
                    taker.take(json);
                }
                return failure == null;
            } catch (LetterException e) {
                failure = e;
                return false;
            }
        }

        ObjectNode result() throws LetterException {
            if (failure != null) {
                throw failure;
            }
            if (result == null) {
                throw LetterException.unavailable(
                        "the bridge's answer ended in the middle; how far it came is in its log");
            }
            return result;
        }
    }
}
