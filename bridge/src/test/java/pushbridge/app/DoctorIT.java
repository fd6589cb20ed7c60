package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.config.BridgeConfig;
import pushbridge.doctor.Doctor;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;
import pushbridge.testing.FaultProxy;
import pushbridge.testing.KeyServer;
import pushbridge.testing.Ports;
import pushbridge.testing.TlsProxy;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command {@code doctor} as it is typed, on a real broker. */
@ExtendWith(BrokerExtension.class)
final class DoctorIT {

    private static final String SECRET = "a-secret-of-more-than-thirty-two-bytes";

    private final Broker broker;
    private final Path folder;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private Doctor.Surroundings surroundings =
            new Doctor.Surroundings(OptionalLong.of(100_000), 2L << 30, Instant.now());
    private int socketPort = Ports.free();
    private int adminPort = Ports.free();

    DoctorIT(Broker broker, @TempDir Path folder) {
        this.broker = broker;
        this.folder = folder;
    }

    // ---- as it should be ---------------------------------------------------------------------------------------

    @Test
    void onAnEmptyBrokerAllIsWellAndNothingIsThereAfterwards() {
        assertThat(doctor()).isZero();
        assertThat(verdicts()).doesNotContain("warn", "fail");
        assertThat(check("RabbitMQ").path("what").asString())
                .matches("RabbitMQ [34]\\.\\d+\\.\\d+.* as guest in vhost /.*");
        assertThat(check("topology").path("what").asString())
                .startsWith("0 exchanges and queues are as wanted; a bridge would declare when it starts: queue ")
                .contains("stream " + broker.prefix() + ".held");
        assertThat(check("policies").path("verdict").asString()).isEqualTo("unknown");
        assertThat(check("clock").path("verdict").asString()).isEqualTo("unknown");
        assertThat(Broker.rabbitmqctl("list_queues", "-q", "name")).doesNotContain(broker.prefix());
        assertThat(Broker.rabbitmqctl("list_exchanges", "-q", "name")).doesNotContain(broker.prefix());
    }

