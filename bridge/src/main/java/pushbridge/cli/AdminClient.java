package pushbridge.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AdminConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.TlsConfig;
import pushbridge.tls.ClientTls;
import pushbridge.tls.TlsException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks the running bridge, through its listener for operators, what a command is to do there. Where it is, which token it
 * wants and which certificate it has all come from the same configuration that the bridge was started with.
 */
final class AdminClient {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** For a whole answer that is given at once. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpClient http;
    private final String base;
    private final @Nullable String token;

    /**
     * Connects to nothing yet.
     *
     * @param identity the certificate to show, for a bridge that asks for one; null for none
     * @throws ConfigException with this configuration no bridge can be found
     */
    AdminClient(AdminConfig config, @Nullable TlsConfig identity) throws ConfigException {
        if (config.port() == 0) {
            throw new ConfigException(List.of(
                    "pushbridge.admin.port (0): the running bridge took a free port; set the one that it logged"));
        }
        token = config.token();
        base = (config.tls() == null ? "http" : "https") + "://" + reachable(config.host()) + ":" + config.port();
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(
                        HttpClient.Version
                                .HTTP_1_1) // without an offer of HTTP/2, which a body behind it does not survive
                .connectTimeout(CONNECT_TIMEOUT)
                .followRedirects(HttpClient.Redirect.NEVER);
        TlsConfig own = config.tls();
        if (own != null) {
            try {
                builder.sslContext(ClientTls.toOwnServer(own, identity));
            } catch (TlsException e) {
                throw new ConfigException(List.of("pushbridge.admin.tls: " + e.getMessage()));
            }
        }
        http = builder.build();
    }

    /** Where a listener on this address can be reached from its own machine, as in a URL. */
    private static String reachable(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            if (address.isAnyLocalAddress()) {
                return "127.0.0.1";
            }
        } catch (UnknownHostException e) {
            return host; // connecting will say so
        }
        return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /**
     * Asks for a JSON object.
     *
     * @param pathAndQuery encoded, such as {@code /api/things?limit=10}
     * @throws Failed the bridge was not there, or answered anything but 2xx
     */
    JsonNode get(String pathAndQuery) throws Failed, InterruptedException {
        return send(request(pathAndQuery).GET());
    }

    /**
     * An answer as it came.
     *
     * @param status of HTTP
     * @param body whatever it is
     */
    record Reply(int status, String body) {
        /** @throws Failed it is no JSON object */
        JsonNode json() throws Failed {
            try {
                return JSON.readTree(body);
            } catch (JacksonException e) {
                throw new Failed(ExitCode.UNAVAILABLE, "what answers there is no bridge: its answer is not JSON");
            }
        }
    }

    /**
     * Asks, and leaves it to the caller what the status means.
     *
     * @throws Failed the bridge was not there, or did not answer
     */
    Reply ask(String path) throws Failed, InterruptedException {
        HttpResponse<String> response =
                exchange(request(path).GET().timeout(ANSWER_TIMEOUT).build(), BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body());
    }

