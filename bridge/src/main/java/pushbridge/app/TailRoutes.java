package pushbridge.app;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.admin.Health;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.DeliveryStats;
import pushbridge.delivery.Happening;
import pushbridge.delivery.Happening.Message;
import pushbridge.delivery.Standing;
import pushbridge.envelope.Address;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code GET /api/tail?address=user.42}: what happens to the messages of some addresses, live, one JSON object a line. The
 * first line is how it stands now; an empty line now and then says that nothing has happened.
 */
final class TailRoutes {

    /** Addresses or patterns of one request; each is compared with every address that something happens to. */
    private static final int MOST_PATTERNS = 16;

    /** The loop answers within milliseconds; when not, it has other troubles. */
    private static final long PATIENCE_SECONDS = 5;

    /** Between two looks; the loop does not wake the reader, since that would cost it a system call. */
    private static final long LOOK_MILLIS = 50;

    /** An empty line so often finds out that nobody reads any more. */
    private static final int EMPTY_LOOKS = 100;

    /** Happenings of one write. */
    private static final int BATCH = 500;

    /** Held messages whose type and seq are remembered, for later happenings that only know their id. */
    private static final int MOST_REMEMBERED = 10_000;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final DeliveryLoop loop;
    private final Supplier<Health> health;

    private TailRoutes(DeliveryLoop loop, Supplier<Health> health) {
        this.loop = loop;
        this.health = health;
    }

    static void register(AdminServer admin, DeliveryLoop loop, Supplier<Health> health) {
        admin.register("GET", "/api/tail", new TailRoutes(loop, health)::tail);
    }

    private AdminAnswer tail(AdminRequest request) throws AdminException, InterruptedException {
        if (!Set.of("address").containsAll(request.query().keySet())) {
            throw new AdminException(400, "bad-parameter", "There is no parameter but address.");
        }
        List<String> patterns = request.query().getOrDefault("address", List.of());
        if (patterns.isEmpty() || patterns.size() > MOST_PATTERNS) {
            throw new AdminException(
                    400,
                    "bad-parameter",
                    "Give 1 to " + MOST_PATTERNS
                            + " times the parameter address, such as user.42 or channel.*; * is everything.");
        }
        List<Address> addresses = new ArrayList<>();
        for (String pattern : patterns) {
            if (pattern.indexOf('*') < 0) {
                addresses.add(address(pattern));
            }
        }
        return AdminAnswer.stream("application/jsonl; charset=utf-8", out -> write(out, patterns, addresses))
                .noting("tail of " + String.join(", ", patterns));
    }

    private static Address address(String text) throws AdminException {
        try {
            return Address.parse(text);
        } catch (Address.InvalidAddressException e) {
            throw new AdminException(400, "bad-parameter", e.getMessage() + "; * stands for any characters.");
        }
    }

    private void write(AdminAnswer.Out out, List<String> patterns, List<Address> addresses)
            throws IOException, InterruptedException {
        TailQueue queue = new TailQueue(patterns);
        CompletableFuture<List<Standing>> standing = loop.watch(queue, addresses);
        try {
            out.write(line(now(standing.get(PATIENCE_SECONDS, TimeUnit.SECONDS))));
            Lines lines = new Lines();
            int quiet = 0;
            while (true) {
                List<Happening> happenings = queue.take(BATCH);
                long missed = queue.takeMissed();
                StringBuilder text = new StringBuilder();
                for (Happening happening : happenings) {
                    text.append(line(lines.of(happening)));
                }
                if (missed > 0) {
                    text.append(
                            line(Map.of("event", "missed", "time", Instant.now().toString(), "count", missed)));
                }
                if (!text.isEmpty()) {
                    out.write(text.toString());
                    quiet = 0;
                } else if (++quiet == EMPTY_LOOKS) {
                    out.write("\n");
                    quiet = 0;
                }
                if (happenings.size() < BATCH) {
                    TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
                }
            }
        } catch (TimeoutException e) {
            out.write(line(
                    Map.of("error", "busy", "detail", "The delivery loop does not answer; look at /health/live.")));
        } catch (ExecutionException e) {
            throw new IllegalStateException("to look fails for no reason but a fault", e);
        } finally {
            loop.unwatch(queue);
        }
    }

