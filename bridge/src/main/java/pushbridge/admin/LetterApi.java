package pushbridge.admin;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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

/**
 * Dead letters over HTTP, below {@value #BELOW}. Looking is a GET with the filter in the query. What changes something is a
 * POST with the filter in the body, answered with one JSON object a line: how far it has come, then what came of it.
 */
public final class LetterApi {

    /** Where all of it is. */
    public static final String BELOW = "/api/dead-letters";

    private static final int MOST_LISTED = 1_000;

    private static final Set<String> PARAMETERS =
            Set.of("queue", "id", "reason", "type", "address", "since", "until", "text", "limit", "after", "newest");

    private final LetterDesk desk;

    private LetterApi(LetterDesk desk) {
        this.desk = desk;
    }

    /** Adds everything to a listener. */
    public static void register(AdminServer server, LetterDesk desk) {
        LetterApi api = new LetterApi(desk);
        server.register("GET", BELOW, api::list);
        server.register("GET", BELOW + "/count", api::count);
        server.register("GET", BELOW + "/export", api::export);
        server.register("GET", BELOW + "/{id}", api::show);
        server.register("POST", BELOW + "/replay", api::replay);
        server.register("POST", BELOW + "/discard", api::discard);
        server.register("POST", BELOW + "/import", api::put);
    }

    private AdminAnswer list(AdminRequest request) throws AdminException, InterruptedException {
        int limit = request.number("limit", 1, MOST_LISTED, 50);
        boolean newest = "true".equals(request.parameter("newest"));
        try {
            return json(desk.list(queue(request), filter(request), limit, request.parameter("after"), newest));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private AdminAnswer count(AdminRequest request) throws AdminException, InterruptedException {
        try {
            return json(desk.count(queue(request), filter(request)));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private AdminAnswer show(AdminRequest request) throws AdminException, InterruptedException {
        try {
            return json(desk.show(queue(request), request.part("id")));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private AdminAnswer export(AdminRequest request) throws AdminException {
        LetterQueue queue = queue(request);
        Filter filter = filter(request);
        return AnswerLines.of((lines, progress) -> {
                    try {
                        desk.export(queue, filter, lines::tell);
                        return LetterJson.object();
                    } catch (LetterException e) {
                        throw problem(e);
                    }
                })
                .noting(did("export", queue, filter, false));
    }

    private AdminAnswer replay(AdminRequest request) throws AdminException {
        JsonNode body = request.json();
        try {
            LetterQueue queue = queue(body);
            Filter filter = LetterJson.filter(body.path("filter"));
            Replay how = LetterJson.replay(body.path("how"));
            boolean dryRun = dryRun(body);
            return answer(progress -> desk.replay(queue, filter, how, dryRun, progress))
                    .noting(did("replay", queue, filter, dryRun));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private AdminAnswer discard(AdminRequest request) throws AdminException {
        JsonNode body = request.json();
        try {
            LetterQueue queue = queue(body);
            Filter filter = LetterJson.filter(body.path("filter"));
            boolean dryRun = dryRun(body);
            return answer(progress -> desk.discard(queue, filter, dryRun, progress))
                    .noting(did("discard", queue, filter, dryRun));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private interface Work {
        ObjectNode done(Progress progress) throws LetterException, InterruptedException;
    }

    private static AdminAnswer answer(Work work) {
        return AnswerLines.of((lines, progress) -> {
            try {
                return work.done(progress);
            } catch (LetterException e) {
                throw problem(e);
            }
        });
    }

    private AdminAnswer put(AdminRequest request) throws AdminException, InterruptedException {
        JsonNode body = request.json();
        try {
            List<Letter> letters = new ArrayList<>();
            for (JsonNode line : body.path("letters")) {
                if (!(line instanceof ObjectNode object)) {
                    throw new AdminException(400, "invalid", "Letters are objects, as an export has them.");
                }
                letters.add(LetterJson.letter(object));
            }
            boolean dryRun = dryRun(body);
            ObjectNode result = desk.put(letters, dryRun);
            return json(result).noting((dryRun ? "would import " : "imported ") + result.path("imported"));
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    /** Nothing is changed unless it is said that it is meant. */
    private static boolean dryRun(JsonNode body) throws AdminException {
        JsonNode dryRun = body.path("dryRun");
        if (!dryRun.isBoolean()) {
            throw new AdminException(400, "invalid", "Say \"dryRun\": true or false.");
        }
        return dryRun.booleanValue();
    }

    private static LetterQueue queue(JsonNode body) throws LetterException {
        return LetterQueue.of(body.path("queue").asString("dead"));
    }

    private static LetterQueue queue(AdminRequest request) throws AdminException {
        for (String name : request.query().keySet()) {
            if (!PARAMETERS.contains(name)) {
                throw new AdminException(
                        400, "bad-parameter", "There is no parameter " + name + "; there are " + PARAMETERS + ".");
            }
        }
        String queue = request.parameter("queue");
        try {
            return queue == null ? LetterQueue.DEAD : LetterQueue.of(queue);
        } catch (LetterException e) {
            throw problem(e);
        }
    }

    private static Filter filter(AdminRequest request) throws AdminException {
        return new Filter(
                request.query().getOrDefault("id", List.of()),
                request.query().getOrDefault("reason", List.of()),
                request.query().getOrDefault("type", List.of()),
                request.query().getOrDefault("address", List.of()),
                time(request, "since"),
                time(request, "until"),
                request.parameter("text"));
    }

    private static @Nullable Instant time(AdminRequest request, String name) throws AdminException {
        String text = request.parameter(name);
        try {
            return text == null ? null : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw new AdminException(
                    400, "bad-parameter", "The parameter " + name + " must be a time such as 2026-11-28T03:00:00Z.");
        }
    }

    private static String did(String action, LetterQueue queue, Filter filter, boolean dryRun) {
        return (dryRun ? "dry run of " : "") + action + " of " + queue.slug() + " letters, chosen by "
                + LetterJson.line(LetterJson.filter(filter));
    }

    private static AdminAnswer.Whole json(ObjectNode json) {
        return AdminAnswer.text(200, "application/json", LetterJson.line(json) + "\n");
    }

    private static AdminException problem(LetterException e) {
        return new AdminException(e.kind().status(), e.kind().slug(), e.sentence());
    }
}
