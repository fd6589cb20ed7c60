package pushbridge.admin;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.glassfish.grizzly.filterchain.TransportFilter;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.HttpServer;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.RequestExecutorProvider;
import org.glassfish.grizzly.http.server.Response;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.glassfish.grizzly.nio.transport.TCPNIOTransportBuilder;
import org.glassfish.grizzly.threadpool.ThreadPoolConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AdminConfig;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsFilter;

/**
 * The listener for operators: {@code /health/live}, {@code /health/ready}, {@code /metrics}, the console, and what is
 * registered besides. Every request passes {@link AdminGuard} first, and every action is audited, whoever registered it.
 */
public final class AdminServer {

    /** Requests to registered handlers that are answered at a time. */
    static final int THREADS = 8;

    /** Streamed responses at a time, which keep a thread each. */
    static final int STREAMS = 4;

    /** Requests to registered handlers, those being answered included; one more is answered 503. */
    static final int MOST_REQUESTS = 32;

    /** Scrapes and probes are few, and nobody waits for RabbitMQ on these threads. */
    private static final int WORKERS = 2;

    /** Refused actions that are audited each minute: strangers must not fill the log. */
    private static final int REFUSALS_A_MINUTE = 60;

    /** Seconds for a request to be there as a whole, and between two on one connection; not for what is being answered. */
    private static final int IDLE_SECONDS = 30;

    private static final Set<String> PROBES = Set.of("/health/live", "/health/ready");

    private static final String METRICS = "/metrics";

    private static final String FULL = AdminServer.class.getName() + ".full";

