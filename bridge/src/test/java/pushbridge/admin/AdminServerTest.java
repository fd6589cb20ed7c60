package pushbridge.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.AdminConfig;

/** The guard in front of every handler, through real sockets. */
final class AdminServerTest {

    private static final String TOKEN = "correct-horse-battery-staple-and-more";

    private static final String JSON = "Content-Type: application/json";
    private static final String MEANT = "X-Pushbridge-Request: 1";
    private static final String RIGHT = "Authorization: Bearer " + TOKEN;

    private final LinkedBlockingQueue<AdminRequest> asked = new LinkedBlockingQueue<>();
    private @Nullable AdminServer server;
    private int idleSeconds = 60;

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop();
        }
    }

    // Token ---------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X: y",
                "Authorization: Bearer",
                "Authorization: Bearer ",
                "Authorization: Bearer correct-horse-battery-staple-and-mor",
                "Authorization: Bearer correct-horse-battery-staple-and-moreE",
                "Authorization: Basic correct-horse-battery-staple-and-more",
                "Authorization: correct-horse-battery-staple-and-more",
                "Cookie: token=correct-horse-battery-staple-and-more",
                "X-Pushbridge-Request: 1"
            })
    void whoLacksTheTokenSeesNothing(String header) throws Exception {
        start(TOKEN);
        for (String path : List.of(
                "/metrics",
                "/api/things/1",
                "/api/nothing",
                "/nothing",
                "/console/nothing",
                "/api/things?token=" + TOKEN)) {
            Reply reply = ask("GET " + path, header);
            assertThat(reply.status).as(path).isEqualTo(401);
            assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer");
            assertThat(reply.body).doesNotContain("/api");
        }
        assertThat(ask("DELETE /api/things/1", header, JSON).status).isEqualTo(401);
        assertThat(asked).isEmpty();
    }

    @Test
    void whoHasTheTokenMayDoEverything() throws Exception {
        start(TOKEN);
        assertThat(ask("GET /metrics", RIGHT).body).isEqualTo("some_metric 1\n");
        assertThat(ask("GET /api/things/1", "authorization: bEARER " + TOKEN).status)
                .isEqualTo(200);
        // The token is what no page of a stranger has, so the header is not needed besides.
        assertThat(ask("DELETE /api/things/1", RIGHT, JSON).status).isEqualTo(200);
        assertThat(asked).extracting(AdminRequest::who).containsExactly("token", "token");
    }

    @Test
    void probesNeedNoTokenButAreToldNoDetailsWithoutIt() throws Exception {
        start(TOKEN);
        assertThat(ask("GET /health/live").body).isEqualTo("{\"status\":\"live\"}\n");
        assertThat(ask("GET /health/ready").body).isEqualTo("{\"status\":\"not ready\"}\n");
        assertThat(ask("GET /health/ready").status).isEqualTo(503);
        assertThat(ask("GET /health/ready", RIGHT).body).contains("broker.internal is away");
    }

    @Test
    void theFilesOfTheConsoleNeedNoTokenAndLetNothingElseIn() throws Exception {
        start(TOKEN);
        for (String file : List.of("", "console.js", "console.css", "icon.svg", "letters.js")) {
            Reply reply = ask("GET /console/" + file);
            assertThat(reply.status).as(file).isEqualTo(200);
            assertThat(reply.body).isNotEmpty();
            assertThat(reply.header("Content-Security-Policy"))
                    .startsWith("default-src 'none'; script-src 'self';")
                    .contains("frame-ancestors 'none'", "trusted-types 'none'")
                    .doesNotContain("unsafe");
        }
        Reply home = ask("GET /");
        assertThat(home.status).isEqualTo(302);
        assertThat(home.header("Location")).isEqualTo("/console/");
        assertThat(ask("POST /console/", JSON, MEANT).status).isEqualTo(405);
        assertThat(askAs("evil.example", "GET /console/").status).isEqualTo(403);
        assertThat(asked).isEmpty();
    }

    @Test
    void anOfferOfHttp2IsNotTakenUpAndDoesNoHarmToWhatOnlyReads() throws Exception {
        start(null);
        String[] offer = {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB"};
        assertThat(ask("GET /metrics", offer).body).isEqualTo("some_metric 1\n");
        assertThat(ask("GET /api/things/1", offer).status).isEqualTo(200);
        assertThat(ask("DELETE /api/things/1", offer[0], offer[1], offer[2], JSON, "X-Pushbridge-Request: 1").status)
                .isEqualTo(400);
    }

    // Pages of others -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Origin: http://evil.example",
                "Origin: http://127.0.0.1:1",
                "Origin: null",
                "Sec-Fetch-Site: cross-site",
                // Another port of the same machine is the same site.
                "Sec-Fetch-Site: same-site"
            })
    void pagesOfOtherOriginsCanNeitherActNorRead(String header) throws Exception {
        start(null);
        assertThat(ask("DELETE /api/things/1", JSON, MEANT, header).status).isEqualTo(403);
        assertThat(ask("GET /api/things/1", header).status).isEqualTo(403);
        assertThat(asked).isEmpty();
    }

    @Test
    void aPageOfOursMayAndALinkMayLeadHere() throws Exception {
        start(null);
        String own = "Origin: http://127.0.0.1:" + port();
        assertThat(ask("DELETE /api/things/1", JSON, MEANT, own, "Sec-Fetch-Site: same-origin").status)
                .isEqualTo(200);
        assertThat(ask("GET /api/things/1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate").status)
                .isEqualTo(200);
        assertThat(ask("DELETE /api/things/1", JSON, MEANT, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
                        .status)
                .isEqualTo(403);
    }

    @ParameterizedTest
    @CsvSource({
        "application/x-www-form-urlencoded, 415",
        "text/plain, 415",
        "multipart/form-data, 415",
        "text/plain; application/json, 415",
        "application/json, 200",
        "Application/JSON; charset=utf-8, 200"
    })
    void onlyJsonActs(String contentType, int status) throws Exception {
        start(null);
        assertThat(ask("DELETE /api/things/1", MEANT, "Content-Type: " + contentType).status)
                .isEqualTo(status);
    }

    @Test
    void anActionNeedsTheHeaderThatNoFormSends() throws Exception {
        start(null);
        assertThat(ask("DELETE /api/things/1", JSON).status).isEqualTo(403);
        assertThat(ask("DELETE /api/things/1").status).isEqualTo(415);
        assertThat(asked).isEmpty();
    }

    @Test
    void aPreflightIsNeverAnsweredWithYes() throws Exception {
        start(null);
        Reply reply = ask(
                "OPTIONS /api/things/1", "Access-Control-Request-Method: DELETE", "Origin: http://127.0.0.1:" + port());
        assertThat(reply.status).isEqualTo(415);
        assertThat(reply.head.toLowerCase(java.util.Locale.ROOT)).doesNotContain("access-control");
    }

    @ParameterizedTest
    @CsvSource({
        "evil.example, 403",
        "127.0.0.1.evil.example:8081, 403",
        "localhost.evil.example, 403",
        "[::ffff:8.8.8.8], 403",
        "localhost, 200",
        "LOCALHOST:1234, 200",
        "[::1]:8081, 200",
        "127.9.9.9, 200"
    })
    void aNameThatOnlyPointsHereIsRefusedOnLoopback(String host, int status) throws Exception {
        start(null);
        assertThat(askAs(host, "GET /metrics").status).isEqualTo(status);
        assertThat(askAs(host, "GET /health/live").status).isEqualTo(status);
    }

    @Test
    void behindAProxyOnThisMachineTheTokenMakesUpForTheName() throws Exception {
        start(TOKEN);
        assertThat(askAs("ops.example", "GET /metrics", RIGHT).status).isEqualTo(200);
        assertThat(askAs("ops.example", "GET /metrics").status).isEqualTo(403);
    }

    // Answers -------------------------------------------------------------------------------------------------------

    @Test
    void everyAnswerTellsBrowsersToDoNothingWithIt() throws Exception {
        start(TOKEN);
        for (Reply reply : List.of(
                ask("GET /health/live"),
                ask("GET /metrics", RIGHT),
                ask("GET /api/nothing", RIGHT),
                ask("GET /metrics"),
                ask("GET /api/fault", RIGHT))) {
            assertThat(reply.header("Content-Security-Policy"))
                    .contains("default-src 'none'", "frame-ancestors 'none'");
            assertThat(reply.header("X-Content-Type-Options")).isEqualTo("nosniff");
            assertThat(reply.header("X-Frame-Options")).isEqualTo("DENY");
            assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
            assertThat(reply.header("Referrer-Policy")).isEqualTo("no-referrer");
            assertThat(reply.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
            assertThat(reply.head.toLowerCase(java.util.Locale.ROOT)).doesNotContain("access-control");
        }
    }

    @Test
    void aPathIsTakenApartAndAWrongOneSaysWhatThereIs() throws Exception {
        start(null);
        ask("GET /api/things/a%20b+c?x=1&y=a%26b&x=2");
        AdminRequest request = asked.take();
        assertThat(request.part("id")).isEqualTo("a b+c");
        assertThat(request.query()).containsEntry("x", List.of("1", "2")).containsEntry("y", List.of("a&b"));
        assertThat(ask("GET /api/things").body).contains("not-found", "/api/things/{id}", "/metrics");
        Reply wrong = ask("POST /api/things/1", JSON, MEANT);
        assertThat(wrong.status).isEqualTo(405);
        assertThat(wrong.header("Allow")).isEqualTo("DELETE, GET, HEAD, PUT");
        assertThat(ask("DELETE /health/live", JSON, MEANT).header("Allow")).isEqualTo("GET, HEAD");
        assertThat(ask("GET /api/things/1?x=%zz").status).isEqualTo(400);
    }

    @Test
    void aBodyIsReadUpToItsLimit() throws Exception {
        start(null);
        assertThat(askWithBody("PUT /api/things/1", "{\"a\":1}").status).isEqualTo(200);
        assertThat(asked.take().json().path("a").asInt()).isEqualTo(1);
        assertThat(askWithBody("PUT /api/things/1", "x".repeat(1025)).status).isEqualTo(413);
        assertThat(askWithBody("PUT /api/json", "[]").body).contains("must be a JSON object");
        assertThat(askWithBody("PUT /api/json", "{\"a\":1,\"a\":2}").status).isEqualTo(400);
        assertThat(asked).isEmpty();
    }

    @Test
    void aFaultSaysNothingOfItselfToTheOperatorAndAllToTheLog() throws Exception {
        start(null);
        try (LogLines log = new LogLines(AdminServer.class)) {
            Reply reply = ask("GET /api/fault");
            assertThat(reply.status).isEqualTo(500);
            assertThat(reply.body).contains("internal").doesNotContain("secret detail");
            assertThat(log.all()).hasSize(1).allMatch(line -> line.startsWith("ERROR GET /api/fault"));
        }
    }

    @Test
    void aStreamIsReadWhileItIsWrittenAndOnlySoManyAreThere() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        start(null);
        server().register(
                        "GET",
                        "/api/stream",
                        request -> AdminAnswer.stream("text/plain", out -> {
                            out.write("first\n");
                            go.await();
                            out.write("second\n");
                        }));
        List<Socket> open = new java.util.ArrayList<>();
        try {
            for (int i = 0; i < AdminServer.STREAMS; i++) {
                Socket socket = connect();
                open.add(socket);
                write(socket, "GET /api/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
                readUntil(socket, "first\n");
            }
            assertThat(ask("GET /api/stream").status).isEqualTo(503);
            assertThat(ask("GET /health/live").status).isEqualTo(200);
            go.countDown();
            assertThat(new String(open.get(0).getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("second\n");
        } finally {
            go.countDown();
            for (Socket socket : open) {
                socket.close();
            }
        }
    }

    @Test
    void probesAndScrapesAreAnsweredWhileAllHandlersWait() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        start(null);
        server().register("GET", "/api/wait", request -> {
            go.await();
            return AdminAnswer.json(Map.of());
        });
        List<Socket> open = new java.util.ArrayList<>();
        try {
            for (int i = 0; i <= AdminServer.MOST_REQUESTS; i++) {
                Socket socket = connect();
                open.add(socket);
                write(socket, "GET /api/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
            }
            // One was too many, whichever; all the others wait.
            readUntil(await(open), "503");
            assertThat(ask("GET /health/live").status).isEqualTo(200);
            assertThat(ask("GET /metrics").status).isEqualTo(200);
        } finally {
            go.countDown();
            for (Socket socket : open) {
                socket.close();
            }
        }
    }

    @Test
    void whoFinishesNoRequestIsSentAwayAndWhoIsAnsweredIsNot() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        idleSeconds = 1;
        start(null);
        server().register("GET", "/api/wait", request -> {
            ended.await();
            return AdminAnswer.json(Map.of());
        });
        Socket waits = connect();
        write(waits, "GET /api/wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        for (String beginning : List.of("", "GET /met", "PUT /api/json HTTP/1.1\r\nHost: localhost\r\nX: ")) {
            try (Socket socket = connect()) {
                write(socket, beginning);
                assertThat(socket.getInputStream().read()).as(beginning).isEqualTo(-1);
            }
        }
        ended.countDown();
        readUntil(waits, "200");
        waits.close();
    }

    // Audit ---------------------------------------------------------------------------------------------------------

    @Test
    void everyActionIsOneLineInTheAuditLogAndReadingIsNone() throws Exception {
        start(TOKEN);
        try (LogLines log = new LogLines(Audit.class)) {
            ask("GET /api/things/1", RIGHT);
            ask("DELETE /api/things/1?why=private", RIGHT, JSON);
            ask("DELETE /api/things/1", JSON);
            ask("DELETE /api/refused", RIGHT, JSON);
            assertThat(log.all())
                    .containsExactly(
                            "INFO who=\"token\" from=127.0.0.1 action=\"DELETE /api/things/1\" status=200"
                                    + " result=\"thing 1 is gone\"",
                            "INFO who=\"a stranger\" from=127.0.0.1 action=\"DELETE /api/things/1\" status=401"
                                    + " result=\"unauthorized: Send pushbridge.admin.token as the header"
                                    + " \\\"Authorization: Bearer …\\\".\"",
                            "INFO who=\"token\" from=127.0.0.1 action=\"DELETE /api/refused\" status=409"
                                    + " result=\"in-use: It is in use.\"");
        }
    }

    @Test
    void strangersCannotFillTheAuditLog() throws Exception {
        start(TOKEN);
        try (LogLines log = new LogLines(Audit.class)) {
            for (int i = 0; i < 100; i++) {
                ask("DELETE /api/things/1", JSON);
            }
            ask("DELETE /api/things/1", RIGHT, JSON);
            // At most two minutes' worth, wherever in a minute it began; and what is allowed is never left out.
            assertThat(log.all()).hasSizeBetween(61, 101).last().asString().contains("who=\"token\"");
        }
    }

    // -----------------------------------------------------------------------------------------------------------------

    private void start(@Nullable String token) throws IOException {
        AdminServer starting = new AdminServer(
                new AdminConfig("127.0.0.1", 0, token, 64, 1024, null, null),
                () -> new Health(
                        true,
                        false,
                        Map.of("delivery", "running"),
                        Map.of("broker", "not connected"),
                        List.of("broker.internal is away")),
                () -> "some_metric 1\n",
                null,
                idleSeconds);
        starting.register("GET", "/api/things/{id}", request -> {
            asked.add(request);
            return AdminAnswer.json(Map.of("id", request.part("id")));
        });
        starting.register("DELETE", "/api/things/{id}", request -> {
            asked.add(request);
            return AdminAnswer.json(Map.of()).noting("thing " + request.part("id") + " is gone");
        });
        starting.register("PUT", "/api/things/{id}", request -> {
            asked.add(request);
            return AdminAnswer.json(Map.of());
        });
        starting.register("PUT", "/api/json", request -> AdminAnswer.json(request.json()));
        starting.register("DELETE", "/api/refused", request -> {
            throw new AdminException(409, "in-use", "It is in use.");
        });
        starting.register("GET", "/api/fault", request -> {
            throw new IllegalStateException("secret detail");
        });
        starting.start();
        server = starting;
    }

    private AdminServer server() {
        return java.util.Objects.requireNonNull(server);
    }

    private int port() {
        return server().port();
    }

    private record Reply(int status, String head, String body) {
        String header(String name) {
            return head.lines()
                    .filter(line -> line.regionMatches(true, 0, name + ": ", 0, name.length() + 2))
                    .map(line -> line.substring(name.length() + 2))
                    .findFirst()
                    .orElse("");
        }
    }

    private Reply ask(String request, String... headers) throws IOException {
        return askAs("localhost:" + port(), request, headers);
    }

    private Reply askAs(String host, String request, String... headers) throws IOException {
        // A page's origin is compared with the host it asked.
        boolean ownPage = List.of(headers).contains("Origin: http://127.0.0.1:" + port());
        return send(ownPage ? "127.0.0.1:" + port() : host, request, "", headers);
    }

    private Reply askWithBody(String request, String body) throws IOException {
        return send("localhost", request, body, JSON, MEANT, "Content-Length: " + body.length());
    }

    private Reply send(String host, String request, String body, String... headers) throws IOException {
        try (Socket socket = connect()) {
            String lines = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
            write(socket, request + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + lines + "\r\n" + body);
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = all.indexOf("\r\n\r\n");
            assertThat(end).as(all).isPositive();
            return new Reply(Integer.parseInt(all.substring(9, 12)), all.substring(0, end), all.substring(end + 4));
        }
    }

    /** With a limit, so that a test which would wait for ever fails. */
    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(30_000);
        return socket;
    }

    private static Socket await(List<Socket> sockets) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() - deadline < 0) {
            for (Socket socket : sockets) {
                if (socket.getInputStream().available() > 0) {
                    return socket;
                }
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("none of them was answered");
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void readUntil(Socket socket, String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text) < 0) {
            int one = socket.getInputStream().read();
            assertThat(one).as(read.toString()).isNotNegative();
            read.append((char) one);
        }
    }
}
