package pushbridge.app;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.admin.AnswerLines;
import pushbridge.config.Units;
import pushbridge.delivery.Clock;
import pushbridge.delivery.DeliveryStats;
import pushbridge.delivery.HeldAddress;
import pushbridge.delivery.HeldDesk;
import pushbridge.delivery.HeldException;
import pushbridge.delivery.HeldFilter;
import pushbridge.delivery.HeldPage;
import pushbridge.delivery.Original;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Held messages over HTTP, below {@value #BELOW}. Looking is a GET. What changes something is a POST with the choice in the
 * body, answered as {@link AnswerLines} says.
 */
final class HeldRoutes {

    private static final String BELOW = "/api/held";

    /** Addresses, or messages without more than the index has, of one page. */
    private static final int MOST = 1_000;

    /** Messages of one page that are read from the log. */
    private static final int MOST_READ = 100;

    private static final Set<String> FILTER = Set.of("address", "older-than", "at-least", "by", "limit", "after");

    private static final JsonMapper JSON = JsonMapper.shared();

    private final HeldDesk desk;
    private final DeliveryStats stats;
    private final Clock clock;

    private HeldRoutes(HeldDesk desk, DeliveryStats stats, Clock clock) {
        this.desk = desk;
        this.stats = stats;
        this.clock = clock;
    }

    static void register(AdminServer admin, HeldDesk desk, DeliveryStats stats, Clock clock) {
        HeldRoutes routes = new HeldRoutes(desk, stats, clock);
        admin.register("GET", BELOW, routes::messages);
        admin.register("GET", BELOW + "/addresses", routes::addresses);
        admin.register("GET", BELOW + "/address", routes::address);
        for (HeldDesk.Action action : HeldDesk.Action.values()) {
            admin.register("POST", BELOW + "/" + action.slug(), request -> routes.act(action, request));
        }
    }

    // ---- looking -------------------------------------------------------------------------------------------------

    private AdminAnswer messages(AdminRequest request) throws AdminException, InterruptedException {
        int limit = request.number("limit", 1, MOST, 100);
        HeldPage page;
        try {
            page = desk.messages(id(request.parameter("after"), "after"), limit);
        } catch (HeldException e) {
            throw problem(e);
        }
        List<Map<String, Object>> messages = new ArrayList<>(page.messages().size());
        for (HeldPage.Held held : page.messages()) {
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("id", Long.toString(held.id())); // more than a number of JavaScript holds
            message.put("address", held.address());
            message.put("expires", time(held.expiresMillis()));
            message.put("bytes", held.bytes());
            messages.add(message);
        }
        Map<String, Object> body = inAll();
        body.put("page", messages);
        if (page.more()) {
            body.put("next", messages.get(messages.size() - 1).get("id"));
        }
        return AdminAnswer.json(body);
    }

    /** As of the loop's last turn, whatever is looked at. */
    private Map<String, Object> inAll() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("messages", stats.heldMessages());
        body.put("addresses", stats.heldAddresses());
        body.put("bytes", stats.heldBytes());
        body.put("oldestSeconds", TimeUnit.MILLISECONDS.toSeconds(stats.heldOldestMillis()));
        return body;
    }

    private AdminAnswer addresses(AdminRequest request) throws AdminException, InterruptedException {
        for (String name : request.query().keySet()) {
            if (!FILTER.contains(name)) {
                throw new AdminException(
                        400, "bad-parameter", "There is no parameter " + name + "; there are " + FILTER + ".");
            }
        }
        HeldFilter filter = new HeldFilter(
                request.query().getOrDefault("address", List.of()),
                heldBefore(request.parameter("older-than")),
                request.number("at-least", 1, Integer.MAX_VALUE, 1));
        HeldDesk.Page page;
        try {
            page = desk.addresses(
                    filter,
                    order(request.parameter("by")),
                    request.number("limit", 1, MOST, 50),
                    request.parameter("after"));
        } catch (HeldException e) {
            throw problem(e);
        }
        Map<String, Object> body = inAll();
        body.put("matching", sum(page.sum()));
        body.put("page", page.addresses().stream().map(HeldRoutes::address).toList());
        if (page.next() != null) {
            body.put("next", page.next());
        }
        return AdminAnswer.json(body);
    }

    private static Map<String, Object> sum(HeldDesk.Sum sum) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("addresses", sum.addresses());
        body.put("messages", sum.messages());
        body.put("bytes", sum.bytes());
        body.put("absent", sum.absent());
        if (sum.addresses() > 0) {
            body.put("heldSince", time(sum.heldMillis()));
            body.put("nextExpiry", time(sum.expiresMillis()));
        }
        return body;
    }

    private static Map<String, Object> address(HeldAddress held) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("address", held.address());
        body.put("messages", held.messages());
        body.put("bytes", held.bytes());
        body.put("heldSince", time(held.heldMillis()));
        body.put("nextExpiry", time(held.expiresMillis()));
        body.put("connections", held.connections());
        return body;
    }

    private AdminAnswer address(AdminRequest request) throws AdminException, InterruptedException {
        String address = request.parameter("address");
        if (address == null) {
            throw new AdminException(400, "bad-parameter", "Say which: ?address=user.42");
        }
        HeldDesk.Details details;
        try {
            details = desk.details(
                    address, id(request.parameter("after"), "after"), request.number("limit", 1, MOST_READ, 20));
        } catch (HeldException e) {
            throw problem(e);
        }
        Map<String, Object> body = address(details.address());
        body.put("why", why(details));
        List<Map<String, Object>> messages =
                details.messages().stream().map(HeldRoutes::letter).toList();
        body.put("page", messages);
        if (details.more()) {
            body.put("next", messages.get(messages.size() - 1).get("id"));
        }
        return AdminAnswer.json(body);
    }

    private static String why(HeldDesk.Details details) {
        int connections = details.address().connections();
        if (connections == 0) {
            return "nobody is connected as " + details.address().address();
        }
        String there = connections == 1 ? "1 connection is there" : connections + " connections are there";
        if (details.waitsForRoom()) {
            return there + ", and others' messages take all memory there is for reading (hold.cache-bytes)";
        }
        boolean offered = details.messages().stream().anyMatch(HeldDesk.Letter::offered);
        return there
                + (offered
                        ? ", and what it was offered is not confirmed yet; the rest follows it"
                        : ", and its first message is being read, or waits for room in the outbox");
    }

    private static Map<String, Object> letter(HeldDesk.Letter letter) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", Long.toString(letter.held().id()));
        Original original = letter.original();
        if (original != null) {
            JsonNode envelope = envelope(original.body());
            body.put("type", envelope.path("type").asString(""));
            body.put("seq", envelope.path("seq").asLong(0));
            if (original.messageId() != null) {
                body.put("messageId", original.messageId());
            }
            if (original.publishedMillis() > 0) {
                body.put("published", time(original.publishedMillis()));
            }
        }
        body.put("bytes", letter.held().bytes());
        body.put("heldSince", time(letter.heldMillis()));
        body.put("expires", time(letter.held().expiresMillis()));
        body.put("state", original == null ? "gone meanwhile" : letter.offered() ? "offered" : "waits");
        return body;
    }

    /** It was a valid envelope when it was held. */
    private static JsonNode envelope(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (JacksonException e) {
            return JSON.createObjectNode();
        }
    }

    // ---- acting --------------------------------------------------------------------------------------------------

    private AdminAnswer act(HeldDesk.Action action, AdminRequest request) throws AdminException {
        JsonNode body = request.json();
        HeldFilter filter = filter(body);
        long upTo = id(body.path("upTo").asString(null), "upTo");
        JsonNode dryRun = body.path("dryRun");
        if (!dryRun.isBoolean()) {
            throw new AdminException(400, "invalid", "Say \"dryRun\": true or false.");
        }
        boolean isDry = dryRun.booleanValue();
        return AnswerLines.of((lines, progress) -> {
                    try {
                        return outcome(
                                action, isDry, desk.act(action, filter, upTo, isDry, request.who(), progress::at));
                    } catch (HeldException e) {
                        throw problem(e);
                    }
                })
                .noting((isDry ? "dry run of " : "") + action.slug() + " of held messages, chosen by "
                        + (filter.equals(HeldFilter.ALL)
                                ? "all"
                                : body.path("addresses") + " olderThan "
                                        + body.path("olderThan").asString("-") + " atLeast " + filter.atLeast()));
    }

    /** Nothing is meant unless something is said. */
    private HeldFilter filter(JsonNode body) throws AdminException {
        List<String> patterns = new ArrayList<>();
        for (JsonNode pattern : body.path("addresses")) {
            if (!pattern.isString()) {
                throw new AdminException(
                        400, "invalid", "addresses must be texts, such as \"user.42\" or \"user.4*\".");
            }
            patterns.add(pattern.stringValue());
        }
        JsonNode atLeast = body.path("atLeast");
        if (!atLeast.isMissingNode() && !(atLeast.isInt() && atLeast.intValue() >= 1)) {
            throw new AdminException(400, "invalid", "atLeast must be a number from 1.");
        }
        HeldFilter filter =
                new HeldFilter(patterns, heldBefore(body.path("olderThan").asString(null)), atLeast.asInt(1));
        boolean all = body.path("all").asBoolean(false);
        if (filter.equals(HeldFilter.ALL) != all) {
            throw new AdminException(
                    400,
                    "invalid",
                    all
                            ? "\"all\" and a choice contradict each other: leave one of them out."
                            : "Say which: addresses, olderThan, atLeast, or \"all\": true.");
        }
        return filter;
    }

    private static Map<String, Object> outcome(HeldDesk.Action action, boolean dryRun, HeldDesk.Outcome outcome) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("action", action.slug());
        body.put("dryRun", dryRun);
        body.put("chosen", sum(outcome.chosen()));
        body.put("upTo", Long.toString(outcome.upToId()));
        body.put("messages", outcome.messages());
        body.put("addresses", outcome.addresses());
        if (outcome.stopped() != null) {
            body.put("stopped", outcome.stopped());
        }
        return body;
    }

    // ---- texts ---------------------------------------------------------------------------------------------------

    private long heldBefore(@Nullable String age) throws AdminException {
        if (age == null) {
            return Long.MAX_VALUE;
        }
        try {
            Duration duration = Units.duration(age);
            return clock.wallMillis() - duration.toMillis();
        } catch (IllegalArgumentException e) {
            throw new AdminException(400, "bad-parameter", "An age is a duration such as 90m.");
        }
    }

    private static HeldDesk.Order order(@Nullable String by) throws AdminException {
        if (by == null) {
            return HeldDesk.Order.MESSAGES;
        }
        for (HeldDesk.Order order : HeldDesk.Order.values()) {
            if (order.name().toLowerCase(Locale.ROOT).equals(by)) {
                return order;
            }
        }
        throw new AdminException(400, "bad-parameter", "The parameter by must be messages, age or expiry.");
    }

    private static long id(@Nullable String text, String name) throws AdminException {
        if (text == null) {
            return 0;
        }
        if (!text.matches("[0-9]{1,18}")) {
            throw new AdminException(400, "bad-parameter", name + " must be an id from an earlier answer.");
        }
        return Long.parseLong(text);
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }

    private static AdminException problem(HeldException e) {
        return switch (e.kind()) {
            case INVALID -> new AdminException(400, "bad-parameter", e.sentence());
            case NOT_FOUND -> new AdminException(404, "not-found", e.sentence());
            case BUSY -> new AdminException(409, "busy", e.sentence());
            case UNAVAILABLE -> new AdminException(503, "unavailable", e.sentence());
        };
    }
}
