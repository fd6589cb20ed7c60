package pushbridge.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminServer;
import pushbridge.admin.Health;
import pushbridge.cli.AdminClient.Failed;
import pushbridge.config.AdminConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.TlsConfig;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;
import pushbridge.tls.ServerTls;
import tools.jackson.databind.json.JsonMapper;

/** How commands find the running bridge and what they say when they do not; the listener is the real one. */
final class AdminClientTest {

    private static final String TOKEN = "correct-horse-battery-staple-and-more";

    @TempDir
    static Path folder;

    private static Certificates authority;
    private static Issued server;
    private static Issued renewed;
    private static Issued operator;
    private static Issued stranger;

    private final List<String> who = new ArrayList<>();
    private @Nullable AdminServer running;

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new Certificates(folder, "authority");
        server = authority.issue("server", "EC", false); // its name is another one, as behind a load balancer
        renewed = authority.issue("renewed", "EC", true);
        operator = authority.issue("operator", "EC", false);
        stranger = new Certificates(folder, "strangers").issue("operator", "EC", true);
    }

    @AfterEach
    void stop() {
        if (running != null) {
            running.stop();
        }
    }

    @Test
    void whatIsConfiguredIsFoundAskedAndDone() throws Exception {
        AdminConfig config = start("127.0.0.1", TOKEN, null, null);
        AdminClient client = new AdminClient(config, null);
        assertThat(client.get("/api/thing?id=7").path("id").asString()).isEqualTo("7");
        assertThat(client.act(
                                "POST",
                                "/api/thing",
                                JsonMapper.shared().createObjectNode().put("a", 1))
                        .path("a")
                        .asInt())
                .isEqualTo(1);
        assertThat(client.act("POST", "/api/thing", null).isEmpty()).isTrue();
        List<String> lines = new ArrayList<>();
        client.stream("/api/lines", line -> {
            lines.add(line);
            return lines.size() < 3;
        });
        assertThat(lines).containsExactly("line 1", "line 2", "line 3");
        assertThat(who).containsOnly("token");
    }

    @Test
    void aBridgeWithoutATokenNeedsNone() throws Exception {
        AdminClient client = new AdminClient(start("127.0.0.1", null, null, null), null);
        assertThat(client.act("POST", "/api/thing", null).isEmpty()).isTrue();
    }

    @Test
    void aBridgeThatListensEverywhereIsFoundOnThisMachine() throws Exception {
        AdminConfig config = start("0.0.0.0", TOKEN, null, null);
        assertThat(new AdminClient(config, null)
                        .get("/api/thing?id=1")
                        .path("id")
                        .asString())
                .isEqualTo("1");
    }

    @Test
    void aWrongTokenAndAMissingOneAreSaidWithoutIt() throws Exception {
        AdminConfig config = start("127.0.0.1", TOKEN, null, null);
        Failed wrong = failure(client(config, "another-token-of-more-than-32-bytes", null));
        assertThat(wrong)
                .hasMessageContaining("another pushbridge.admin.token")
                .hasMessageNotContaining("another-token");
        assertThat(wrong.exitCode()).isEqualTo(ExitCode.REFUSED);
        assertThat(failure(client(config, null, null))).hasMessageContaining("set pushbridge.admin.token");
    }

    @Test
    void whyNotIsTheSentenceOfTheBridge() throws Exception {
        AdminClient client = new AdminClient(start("127.0.0.1", TOKEN, null, null), null);
        Failed failed = catchThrowableOfType(Failed.class, () -> client.act("DELETE", "/api/thing", null));
        assertThat(failed).hasMessage("It is in use.");
        assertThat(failed.exitCode()).isEqualTo(ExitCode.DATA);
    }

    @Test
    void aBridgeThatIsNotThereIsUnavailable() throws Exception {
        AdminConfig config = start("127.0.0.1", TOKEN, null, null);
        stop();
        Failed failed = failure(new AdminClient(config, null));
        assertThat(failed).hasMessageContaining("no bridge answers at http://127.0.0.1:" + config.port());
        assertThat(failed.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
    }

    @Test
    void aPortThatTheBridgeChoseItselfCannotBeKnown() {
        ConfigException e = catchThrowableOfType(
                ConfigException.class,
                () -> new AdminClient(new AdminConfig("127.0.0.1", 0, null, 64, 1024, null, null), null));
        assertThat(e).hasMessageContaining("pushbridge.admin.port");
    }

    @Test
    void theCertificateOfTheConfigurationIsBelievedAndNoOther() throws Exception {
        AdminConfig config = start("127.0.0.1", TOKEN, pem(server), null);
        assertThat(new AdminClient(config, null)
                        .get("/api/thing?id=1")
                        .path("id")
                        .asString())
                .isEqualTo("1");
        // Signed by the same authority and for this very name, but not the one.
        AdminConfig other = new AdminConfig(config.host(), config.port(), TOKEN, 64, 1024, pem(renewed), null);
        assertThat(failure(new AdminClient(other, null))).hasMessageContaining("no TLS with the bridge");
    }

    @Test
    void aClientCertificateIsShownWhereOneIsAskedForAndNamesTheOperator() throws Exception {
        AdminConfig config = start("127.0.0.1", null, pem(server), authority.ca);
        assertThat(new AdminClient(config, pem(operator))
                        .get("/api/thing?id=1")
                        .path("id")
                        .asString())
                .isEqualTo("1");
        assertThat(who).containsExactly("certificate CN=operator");
        assertThat(failure(new AdminClient(config, null)).exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(failure(new AdminClient(config, pem(stranger))).exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(who).hasSize(1);
    }

    private AdminConfig start(String host, @Nullable String token, @Nullable TlsConfig tls, @Nullable Path clientCa)
            throws Exception {
        AdminConfig config = new AdminConfig(host, 0, token, 64, 1024, tls, clientCa);
        AdminServer started = new AdminServer(
                config,
                () -> new Health(true, true, Map.of(), Map.of(), List.of()),
                () -> "",
                tls == null ? null : new ServerTls(tls, clientCa));
        started.register("GET", "/api/thing", request -> {
            who.add(request.who());
            return AdminAnswer.json(Map.of("id", String.valueOf(request.parameter("id"))));
        });
        started.register("POST", "/api/thing", request -> AdminAnswer.json(request.json()));
        started.register("DELETE", "/api/thing", request -> {
            throw new AdminException(409, "in-use", "It is in use.");
        });
        started.register(
                "GET",
                "/api/lines",
                request -> AdminAnswer.stream("text/plain", out -> {
                    for (int i = 1; i < 1_000_000; i++) {
                        out.write("line " + i + "\n");
                    }
                }));
        started.start();
        running = started;
        return new AdminConfig(host, started.port(), token, 64, 1024, tls, clientCa);
    }

    private static AdminClient client(AdminConfig config, @Nullable String token, @Nullable TlsConfig identity)
            throws ConfigException {
        return new AdminClient(
                new AdminConfig(config.host(), config.port(), token, 64, 1024, config.tls(), config.clientCaFile()),
                identity);
    }

    private static Failed failure(AdminClient client) {
        return catchThrowableOfType(Failed.class, () -> client.get("/api/thing?id=1"));
    }

    private static TlsConfig pem(Issued issued) throws IOException {
        return new TlsConfig(issued.certificate(), issued.key(), null, null);
    }
}
