package pushbridge.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.glassfish.grizzly.filterchain.TransportFilter;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.HttpServer;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.glassfish.grizzly.nio.transport.TCPNIOTransportBuilder;
import org.glassfish.grizzly.threadpool.ThreadPoolConfig;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AdminConfig;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsFilter;
import tools.jackson.databind.json.JsonMapper;

/** Answers {@code /health/live}, {@code /health/ready} and {@code /metrics}. */
public final class AdminServer {

    /** Scrapes and probes are few; one selector and two workers leave the cores to the work. */
    private static final int WORKERS = 2;

    private static final String PLAIN = "text/plain; charset=utf-8";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpServer http = new HttpServer();
    private final NetworkListener listener;
    private final @Nullable ServerTls tls;

    /**
     * Opens nothing yet.
     *
     * @param health asked at every probe
     * @param tls null for plain TCP
     * @param metrics the text of a scrape; asked at every scrape
     */
    public AdminServer(AdminConfig config, Supplier<Health> health, Supplier<String> metrics, @Nullable ServerTls tls) {
        this.tls = tls;
        listener = new NetworkListener("pushbridge-admin", config.host(), config.port());
        TCPNIOTransport transport = TCPNIOTransportBuilder.newInstance()
                .setSelectorRunnersCount(1)
                .setSelectorThreadPoolConfig(ThreadPoolConfig.defaultConfig()
                        .setPoolName("pushbridge-admin-selector")
                        .setCorePoolSize(1)
                        .setMaxPoolSize(1))
                .setWorkerThreadPoolConfig(ThreadPoolConfig.defaultConfig()
                        .setPoolName("pushbridge-admin")
                        .setCorePoolSize(WORKERS)
                        .setMaxPoolSize(WORKERS))
                .build();
        listener.setTransport(transport);
        if (tls != null) {
            TlsFilter filter = new TlsFilter(tls);
            listener.registerAddOn(
                    (on, builder) -> builder.add(builder.indexOfType(TransportFilter.class) + 1, filter));
        }
        http.addListener(listener);
        http.getServerConfiguration().setName("pushbridge-admin");
        Map<String, Answer> answers = Map.of(
                "/health/live",
                response -> {
                    Health now = health.get();
                    json(response, now.live() ? 200 : 503, Map.of("status", now.live() ? "live" : "dead"));
                },
                "/health/ready",
                response -> {
                    Health now = health.get();
                    Map<String, Object> body = new LinkedHashMap<>();
                    body.put("status", now.ready() ? "ready" : "not ready");
                    body.put("checks", now.checks());
                    body.put("problems", now.problems());
                    json(response, now.ready() ? 200 : 503, body);
                },
                "/metrics",
                response -> text(response, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.get()));
        http.getServerConfiguration()
                .addHttpHandler(
                        new HttpHandler() {
                            @Override
                            public void service(Request request, Response response) throws IOException {
                                answer(answers, request, response);
                            }
                        },
                        "/");
    }

    private interface Answer {
        void to(Response response) throws IOException;
    }

    private static void answer(Map<String, Answer> answers, Request request, Response response) throws IOException {
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        String method = request.getMethod().getMethodString();
        Answer answer = answers.get(request.getRequestURI());
        if (answer == null) {
            text(response, 404, PLAIN, "Nothing here. There are " + new TreeSet<>(answers.keySet()) + ".\n");
        } else if (!method.equals("GET") && !method.equals("HEAD")) {
            response.setHeader("Allow", "GET, HEAD");
            text(response, 405, PLAIN, "Only GET and HEAD.\n");
        } else {
            answer.to(response);
        }
    }

    private static void json(Response response, int status, Object body) throws IOException {
        text(response, status, "application/json", JSON.writeValueAsString(body) + "\n");
    }

    private static void text(Response response, int status, String contentType, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        response.setStatus(status);
        response.setContentType(contentType);
        response.setContentLength(bytes.length);
        response.getOutputStream().write(bytes);
    }

    /** Opens the port. */
    public void start() throws IOException {
        http.start();
        if (tls != null) {
            tls.start();
        }
    }

    /** The port listened on, which the configuration may have left open. */
    public int port() {
        return listener.getPort();
    }

    /** Closes the port and ends the threads. Idempotent. */
    public void stop() {
        if (tls != null) {
            tls.stop();
        }
        http.shutdownNow();
    }
}
