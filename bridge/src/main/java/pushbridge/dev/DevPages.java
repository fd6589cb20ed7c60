package pushbridge.dev;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.RequestExecutorProvider;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;
import pushbridge.client.ServedFile;

/**
 * What dev mode answers to plain HTTP: the page at {@code /} with its script and style from the class path, and publishing
 * from it. Finds its way by itself: Grizzly's mapping of paths to handlers takes everything below {@code /dev} for one.
 */
public final class DevPages extends HttpHandler implements AutoCloseable {

    /** Only what this listener serves itself; the WebSocket of the same host and port falls under 'self'. */
    private static final String CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final int WORKERS = 2;

    /** Requests that may wait for a worker; one more is refused with its connection. */
    private static final int MAX_WAITING = 64;

    /** In the jar. */
    private static final String FOLDER = "/pushbridge/dev/";

    private final Map<String, ServedFile> resources;
    private final DevPublish publish;
    /** Publishing waits for a body and for RabbitMQ, which a selector thread must not. */
    private final ThreadPoolExecutor workers = new ThreadPoolExecutor(
            WORKERS, WORKERS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
                Thread thread = new Thread(task, "pushbridge-dev");
                thread.setDaemon(true);
                return thread;
            });

    /**
     * Loads the files; they are part of the bridge.
     *
     * @param socketPath where the page finds the WebSocket endpoint
     * @param publish answers {@code /dev/publish}
     */
    public DevPages(String socketPath, DevPublish publish) {
        this.publish = publish;
        String path = socketPath.replace("&", "&amp;").replace("\"", "&quot;");
        resources = Map.of(
                "/",
                        ServedFile.load(
                                FOLDER + "index.html",
                                "text/html; charset=utf-8",
                                template -> new String(template, UTF_8)
                                        .replace("@SOCKET_PATH@", path)
                                        .getBytes(UTF_8)),
                "/dev/page.js", ServedFile.load(FOLDER + "page.js", "text/javascript; charset=utf-8"),
                "/dev/page.css", ServedFile.load(FOLDER + "page.css", "text/css; charset=utf-8"),
                "/favicon.svg", ServedFile.load(FOLDER + "favicon.svg", "image/svg+xml"));
    }

    @Override
    public void service(Request request, Response response) throws IOException {
        if (request.getRequestURI().equals("/dev/publish")) {
            publish.service(request, response);
            return;
        }
        response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cache-Control", "no-cache");
        @Nullable ServedFile resource = resources.get(request.getRequestURI());
        if (resource == null) {
            ServedFile.say(response, 404, "Nothing here. The page is at /.\n");
            return;
        }
        resource.answer(request, response);
    }

    @Override
    public RequestExecutorProvider getRequestExecutorProvider() {
        return request -> workers;
    }

    @Override
    public void close() {
        workers.shutdownNow();
        publish.close();
    }
}