    /**
     * Has something done.
     *
     * @param method such as POST
     * @param body a JSON object; null for none
     * @throws Failed the bridge was not there, or answered anything but 2xx
     */
    JsonNode act(String method, String pathAndQuery, @Nullable JsonNode body) throws Failed, InterruptedException {
        return send(request(pathAndQuery)
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body == null
                                ? BodyPublishers.noBody()
                                : BodyPublishers.ofString(JSON.writeValueAsString(body))));
    }

    /** Reads a line of a streamed response; false when it has seen enough. */
    @FunctionalInterface
    interface Lines {
        boolean next(String line) throws Failed;
    }

    /**
     * Reads a streamed response line by line, until it ends or the reader has seen enough.
     *
     * @throws Failed the bridge was not there, answered anything but 2xx, or went away
     */
    void stream(String pathAndQuery, Lines lines) throws Failed, InterruptedException {
        stream(request(pathAndQuery).GET().build(), lines);
    }

    /**
     * Has something done that tells line by line how far it has come.
     *
     * @throws Failed the bridge was not there, answered anything but 2xx, or went away
     */
    void stream(String pathAndQuery, JsonNode body, Lines lines) throws Failed, InterruptedException {
        stream(
                request(pathAndQuery)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(JSON.writeValueAsString(body)))
                        .build(),
                lines);
    }

    private void stream(HttpRequest request, Lines lines) throws Failed, InterruptedException {
        HttpResponse<InputStream> response = exchange(request, BodyHandlers.ofInputStream());
        try (InputStream body = response.body();
                java.io.BufferedReader reader =
                        new java.io.BufferedReader(new java.io.InputStreamReader(body, StandardCharsets.UTF_8))) {
            if (response.statusCode() / 100 != 2) {
                throw refused(response.statusCode(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
            }
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!lines.next(line)) {
                    return;
                }
            }
        } catch (IOException e) {
            throw new Failed(ExitCode.UNAVAILABLE, "the bridge at " + base + " went away (" + e.getMessage() + ")");
        }
    }

    private HttpRequest.Builder request(String pathAndQuery) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + pathAndQuery))
                .header("Accept", "application/json")
                // Says that this is no page that a browser was tricked into.
                .header("X-Pushbridge-Request", "1");
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return request;
    }

    private JsonNode send(HttpRequest.Builder request) throws Failed, InterruptedException {
        HttpResponse<String> response = exchange(request.build(), BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw refused(response.statusCode(), response.body());
        }
        try {
            return JSON.readTree(response.body());
        } catch (JacksonException e) {
            throw new Failed(ExitCode.UNAVAILABLE, "what answers at " + base + " is no bridge: its answer is not JSON");
        }
    }

    private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws Failed, InterruptedException {
        try {
            return http.send(request, handler);
        } catch (ConnectException e) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    "no bridge answers at " + base
                            + "; is it running, with the same configuration (admin.host, admin.port)?",
                    Failed.NOBODY);
        } catch (SSLException e) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    "no TLS with the bridge at " + base + " (" + e.getMessage()
                            + "); has it the certificate of admin.tls, and does it ask for one of yours?");
        } catch (IOException e) {
            throw new Failed(
                    ExitCode.UNAVAILABLE, "the bridge at " + base + " did not answer (" + e.getMessage() + ")");
        }
    }

    private Failed refused(int status, String body) {
        if (status == 401) {
            return new Failed(
                    ExitCode.REFUSED,
                    token == null
                            ? "the bridge at " + base + " wants a token; set pushbridge.admin.token as it is set there"
                            : "the bridge at " + base + " has another pushbridge.admin.token than this configuration",
                    status);
        }
        String detail;
        try {
            detail = JSON.readTree(body).path("detail").asString("");
        } catch (JacksonException e) {
            detail = "";
        }
        return Failed.of(status, detail.isEmpty() ? "the bridge at " + base + " answered " + status : detail);
    }

    /** As a part of a query. */
    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Why a command could not be carried out: a sentence for the operator and the exit code for scripts. */
    static final class Failed extends Exception {
        private static final int NOBODY = -1;

        private final ExitCode exitCode;
        private final int status;

        Failed(ExitCode exitCode, String message) {
            this(exitCode, message, 0);
        }

        private Failed(ExitCode exitCode, String message, int status) {
            super(message);
            this.exitCode = exitCode;
            this.status = status;
        }

        /** The bridge has answered so. */
        static Failed of(int status, String message) {
            ExitCode code = switch (status) {
                case 400, 404, 409, 413, 422 -> ExitCode.DATA;
                case 403 -> ExitCode.REFUSED;
                case 502, 503, 504 -> ExitCode.TRY_AGAIN;
                default -> ExitCode.UNAVAILABLE;
            };
            return new Failed(code, message, status);
        }

        /** The HTTP status; 0 when there was no answer, or no sensible one. */
        int status() {
            return Math.max(status, 0);
        }

        /** Whether nobody listens there. */
        boolean isNobodyThere() {
            return status == NOBODY;
        }

        ExitCode exitCode() {
            return exitCode;
        }
    }
}