    @Test
    void besideABridgeAllIsWellAndItGoesOn() throws Exception {
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            socketPort = bridge.bridge().socketPort();
            adminPort = bridge.bridge().adminPort();
            String bindings = Broker.rabbitmqctl("list_bindings", "-q");
            String[] like = {
                "--set=hold.max-bytes=1GiB", "--set=hold.segment-bytes=1MiB", "--set=socket.max-connections=500"
            };

            assertThat(doctor(like)).isZero();
            assertThat(verdicts()).doesNotContain("warn", "fail");
            assertThat(check("bridge").path("what").asString()).startsWith("runs and is ready");
            assertThat(check("socket port").path("what").asString()).contains("by the running bridge");
            assertThat(check("admin port").path("what").asString()).endsWith("is the running bridge's");
            assertThat(check("file limit").path("what").asString()).startsWith("the running bridge may open ");
            assertThat(check("topology").path("what").asString()).startsWith("9 exchanges and queues are as wanted;");
            assertThat(check("permissions").path("verdict").asString()).isEqualTo("ok");

            assertThat(Broker.rabbitmqctl("list_bindings", "-q")).isEqualTo(bindings);
            WebClient ann = bridge.connect("user=ann");
            bridge.awaitSessions(1);
            broker.publish("user.ann", "{\"type\":\"n\",\"payload\":{},\"seq\":1}");
            ann.await(1);
            assertThat(bridge.bridge().stats().returned()).isZero(); // nobody took anything from it
        }
    }

    @Test
    void whatLiesInQueuesStaysWhereItIsUntouched() throws IOException {
        assertThat(command("topology")).isZero();
        broker.publish("user.ann", "one");
        broker.publish(
                "",
                broker.prefix() + ".dead",
                new BasicProperties.Builder().deliveryMode(2).build(),
                "two");
        broker.awaitReady(broker.prefix() + ".dead", 1);
        assertThat(doctor()).isZero();
        assertThat(check("dead letters").path("verdict").asString()).isEqualTo("warn");
        assertThat(doctor("--strict")).isEqualTo(1);
        assertThat(broker.ready(broker.prefix() + ".instructions")).isEqualTo(1);
        assertThat(broker.drain(broker.prefix() + ".dead"))
                .singleElement()
                .satisfies(message ->
                        assertThat(message.header("x-delivery-count")).isIn(null, "0")); // nobody took it
    }

    // ---- RabbitMQ ----------------------------------------------------------------------------------------------

    @Test
    void aWrongPasswordIsSaidWithoutIt() {
        assertThat(doctor("--set=amqp.uri=" + withUser("guest", "wrong-password")))
                .isEqualTo(69);
        assertThat(check("RabbitMQ").path("what").asString()).endsWith("it refuses the user name or password");
        assertThat(check("RabbitMQ").path("todo").asString()).contains("rabbitmqctl authenticate_user guest");
        assertThat(text()).doesNotContain("wrong-password");
    }

    @Test
    void aVhostThatIsNotThere() {
        String uri = broker.uri().toString().replace("/%2F", "/nowhere");
        assertThat(doctor("--set=amqp.uri=" + uri)).isEqualTo(69);
        assertThat(check("RabbitMQ").path("what").asString()).contains("vhost nowhere");
        assertThat(check("RabbitMQ").path("todo").asString()).contains("rabbitmqctl add_vhost nowhere");
    }

    @Test
    void noBrokerIsFatalAndOneOfSeveralIsAWarning() throws IOException {
        try (FaultProxy proxy = new FaultProxy(broker.uri())) {
            proxy.refuse();
            URI away = proxy.uri(broker.uri());
            assertThat(doctor("--set=amqp.uri=" + away)).isEqualTo(69);
            assertThat(checks("RabbitMQ")).hasSize(1);
            assertThat(checks("permissions")).isEmpty();

            assertThat(doctor("--set=amqp.uri=" + away + "," + broker.uri())).isZero();
            assertThat(checks("RabbitMQ"))
                    .extracting(check -> check.path("verdict").asString())
                    .containsExactly("warn", "ok");
            assertThat(check("permissions").path("verdict").asString()).isEqualTo("ok");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "^$; .*; .*; configure queue %.instructions, queue %.dead, queue %.expired, queue %.owner, queue %.held,"
                        + " queue %.reader, exchange %, exchange %.deaths, exchange %.deaths.other",
                ".*; ^%.*$; .*; write exchange amq.default",
                ".*; ^amq.default$; .*; write queue %.instructions, queue %.expired, queue %.dead, exchange %.deaths,"
                        + " exchange %.deaths.other",
                ".*; .*; ^(%|%[.]deaths.*)$; read queue %.instructions, queue %.dead, queue %.expired, queue %.owner,"
                        + " queue %.held, queue %.reader",
                ".*; .*; ^%[.](dead|expired|instructions|owner|held|reader)$; read exchange %, exchange %.deaths,"
                        + " exchange %.deaths.other",
                "^%.*$; ^(%.*|amq.default)$; ^%.*$;",
            })
    void rightsThatAreMissingAreNamed(String configure, String write, String read, String missing) {
        // Both with nothing there and with all, since RabbitMQ then looks at other things.
        for (boolean there : new boolean[] {false, true}) {
            if (there) {
                assertThat(command("topology")).isZero();
            }
            String user = broker.prefix();
            Broker.rabbitmqctl("add_user", user, "secret");
            try {
                Broker.rabbitmqctl("set_permissions", "-p", "/", user, own(configure), own(write), own(read));
                int code = doctor("--set=amqp.uri=" + withUser(user, "secret"));
                JsonNode permissions = check("permissions");
                if (missing == null) {
                    assertThat(code).as(text()).isZero();
                    assertThat(permissions.path("verdict").asString()).isEqualTo("ok");
                } else {
                    assertThat(code).isEqualTo(1);
                    assertThat(permissions.path("what").asString())
                            .as("%s, topology there: %s", text(), there)
                            .startsWith(user + " may not " + own(missing));
                    assertThat(permissions.path("todo").asString())
                            .startsWith("rabbitmqctl set_permissions -p / " + user);
                }
            } finally {
                Broker.rabbitmqctl("delete_user", user);
            }
        }
    }

    private String own(String pattern) {
        return pattern.replace("%", broker.prefix());
    }

    @Test
    void theRightsThatAreAdvisedAreEnough() {
        String user = broker.prefix();
        Broker.rabbitmqctl("add_user", user, "secret");
        try {
            Broker.rabbitmqctl("set_permissions", "-p", "/", user, "^$", "^$", "^$");
            assertThat(doctor("--set=amqp.uri=" + withUser(user, "secret"))).isEqualTo(1);
            String[] advice = check("permissions").path("todo").asString().split(" ", -1);
            assertThat(advice).hasSize(8);
            Broker.rabbitmqctl("set_permissions", "-p", "/", user, bare(advice[5]), bare(advice[6]), bare(advice[7]));
            assertThat(doctor("--set=amqp.uri=" + withUser(user, "secret")))
                    .as(text())
                    .isZero();
        } finally {
            Broker.rabbitmqctl("delete_user", user);
        }
    }

    private static String bare(String quoted) {
        return quoted.replace("'", "");
    }

    @Test
    void aQueueThatIsOtherwiseIsNamedWithBothValues() throws IOException {
        Channel channel = broker.connection().createChannel();
        channel.queueDeclare(
                broker.prefix() + ".dead",
                true,
                false,
                false,
                Map.of("x-queue-type", "quorum", "x-max-length", 5, "x-overflow", "reject-publish"));
        assertThat(doctor()).isEqualTo(1);
        assertThat(checks("topology").get(0).path("what").asString())
                .startsWith("queue " + broker.prefix() + ".dead: x-max-length is 5, wanted is 1000");
    }

    @Test
    void aRabbitMqThatTakesNoMessages() throws Exception {
        try {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
            broker.awaitPublishersBlocked();
            assertThat(doctor("--set=amqp.connect-timeout=2s")).isEqualTo(1);
            assertThat(check("publishing").path("what").asString()).startsWith("RabbitMQ takes no messages now: ");
            assertThat(check("message size").path("verdict").asString()).isEqualTo("unknown");
            assertThat(check("permissions").path("verdict").asString()).isEqualTo("ok");
        } finally {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4");
        }
    }

    @Test
    void theCertificateOfRabbitMqIsLookedAtToo() throws Exception {
        Certificates authority = new Certificates(folder, "authority");
        InetSocketAddress plain =
                new InetSocketAddress(broker.uri().getHost(), broker.uri().getPort());
        try (TlsProxy proxy = new TlsProxy(authority.client(authority.issueFor(10, "rabbit")), false, plain)) {
            String uri = "amqps://guest:guest@localhost:" + proxy.port() + "/%2F";
            assertThat(doctor("--set=amqp.uri=" + uri, "--set=amqp.tls.ca-file=" + authority.ca))
                    .as(text())
                    .isZero();
            assertThat(checks("certificate"))
                    .extracting(check -> check.path("verdict").asString())
                    .containsExactly("ok", "warn"); // the authority's, RabbitMQ's
            assertThat(checks("certificate").get(1).path("what").asString()).startsWith("RabbitMQ's (localhost:");
            assertThat(doctor("--set=amqp.uri=" + uri)).isEqualTo(69); // not believed
            assertThat(check("RabbitMQ").path("todo").asString()).contains("pushbridge.amqp.tls.ca-file");
        }
    }

    @Test
    void aPolicyThatWouldHaveLettersThrownAwayIsSeenByTheManagementPlugin() {
        assertThat(command("topology")).isZero();
        int port = startManagement();
        String policy = broker.prefix();
        try {
            assertThat(doctor("--management=http://127.0.0.1:" + port))
                    .as(text())
                    .isZero();
            assertThat(check("policies").path("verdict").asString()).as(text()).isEqualTo("ok");
            assertThat(check("clock").path("verdict").asString()).isEqualTo("ok");

            Broker.rabbitmqctl(
                    "set_policy", "--apply-to", "queues", policy, "^" + policy + "[.]dead$", "{\"delivery-limit\":5}");
            Broker.await("the policy to be in force", () -> doctor("--management=http://127.0.0.1:" + port) == 1);
            assertThat(check("policies").path("what").asString())
                    .isEqualTo(policy + ".dead has delivery-limit 5 by the policy " + policy);

            assertThat(doctor("--management=http://guest:wrong@127.0.0.1:" + port))
                    .isZero();
            assertThat(check("policies").path("what").asString()).endsWith(" answers 401");
            assertThat(text()).doesNotContain("wrong");
        } finally {
            Broker.rabbitmqctl("eval", "rabbit_policy:delete(<<\"/\">>, <<\"" + policy + "\">>, <<\"test\">>).");
            Broker.rabbitmqctl(
                    "eval", "application:stop(rabbitmq_management), application:stop(rabbitmq_management_agent).");
        }
    }

    /** The plugin of the very broker, without a restart. */
    private static int startManagement() {
        int port = Ports.free();
        String started = Broker.rabbitmqctl("eval", """
                P = filename:dirname(code:lib_dir(rabbit)),
                [code:add_path(filename:join([P, D, "ebin"])) || D <- filelib:wildcard("*", P)],
                application:load(rabbitmq_management),
                application:set_env(rabbitmq_management, tcp_config, [{port, %d}, {ip, "127.0.0.1"}]),
                catch rabbit_feature_flags:refresh_feature_flags_after_app_load([rabbitmq_management]),
                application:ensure_all_started(rabbitmq_management).
                """.formatted(port));
        assertThat(started).startsWith("{ok,");
        return port;
    }

    // ---- configuration, secrets, machine -----------------------------------------------------------------------

    @Test
    void allProblemsOfTheConfigurationAreTold() {
        assertThat(run("doctor", "--json", "--set=amqp.uri=" + broker.uri(), "--set=socket.port=x", "--set=hold.ttl=y"))
                .isEqualTo(78);
        assertThat(checks("configuration"))
                .extracting(check -> check.path("what").asString())
                .anyMatch(what -> what.contains("pushbridge.auth.mode (not set)"))
                .anyMatch(what -> what.contains("pushbridge.socket.port"))
                .anyMatch(what -> what.contains("pushbridge.hold.ttl"));
        assertThat(check("RabbitMQ").path("verdict").asString()).isEqualTo("unknown");
    }

    @Test
    void rabbitMqIsLookedAtAlthoughSomethingElseIsMissing() {
        assertThat(run("doctor", "--json", "--set=amqp.uri=" + broker.uri(), "--set=amqp.prefix=" + broker.prefix()))
                .isEqualTo(78);
        assertThat(check("permissions").path("verdict").asString()).isEqualTo("ok");
    }

    @Test
    void tooFewFilesForTheConnections() {
        surroundings = new Doctor.Surroundings(OptionalLong.of(1_024), 2L << 30, Instant.now());
        assertThat(doctor("--set=socket.max-connections=5000")).isZero();
        JsonNode files = check("file limit");
        assertThat(files.path("verdict").asString()).isEqualTo("warn");
        assertThat(files.path("what").asString()).startsWith("this shell may open 1024 files, too few for ");
        assertThat(files.path("todo").asString()).startsWith("Raise it (ulimit -n ");
        assertThat(doctor("--strict", "--set=socket.max-connections=5000")).isEqualTo(1);
        assertThat(doctor("--strict", "--set=socket.max-connections=500")).isZero();
    }

    @Test
    void tooLittleHeapForThePrefetch() {
        surroundings = new Doctor.Surroundings(OptionalLong.of(100_000), 256L << 20, Instant.now());
        assertThat(doctor("--set=amqp.prefetch=4096")).isEqualTo(1);
        assertThat(check("heap").path("what").asString())
                .isEqualTo(
                        "this Java may have 256MiB of heap; pushbridge.amqp.prefetch × pushbridge.message.max-bytes can take"
                                + " 256MiB of its 128MiB");
    }

    @Test
    void aPortThatSomethingElseHas() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socketPort = taken.getLocalPort();
            assertThat(doctor()).isEqualTo(1);
            assertThat(check("socket port").path("what").asString())
                    .isEqualTo("127.0.0.1:" + socketPort + " is taken by something else");
            assertThat(check("socket port").path("todo").asString()).contains("pushbridge.socket.port");
            assertThat(check("admin port").path("verdict").asString()).isEqualTo("ok");
        }
    }

    @Test
    void aBridgeThatIsNotReadySaysWhy() throws Exception {
        try (FaultProxy proxy = new FaultProxy(broker.uri())) {
            proxy.refuse();
            BridgeConfig config = TestBridge.config(broker.config(proxy.uri(broker.uri())), TestBridge.LONG, null);
            try (TestBridge bridge = TestBridge.start(config)) {
                Broker.await(
                        "a problem", () -> !bridge.bridge().health().problems().isEmpty());
                socketPort = bridge.bridge().socketPort();
                adminPort = bridge.bridge().adminPort();
                assertThat(doctor()).isEqualTo(1);
                assertThat(check("bridge").path("what").asString())
                        .startsWith("runs and is not ready: ")
                        .contains("RabbitMQ cannot be reached");
            }
        }
    }

    @Test
    void certificatesThatEndSoonOrHaveEnded() throws Exception {
        Certificates authority = new Certificates(folder, "authority");
        for (String[] one : new String[][] {{"60", "ok"}, {"10", "warn"}}) {
            Issued issued = authority.issueFor(Integer.parseInt(one[0]), "for" + one[0]);
            assertThat(doctor(tls(issued))).as(text()).isZero();
            assertThat(check("certificate").path("verdict").asString()).isEqualTo(one[1]);
        }
        assertThat(doctor(tls(authority.issueExpired("over")))).isEqualTo(1);
        assertThat(check("certificate").path("what").asString()).contains("has expired on");
    }

    private static String[] tls(Issued issued) {
        return new String[] {
            "--set=socket.tls.certificate-file=" + issued.certificate(), "--set=socket.tls.key-file=" + issued.key()
        };
    }

    @Test
    void keysThatCannotBeLoaded() throws Exception {
        try (KeyServer keys = new KeyServer(null)) {
            keys.answers("{}");
            assertThat(run(base("--set=auth.mode=token", "--set=auth.jwks-url=" + keys.url())))
                    .isEqualTo(1);
            assertThat(check("tokens").path("verdict").asString()).isEqualTo("fail");
            assertThat(check("tokens").path("what").asString())
                    .contains(keys.url().toString());
        }
    }

    @Test
    void secretsThatEverybodyCanRead() throws IOException {
        Path yaml = folder.resolve("bridge.yaml");
        Path secret = folder.resolve("secret");
        Files.writeString(secret, SECRET);
        Files.writeString(
                yaml,
                "pushbridge.amqp.uri: " + broker.uri() + "\npushbridge.amqp.prefix: " + broker.prefix()
                        + "\npushbridge.socket.port: " + socketPort + "\npushbridge.admin.port: " + adminPort
                        + "\npushbridge.auth.mode: token\npushbridge.auth.secret-file: " + secret + "\n");
        mode(yaml, "rw-r-----");
        mode(secret, "rw-r--r--");
        assertThat(run("doctor", "--json", "--config", yaml.toString())).isZero();
        assertThat(checks("secrets")).singleElement().satisfies(check -> {
            assertThat(check.path("what").asString()).startsWith(secret + " has a secret in it");
            assertThat(check.path("todo").asString()).startsWith("chmod o= " + secret);
        });
        mode(secret, "rw-------");
        assertThat(run("doctor", "--json", "--strict", "--config", yaml.toString()))
                .as(text())
                .isZero();
        assertThat(run("doctor", "--json", "--config", yaml.toString(), "--set=amqp.uri=" + broker.uri()))
                .isZero();
        assertThat(checks("secrets"))
                .extracting(check -> check.path("what").asString())
                .containsExactly("pushbridge.amqp.uri is on the command line");
        assertThat(text()).doesNotContain(SECRET);
    }

    private static void mode(Path file, String permissions) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    @Test
    void forPeopleEachIsALineWithWhyAndWhatToDo() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socketPort = taken.getLocalPort();
            List<String> arguments = new ArrayList<>(List.of(base("--set=auth.mode=token")));
            arguments.remove("--json");
            assertThat(run(arguments.toArray(String[]::new))).isEqualTo(1);
            assertThat(text().lines())
                    .contains("FAIL  socket port    127.0.0.1:" + socketPort + " is taken by something else")
                    .contains("                     why: 'serve' ends at once when it cannot listen there.")
                    .anyMatch(line -> line.startsWith("                     do:  Stop what uses it"))
                    .anyMatch(line -> line.startsWith("ok    RabbitMQ       RabbitMQ "));
            assertThat(text()).endsWith(" 1 failed. Nothing was changed.\n");
        }
    }

    // ---- how it is run -----------------------------------------------------------------------------------------

    private String withUser(String user, String password) {
        URI uri = broker.uri();
        return "amqp://" + user + ":" + password + "@" + uri.getHost() + ":" + uri.getPort() + "/%2F";
    }

    private int command(String command) {
        List<String> arguments = new ArrayList<>(List.of(base()));
        arguments.set(0, command);
        arguments.remove("--json");
        return run(arguments.toArray(String[]::new));
    }

    private String[] base(String... options) {
        List<String> arguments = new ArrayList<>(List.of("doctor", "--json"));
        arguments.add("--set=amqp.prefix=" + broker.prefix());
        arguments.add("--set=amqp.dead-max-messages=" + broker.config().deadMaxMessages());
        arguments.add("--set=amqp.expired-max-messages=" + broker.config().expiredMaxMessages());
        arguments.add("--set=socket.port=" + socketPort);
        arguments.add("--set=admin.port=" + adminPort);
        arguments.addAll(List.of(options));
        return arguments.toArray(String[]::new);
    }

    /** With a secret for tokens and the broker's address from the environment, so that nothing is to be warned about. */
    private int doctor(String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--set=auth.mode=token");
        return run(base(all.toArray(String[]::new)));
    }

    private int run(String... arguments) {
        out.reset();
        Cli cli = new Cli(
                config -> ExitCode.INTERNAL,
                PublishOnce::publish,
                TopologyOnce::check,
                LettersOnce::open,
                () -> surroundings);
        boolean keys = List.of(arguments).stream().anyMatch(argument -> argument.contains("auth.mode=token"));
        boolean jwks = List.of(arguments).stream().anyMatch(argument -> argument.contains("auth.jwks-url"));
        Map<String, String> environment = keys && !jwks
                ? Map.of(
                        "PUSHBRIDGE_AUTH_SECRET",
                        SECRET,
                        "PUSHBRIDGE_AMQP_URI",
                        broker.uri().toString())
                : Map.of("PUSHBRIDGE_AMQP_URI", broker.uri().toString());
        return cli.run(arguments, environment, print(out), print(out));
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<JsonNode> checks(String name) {
        List<JsonNode> checks = new ArrayList<>();
        for (JsonNode check : JsonMapper.shared().readTree(text()).path("checks")) {
            if (check.path("name").asString().equals(name)) {
                checks.add(check);
            }
        }
        return checks;
    }

    private JsonNode check(String name) {
        assertThat(checks(name)).as(name + " in " + text()).hasSize(1);
        return checks(name).get(0);
    }

    private List<String> verdicts() {
        List<String> verdicts = new ArrayList<>();
        JsonMapper.shared()
                .readTree(text())
                .path("checks")
                .forEach(check -> verdicts.add(check.path("verdict").asString()));
        return verdicts;
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
