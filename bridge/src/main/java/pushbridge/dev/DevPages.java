package pushbridge.dev;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.RequestExecutorProvider;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;

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

    private record Resource(byte[] bytes, String contentType) {}

    private final Map<String, Resource> resources;
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
        Resource template = load("index.html", "text/html; charset=utf-8");
        String html = new String(template.bytes(), StandardCharsets.UTF_8)
                .replace("@SOCKET_PATH@", socketPath.replace("&", "&amp;").replace("\"", "&quot;"));
        resources = Map.of(
                "/", new Resource(html.getBytes(StandardCharsets.UTF_8), template.contentType()),
                "/dev/page.js", load("page.js", "text/javascript; charset=utf-8"),
                "/dev/page.css", load("page.css", "text/css; charset=utf-8"),
                "/favicon.svg", load("favicon.svg", "image/svg+xml"));
    }

    private static Resource load(String name, String contentType) {
        try (InputStream stream = DevPages.class.getResourceAsStream("/pushbridge/dev/" + name)) {
            if (stream == null) {
                throw new IllegalStateException("the bridge's jar lacks pushbridge/dev/" + name);
            }
            return new Resource(stream.readAllBytes(), contentType);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void service(Request request, Response response) throws IOException {
        if (request.getRequestURI().equals("/dev/publish")) {
            publish.service(request, response);
            return;
        }
        @Nullable Resource resource = resources.get(request.getRequestURI());
        response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cache-Control", "no-cache");
        if (resource == null) {
            response.setStatus(404);
            response.setContentType("text/plain; charset=utf-8");
            response.getWriter().write("Nothing here. The page is at /.\n");
            return;
        }
        response.setContentType(resource.contentType());
        response.setContentLength(resource.bytes().length);
        response.getOutputStream().write(resource.bytes());
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