    private static String line(Object object) {
        return JSON.writeValueAsString(object) + "\n";
    }

    private Map<String, Object> now(List<Standing> standing) {
        Health state = health.get();
        DeliveryStats stats = loop.stats();
        Map<String, Object> now = new LinkedHashMap<>();
        now.put("event", "now");
        now.put("time", Instant.now().toString());
        now.put("ready", state.ready());
        now.put("problems", state.problems());
        now.put("connections", stats.sessions());
        now.put("users", stats.users());
        now.put("unsettled", stats.unsettled());
        now.put("held", stats.heldMessages());
        now.put("addresses", standing.stream().map(TailRoutes::json).toList());
        return now;
    }

    private static Map<String, Object> json(Standing standing) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("address", standing.address());
        json.put("connections", standing.connections());
        json.put("lane", standing.lane().name().toLowerCase(Locale.ROOT));
        json.put("unsettled", standing.unsettled());
        json.put("held", standing.held());
        if (standing.nextExpiryMillis() != 0) {
            json.put(
                    "nextExpiry",
                    Instant.ofEpochMilli(standing.nextExpiryMillis()).toString());
        }
        List<Map<String, Object>> first = new ArrayList<>();
        for (Standing.Connection connection : standing.first()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("session", connection.id());
            one.put("confirms", connection.confirmation().name().toLowerCase(Locale.ROOT));
            one.put("offered", connection.offered());
            one.put("confirmed", connection.confirmed());
            one.put("full", connection.full());
            first.add(one);
        }
        json.put("first", first);
        return json;
    }

    /** What a held message is. */
    private record Known(
            @Nullable String messageId, @Nullable String type, long seq) {}

    /** Makes JSON of happenings; for one thread. */
    private static final class Lines {

        private final Map<Long, Known> held = new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Known> eldest) {
                return size() > MOST_REMEMBERED;
            }
        };

        Map<String, Object> of(Happening happening) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("event", happening.kind().slug());
            line.put("time", Instant.ofEpochMilli(happening.atMillis()).toString());
            if (happening.address() != null) {
                line.put("address", happening.address());
            }
            Message message = happening.message();
            if (message != null) {
                put(line, message);
            }
            if (happening.session() != null) {
                line.put("session", happening.session());
            }
            if (happening.count() != 1 || (message == null && happening.session() == null)) {
                line.put("count", happening.count());
            }
            if (!happening.detail().isEmpty()) {
                line.put("detail", happening.detail());
            }
            return line;
        }

        private void put(Map<String, Object> line, Message message) {
            Known known = message.seq() < 0 && message.heldId() != 0 ? held.get(message.heldId()) : null;
            if (known == null) {
                known = message.body() == null
                        ? new Known(message.messageId(), message.type(), message.seq())
                        : read(message.body());
                if (message.heldId() != 0 && known.seq() >= 0) {
                    held.put(message.heldId(), known);
                }
            }
            if (message.generation() != 0) {
                line.put("delivery", message.generation() + "-" + message.tag());
            }
            if (message.heldId() != 0) {
                line.put("held", Long.toString(message.heldId())); // more than a number of JavaScript holds
            }
            if (known.messageId() != null) {
                line.put("messageId", known.messageId());
            }
            if (known.type() != null) {
                line.put("type", known.type());
            }
            if (known.seq() >= 0) {
                line.put("seq", known.seq());
            }
            line.put("bytes", message.bytes());
        }

        /** Type and seq of an envelope that was valid when it was held. */
        private static Known read(byte[] body) {
            String type = null;
            long seq = -1;
            try (JsonParser parser = JSON.createParser(body)) {
                parser.nextToken();
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (name.equals("type")) {
                        type = parser.getString();
                    } else if (name.equals("seq") && value.isNumeric()) {
                        seq = parser.getDecimalValue().longValue();
                    } else {
                        parser.skipChildren();
                    }
                }
            } catch (JacksonException e) {
                return new Known(null, null, -1); // what cannot be read is still told of
            }
            return new Known(null, type, seq);
        }
    }
}