    /** Against whatever a browser could be made to do with a response; a page of ours would loosen the first. */
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
                    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Cache-Control", "no-store",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Cross-Origin-Resource-Policy", "same-origin",
            "Referrer-Policy", "no-referrer",
            "X-Content-Type-Options", "nosniff",
            "X-Frame-Options", "DENY");

    private static final Logger log = LoggerFactory.getLogger(AdminServer.class);

    private final AdminConfig config;
    private final Supplier<Health> health;
    private final Supplier<String> metrics;
    private final @Nullable ServerTls tls;
    private final AdminGuard guard;
    private final Routes routes = new Routes();
    private final ConsolePages pages = new ConsolePages();
    private final HttpServer http = new HttpServer();
    private final NetworkListener listener;
    private final ThreadPoolExecutor threads;
    private final Semaphore places = new Semaphore(MOST_REQUESTS);
    private final Semaphore streams = new Semaphore(STREAMS);
    private final RateLimiter refusals = RateLimiter.of(
            "audited refusals",
            RateLimiterConfig.custom()
                    .limitForPeriod(REFUSALS_A_MINUTE)
                    .limitRefreshPeriod(Duration.ofMinutes(1))
                    .timeoutDuration(Duration.ZERO)
                    .build());

    /**
     * Opens nothing yet.
     *
     * @param health asked at every probe
     * @param tls null for plain TCP
     * @param metrics the text of a scrape; asked at every scrape
     */
    public AdminServer(AdminConfig config, Supplier<Health> health, Supplier<String> metrics, @Nullable ServerTls tls) {
        this(config, health, metrics, tls, IDLE_SECONDS);
    }

    AdminServer(
            AdminConfig config,
            Supplier<Health> health,
            Supplier<String> metrics,
            @Nullable ServerTls tls,
            int idleSeconds) {
        this.config = config;
        this.health = health;
        this.metrics = metrics;
        this.tls = tls;
        guard = new AdminGuard(config, isLoopback(config.host()));
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "pushbridge-admin-action-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        threads.allowCoreThreadTimeOut(true);
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
        listener.getKeepAlive().setIdleTimeoutInSeconds(idleSeconds);
        AdminPlaces connections = new AdminPlaces(config.maxConnections());
        listener.registerAddOn(
                (on, builder) -> builder.add(builder.indexOfType(TransportFilter.class) + 1, connections));
        if (tls != null) {
            TlsFilter filter = new TlsFilter(tls);
            listener.registerAddOn(
                    (on, builder) -> builder.add(builder.indexOfType(TransportFilter.class) + 1, filter));
        }
        http.addListener(listener);
        http.getServerConfiguration().setName("pushbridge-admin");
        http.getServerConfiguration().addHttpHandler(new Entrance(), "/");
        register(
                "GET",
                METRICS,
                request -> AdminAnswer.text(200, "text/plain; version=0.0.4; charset=utf-8", this.metrics.get()));
    }

    /** A name that cannot be looked up now is none of this machine's; opening the port will say more. */
    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Adds a handler; before or after the start. All that {@link AdminGuard} asks for holds for it: with a configured token
     * it is needed, and what is not GET needs a JSON content type and the token or the header {@value AdminGuard#HEADER}.
     * A handler for GET must change nothing; it answers HEAD as well. What is not GET is audited.
     *
     * @param method such as POST
     * @param path such as {@code /api/things/{id}}; what may hold a slash belongs into the query
     */
    public void register(String method, String path, AdminHandler handler) {
        routes.add(method, path, handler);
    }

    // Requests ------------------------------------------------------------------------------------------------------

    private final class Entrance extends HttpHandler {

        @Override
        public void service(Request request, Response response) throws IOException {
            HEADERS.forEach(response::setHeader);
            answer(request, response);
        }

        /** Probes and scrapes are answered where they are read, so that nobody else's waiting holds them up. */
        @Override
        public RequestExecutorProvider getRequestExecutorProvider() {
            return request -> {
                String path = request.getRequestURI();
                if (PROBES.contains(path) || path.equals(METRICS)) {
                    return null;
                }
                if (!places.tryAcquire()) {
                    request.setAttribute(FULL, true);
                    return null;
                }
                Executor executor = task -> threads.execute(() -> {
                    try {
                        task.run();
                    } finally {
                        places.release();
                    }
                });
                return executor;
            };
        }
    }

    private void answer(Request request, Response response) throws IOException {
        String method = request.getMethod().getMethodString();
        String path = request.getRequestURI();
        boolean probe = PROBES.contains(path);
        AdminGuard.Head head = new AdminGuard.Head(
                method,
                probe || pages.has(path),
                request::getHeader,
                TlsFilter.clientName(request.getContext().getConnection()));
        AdminGuard.Decision decision = guard.decide(head);
        String from = request.getRemoteAddr();
        if (decision instanceof AdminGuard.Refused refused) {
            if (refused.status() == 401) {
                response.setHeader("WWW-Authenticate", "Bearer realm=\"pushbridge\"");
            }
            AdminAnswer.Whole answer = AdminAnswer.problem(refused.status(), refused.code(), refused.detail());
            if (!head.reads() && refusals.acquirePermission()) {
                Audit.log("a stranger", from, method, path, refused.status(), answer.did());
            }
            send(response, answer);
            return;
        }
        AdminGuard.Granted granted = (AdminGuard.Granted) decision;
        AdminAnswer answer;
        if (request.getAttribute(FULL) != null) {
            answer = AdminAnswer.problem(503, "busy", "Too many requests at a time; try again.");
            response.setHeader("Retry-After", "1");
        } else {
            answer = probe
                    ? probe(method, path, granted.trusted())
                    : pages.has(path) ? pages.answer(method, path) : ask(request, method, path, granted.who());
        }
        if (answer instanceof AdminAnswer.Streamed streamed) {
            stream(request, response, streamed, granted.who());
            return;
        }
        AdminAnswer.Whole whole = (AdminAnswer.Whole) answer;
        if (!head.reads()) {
            // Before the response: who has an answer finds the line in the log.
            Audit.log(granted.who(), from, method, path, whole.status(), whole.did());
        }
        send(response, whole);
    }

    private AdminAnswer probe(String method, String path, boolean trusted) {
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return AdminException.wrongMethod(List.of("GET", "HEAD")).answer();
        }
        Health now = health.get();
        Map<String, Object> body = new LinkedHashMap<>();
        if (path.equals("/health/live")) {
            body.put("status", now.live() ? "live" : "dead");
            if (trusted) {
                body.put("checks", now.liveChecks());
            }
            return AdminAnswer.json(now.live() ? 200 : 503, body);
        }
        body.put("status", now.ready() ? "ready" : "not ready");
        if (trusted) {
            body.put("checks", now.checks());
            body.put("problems", now.problems());
        }
        return AdminAnswer.json(now.ready() ? 200 : 503, body);
    }

    private AdminAnswer ask(Request request, String method, String path, String who) {
        try {
            Routes.Match match = routes.find(method, path);
            return match.handler()
                    .answer(new AdminRequest(
                            method, path, match.parts(), query(request.getQueryString()), body(request, method), who));
        } catch (AdminException e) {
            return e.answer();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return AdminAnswer.problem(503, "stopping", "The bridge is stopping.");
        } catch (Exception e) {
            log.error("{} {} of an operator failed", method, path, e);
            return AdminAnswer.problem(
                    500, "internal", "This failed because of a fault in the bridge; its log says more.");
        }
    }

    private byte[] body(Request request, String method) throws AdminException, IOException {
        if (request.getHeader("Upgrade") != null) {
            // Grizzly hands on no body of such a request, so its end would never come.
            if (method.equals("GET") || method.equals("HEAD")) {
                return new byte[0]; // Java's own client offers HTTP/2 with every first request
            }
            throw new AdminException(400, "upgrade", "Send plain HTTP/1.1, without the header Upgrade.");
        }
        try (InputStream stream = request.getInputStream()) {
            byte[] body = stream.readNBytes(config.maxBodyBytes() + 1);
            if (body.length > config.maxBodyBytes()) {
                throw new AdminException(
                        413,
                        "too-large",
                        "The body is larger than " + config.maxBodyBytes()
                                + " bytes (pushbridge.admin.max-body-bytes).");
            }
            return body;
        }
    }

    private static Map<String, List<String>> query(@Nullable String query) throws AdminException {
        Map<String, List<String>> parameters = new HashMap<>();
        if (query == null || query.isEmpty()) {
            return parameters;
        }
        try {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? pair : pair.substring(0, equals);
                String value = equals < 0 ? "" : pair.substring(equals + 1);
                parameters
                        .computeIfAbsent(URLDecoder.decode(name, StandardCharsets.UTF_8), key -> new ArrayList<>())
                        .add(URLDecoder.decode(value, StandardCharsets.UTF_8));
            }
        } catch (IllegalArgumentException e) {
            throw new AdminException(400, "bad-query", "The query has a broken percent escape.");
        }
        return parameters;
    }

    private static void send(Response response, AdminAnswer.Whole answer) throws IOException {
        response.setStatus(answer.status());
        response.setContentType(answer.contentType());
        response.setContentLength(answer.bytes().length);
        answer.headers().forEach(response::setHeader);
        response.getOutputStream().write(answer.bytes());
    }

    private void stream(Request request, Response response, AdminAnswer.Streamed streamed, String who)
            throws IOException {
        String method = request.getMethod().getMethodString();
        String path = request.getRequestURI();
        boolean place = streams.tryAcquire();
        Audit.log(who, request.getRemoteAddr(), method, path, place ? 200 : 503, streamed.did());
        if (!place) {
            send(
                    response,
                    AdminAnswer.problem(503, "busy", "There are " + STREAMS + " streams already; end one of them."));
            return;
        }
        try {
            response.setContentType(streamed.contentType());
            OutputStream out = response.getOutputStream();
            streamed.body().writeTo(text -> {
                out.write(text.getBytes(StandardCharsets.UTF_8));
                out.flush();
            });
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the listener stops, and the response ends with it
        } catch (IOException e) {
            log.debug("The reader of {} is gone: {}", path, e.toString());
        } finally {
            streams.release();
        }
    }

    // Life ----------------------------------------------------------------------------------------------------------

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
        threads.shutdownNow();
        http.shutdownNow();
    }
}
