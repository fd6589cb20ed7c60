package pushbridge.app;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.DeliveryStats;
import pushbridge.delivery.HeldPage;

/** What operators can ask about held messages: {@code /api/held}. */
final class HeldRoutes {

    /** Looking at so many takes the loop far less than a tick. */
    private static final int MOST = 1_000;

    /** The loop answers within milliseconds; when not, it has other troubles. */
    private static final long PATIENCE_SECONDS = 5;

    private final DeliveryLoop loop;

    private HeldRoutes(DeliveryLoop loop) {
        this.loop = loop;
    }

    static void register(AdminServer admin, DeliveryLoop loop) {
        admin.register("GET", "/api/held", new HeldRoutes(loop)::list);
    }

    private AdminAnswer list(AdminRequest request) throws AdminException, InterruptedException {
        int limit = request.number("limit", 1, MOST, 100);
        HeldPage page = page(after(request), limit);
        List<Map<String, Object>> messages = new ArrayList<>(page.messages().size());
        for (HeldPage.Held held : page.messages()) {
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("id", Long.toString(held.id())); // more than a number of JavaScript holds
            message.put("address", held.address());
            message.put("expires", Instant.ofEpochMilli(held.expiresMillis()).toString());
            message.put("bytes", held.bytes());
            messages.add(message);
        }
        DeliveryStats stats = loop.stats();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("messages", stats.heldMessages());
        body.put("addresses", stats.heldAddresses());
        body.put("bytes", stats.heldBytes());
        body.put("oldestSeconds", TimeUnit.MILLISECONDS.toSeconds(stats.heldOldestMillis()));
        body.put("page", messages);
        if (page.more()) {
            body.put("next", messages.get(messages.size() - 1).get("id"));
        }
        return AdminAnswer.json(body);
    }

    private static long after(AdminRequest request) throws AdminException {
        String after = request.parameter("after");
        if (after == null) {
            return 0;
        }
        if (!after.matches("[0-9]{1,18}")) {
            throw new AdminException(400, "bad-parameter", "after must be the next of an earlier page.");
        }
        return Long.parseLong(after);
    }

    private HeldPage page(long after, int limit) throws AdminException, InterruptedException {
        try {
            return loop.held(after, limit)
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .orElseThrow(() -> new AdminException(
                            409,
                            "page-gone",
                            "The last message of that page is not held any more: begin again, without after."));
        } catch (TimeoutException e) {
            throw new AdminException(
                    503, "busy", "The delivery loop does not answer; try again, and look at /health/live.");
        } catch (ExecutionException e) {
            throw new IllegalStateException("to look fails for no reason but a fault", e);
        }
    }
}
