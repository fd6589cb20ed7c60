package pushbridge.admin;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Which handler answers which path and method. Any thread. */
final class Routes {

    /** One registration; segments in braces stand for anything. */
    private record Route(String method, List<String> segments, AdminHandler handler) {

        /** What stands for the segments in braces, still encoded; null when the path is another one. */
        @Nullable
        Map<String, String> match(List<String> path) {
            if (path.size() != segments.size()) {
                return null;
            }
            Map<String, String> parts = new HashMap<>();
            for (int i = 0; i < path.size(); i++) {
                String segment = segments.get(i);
                if (segment.startsWith("{")) {
                    parts.put(segment.substring(1, segment.length() - 1), path.get(i));
                } else if (!segment.equals(path.get(i))) {
                    return null;
                }
            }
            return parts;
        }
    }

    /** A handler, and what stands in the path for it. */
    record Match(AdminHandler handler, Map<String, String> parts) {}

    private final List<Route> routes = new CopyOnWriteArrayList<>();

    void add(String method, String template, AdminHandler handler) {
        routes.add(new Route(method, segments(template), handler));
    }

    /**
     * The handler of a request. The first one registered of several that fit.
     *
     * @throws AdminException 404 or 405 when there is none, 400 when the path cannot be read
     */
    Match find(String method, String path) throws AdminException {
        List<String> segments = segments(path);
        // A HEAD is answered as the GET would be, without the body.
        String wanted = method.equals("HEAD") ? "GET" : method;
        TreeSet<String> others = new TreeSet<>();
        for (Route route : routes) {
            Map<String, String> parts = route.match(segments);
            if (parts != null && route.method().equals(wanted)) {
                return new Match(route.handler(), decoded(parts));
            }
            if (parts != null) {
                others.add(route.method());
            }
        }
        if (others.isEmpty()) {
            throw new AdminException(404, "not-found", "Nothing here. There are: " + paths() + ".");
        }
        if (others.contains("GET")) {
            others.add("HEAD");
        }
        throw AdminException.wrongMethod(others);
    }

    private String paths() {
        TreeSet<String> paths = new TreeSet<>();
        routes.forEach(route -> paths.add(String.join("/", route.segments())));
        return String.join(", ", paths);
    }

    private static List<String> segments(String path) {
        return List.of(path.split("/", -1));
    }

    private static Map<String, String> decoded(Map<String, String> parts) throws AdminException {
        Map<String, String> decoded = new TreeMap<>();
        for (Map.Entry<String, String> part : parts.entrySet()) {
            try {
                // A plus is a plus in a path.
                decoded.put(
                        part.getKey(), URLDecoder.decode(part.getValue().replace("+", "%2B"), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                throw new AdminException(400, "bad-path", "The path has a broken percent escape.");
            }
        }
        return decoded;
    }
}
