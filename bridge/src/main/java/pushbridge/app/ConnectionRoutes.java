package pushbridge.app;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.delivery.CloseCode;
import pushbridge.delivery.Newcomer;
import pushbridge.socket.OpenConnection;
import pushbridge.socket.OpenConnections;
import pushbridge.socket.SocketServer;
import tools.jackson.databind.JsonNode;

/** What operators can ask about connections, and do to one: {@code /api/connections}. */
final class ConnectionRoutes {

    private static final int MOST = 1_000;

    /** What an operator may say, the usual one first; the others are what the bridge itself finds out. */
    private static final List<CloseCode> CODES = List.of(
            CloseCode.KICKED,
            CloseCode.UNAUTHORIZED,
            CloseCode.FORBIDDEN,
            CloseCode.SLOW,
            CloseCode.TOKEN_EXPIRED,
            CloseCode.SERVICE_RESTART);

    private final SocketServer sockets;

    private ConnectionRoutes(SocketServer sockets) {
        this.sockets = sockets;
    }

    static void register(AdminServer admin, SocketServer sockets) {
        ConnectionRoutes routes = new ConnectionRoutes(sockets);
        admin.register("GET", "/api/connections", routes::list);
        admin.register("POST", "/api/connections/{id}/close", routes::close);
    }

    private AdminAnswer list(AdminRequest request) throws AdminException {
        String user = request.parameter("user");
        OpenConnections found = sockets.look(which(user), request.number("limit", 1, MOST, 100));
        List<Map<String, Object>> page = new ArrayList<>(found.newest().size());
        found.newest().forEach(connection -> page.add(json(connection)));
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("open", found.open());
        body.put("matching", found.matching());
        body.put("page", page);
        body.put("codes", codes());
        return AdminAnswer.json(body);
    }

    /** A user as it is, or the beginning of one with a star behind it. */
    private static Predicate<@Nullable String> which(@Nullable String user) {
        if (user == null) {
            return any -> true;
        }
        if (user.endsWith("*")) {
            String beginning = user.substring(0, user.length() - 1);
            return name -> name != null && name.startsWith(beginning);
        }
        return user::equals;
    }

    private static Map<String, Object> json(OpenConnection connection) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("id", connection.id());
        one.put("user", connection.user());
        one.put("address", connection.address());
        one.put("protocol", connection.protocol());
        one.put("opened", Instant.ofEpochMilli(connection.openedMillis()).toString());
        if (connection.expiresAt() != Newcomer.NEVER) {
            one.put("expires", Instant.ofEpochSecond(connection.expiresAt()).toString());
        }
        one.put("written", connection.written());
        one.put("pendingBytes", connection.pendingBytes());
        one.put("blocked", connection.blocked());
        return one;
    }

    private static List<Map<String, Object>> codes() {
        List<Map<String, Object>> codes = new ArrayList<>();
        for (CloseCode code : CODES) {
            codes.add(Map.of("code", code.slug(), "number", code.number(), "meaning", code.meaning()));
        }
        return codes;
    }

    private AdminAnswer close(AdminRequest request) throws AdminException {
        JsonNode body = request.json();
        CloseCode code = code(body.path("code").asString(CloseCode.KICKED.slug()));
        String id = request.part("id");
        OpenConnection closed = sockets.close(id, code);
        if (closed == null) {
            throw new AdminException(404, "not-found", "There is no such connection; it may have ended meanwhile.");
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", id);
        answer.put("user", closed.user());
        answer.put("code", code.slug());
        return AdminAnswer.json(answer)
                .noting("closed a connection of " + (closed.user() == null ? "nobody" : "user " + closed.user())
                        + " from " + closed.address() + ", " + code.slug());
    }

    private static CloseCode code(String slug) throws AdminException {
        for (CloseCode code : CODES) {
            if (code.slug().equals(slug)) {
                return code;
            }
        }
        String all = CODES.stream().map(CloseCode::slug).collect(Collectors.joining(", "));
        throw new AdminException(400, "bad-code", "code must be one of " + all + ".");
    }
}
