package pushbridge.client;

import java.io.IOException;
import java.util.Map;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code GET /client/pushbridge-client.js} and its companion with the very files of {@code bridge/client}. Pages of
 * any origin may import them: they are the same for everybody.
 */
public final class ClientFiles extends HttpHandler {

    /** What all paths begin with. */
    public static final String BELOW = "/client";

    private final Map<String, ServedFile> scripts;

    /** Loads the files; they are part of the bridge. */
    public ClientFiles() {
        scripts = Map.of(
                BELOW + "/pushbridge-client.js", load("pushbridge-client.js"),
                BELOW + "/pushbridge-tabs.js", load("pushbridge-tabs.js"));
    }

    private static ServedFile load(String name) {
        return ServedFile.load("/pushbridge/client/" + name, "text/javascript; charset=utf-8");
    }

    @Override
    public void service(Request request, Response response) throws IOException {
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Access-Control-Allow-Origin", "*");
        response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
        @Nullable ServedFile script = scripts.get(request.getRequestURI());
        if (script == null) {
            ServedFile.say(response, 404, "Nothing here. The client library is at /client/pushbridge-client.js.\n");
            return;
        }
        response.setHeader("Cache-Control", "public, no-cache");
        script.answer(request, response);
    }
}
