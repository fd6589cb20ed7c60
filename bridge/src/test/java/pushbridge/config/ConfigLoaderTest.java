package pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigLoaderTest {
    private static final Machine MACHINE = new Machine(2L << 30, 6);

    @TempDir
    Path folder;

    // Values

    @Test
    void defaultsAreTheDocumentedOnes() throws ConfigException {
        BridgeConfig config = load(Map.of(), "auth.mode=dev").values();
        assertThat(config)
                .isEqualTo(new BridgeConfig(
                        new AmqpConfig(
                                List.of(URI.create("amqp://guest:guest@127.0.0.1:5672/%2F")),
                                "push",
                                4096,
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(60),
                                Duration.ofMillis(500),
                                Duration.ofSeconds(30),
                                512 << 20,
                                1_000_000,
                                100_000,
                                Duration.ofMinutes(10),
                                new AmqpTlsConfig(true, null, null)),
                        new IntakeConfig(Duration.ofSeconds(3), Duration.ofSeconds(5), 50, 20),
                        new MessageConfig(64 << 10, 64, null),
                        new DeliveryConfig(
                                64, 256 << 10, Duration.ofSeconds(1), Duration.ofSeconds(2), 16, 100, 20_000),
                        new HoldConfig(Duration.ofHours(24), 1_000_000, 1_000, 2L << 30, 64L << 20, 100L << 20),
                        new OutboxConfig(1024, 1 << 20, 25),
                        new SocketConfig(
                                "127.0.0.1",
                                8080,
                                "/ws",
                                SocketConfig.PlainConfirm.PONG,
                                20_000,
                                100,
                                Duration.ofSeconds(10),
                                16 << 10,
                                16 << 10,
                                Duration.ofSeconds(25),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(30),
                                Duration.ofSeconds(15),
                                64 << 10,
                                0,
                                6,
                                new SocketLimits(1_000, 2_000, 50, 100),
                                new ProxyConfig(List.of(), ProxyConfig.Header.X_FORWARDED_FOR, false),
                                null),
                        new AuthConfig(AuthConfig.Mode.DEV, false),
                        new AdminConfig("127.0.0.1", 8081, null, 64, 1 << 20, null, null),
                        new LettersConfig(200_000, 1L << 30, Duration.ofSeconds(30), Duration.ofMinutes(15)),
                        new ReceiptsConfig(10_000),
                        new ShutdownConfig(Duration.ofSeconds(5), Duration.ofSeconds(5))));
    }

    /** Guards against two keys swapped in the assembly: each key, set alone to a value of its own, changes one thing. */
    @Test
    void everyKeyReachesTheComponentThatDefaultsAndReferenceSpeakOf() throws ConfigException {
        BridgeConfig config = load(
                        Map.of(),
                        "auth.mode=dev",
                        "amqp.heartbeat=11s",
                        "amqp.connect-timeout=12s",
                        "amqp.confirm-timeout=13s",
                        "amqp.backoff-initial=14ms",
                        "amqp.backoff-max=15s",
                        "amqp.dead-max-messages=16",
                        "amqp.expired-max-messages=17",
                        "standby.patience=18s",
                        "intake.start-delay=19s",
                        "poison.after=36",
                        "lane.window-messages=20",
                        "hold.after=21s",
                        "fanout.patience=22s",
                        "delivery.max-requests=23",
                        "delivery.max-channels=24",
                        "delivery.remembered-connections=25",
                        "socket.max-connections=25",
                        "socket.max-connections-per-user=26",
                        "socket.handshake-timeout=27s",
                        "socket.max-header-bytes=2800",
                        "socket.max-frame-bytes=2900",
                        "socket.ping-interval=30s",
                        "socket.pong-timeout=31s",
                        "ack.timeout=32s",
                        "socket.stall-after=33s",
                        "plain.confirm=written",
                        "message.max-depth=34",
                        "outbox.heap-percent=35",
                        "socket.max-connections-per-address=36",
                        "socket.max-handshakes-per-second=37",
                        "socket.max-handshakes-per-second-per-address=38",
                        "socket.max-frames-per-second=39",
                        "socket.compress-above=40KiB",
                        "socket.trusted-proxies=10.0.0.0/8, 2001:db8::1",
                        "socket.forwarded-header=x-real-ip",
                        "socket.proxy-protocol=true")
                .values();
        AmqpConfig amqp = config.amqp();
        assertThat(List.of(
                        amqp.heartbeat(),
                        amqp.connectTimeout(),
                        amqp.confirmTimeout(),
                        amqp.backoffInitial(),
                        amqp.backoffMax(),
                        amqp.deadMaxMessages(),
                        amqp.expiredMaxMessages()))
                .isEqualTo(List.of(
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(12),
                        Duration.ofSeconds(13),
                        Duration.ofMillis(14),
                        Duration.ofSeconds(15),
                        16L,
                        17L));
        assertThat(config.intake()).isEqualTo(new IntakeConfig(Duration.ofSeconds(19), Duration.ofSeconds(18), 50, 36));
        assertThat(config.delivery())
                .isEqualTo(
                        new DeliveryConfig(20, 256 << 10, Duration.ofSeconds(21), Duration.ofSeconds(22), 23, 24, 25));
        assertThat(config.socket())
                .isEqualTo(new SocketConfig(
                        "127.0.0.1",
                        8080,
                        "/ws",
                        SocketConfig.PlainConfirm.WRITTEN,
                        25,
                        26,
                        Duration.ofSeconds(27),
                        2800,
                        2900,
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(31),
                        Duration.ofSeconds(32),
                        Duration.ofSeconds(33),
                        64 << 10,
                        40 << 10,
                        6,
                        new SocketLimits(36, 37, 38, 39),
                        new ProxyConfig(
                                List.of(Network.parse("10.0.0.0/8"), Network.parse("2001:db8::1")),
                                ProxyConfig.Header.X_REAL_IP,
                                true),
                        null));
        assertThat(config.message().maxDepth()).isEqualTo(34);
        assertThat(config.outbox().heapPercent()).isEqualTo(35);
    }

    @Test
    void laterSourcesOverrideEarlierOnes() throws Exception {
        Path file = yaml("""
                pushbridge:
                  auth.mode: dev
                  amqp: { prefix: from-file, prefetch: 1, heartbeat: 1s }
                """);
        Map<String, String> environment = Map.of("PUSHBRIDGE_AMQP_PREFETCH", "2", "PUSHBRIDGE_AMQP_HEARTBEAT", "2s");
        EffectiveConfig config = load(file, environment, "amqp.heartbeat=4s", "pushbridge.amqp.heartbeat=3s");
        AmqpConfig amqp = config.values().amqp();
        assertThat(List.of(amqp.prefix(), amqp.prefetch(), amqp.heartbeat()))
                .isEqualTo(List.of("from-file", 2, Duration.ofSeconds(3)));
        assertThat(config.changes())
                .containsExactly(
                        "pushbridge.amqp.heartbeat = 3s (from command line)",
                        "pushbridge.amqp.prefetch = 2 (from environment PUSHBRIDGE_AMQP_PREFETCH)",
                        "pushbridge.amqp.prefix = from-file (from " + file + " line 3)",
                        "pushbridge.auth.mode = dev (from " + file + " line 2)");
    }

    @Test
    void keysInYamlMayBeNestedOrDotted() throws Exception {
        Path file = yaml("""
                # everything commented out says nothing wrong
                pushbridge.auth.mode: dev
                pushbridge:
                  socket:
                  amqp.uri:
                    - amqp://a
                    - amqps://b:5671/v
                  lane:
                    window-messages: 7
                """);
        BridgeConfig config = load(file, Map.of()).values();
        assertThat(config.amqp().uris()).containsExactly(URI.create("amqp://a"), URI.create("amqps://b:5671/v"));
        assertThat(config.delivery().windowMessages()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "pushbridge:\n", "---\n", "\uFEFFpushbridge:\n  amqp:\n"})
    void emptyFileIsAllowed(String content) throws Exception {
        assertThat(load(yaml(content), Map.of("PUSHBRIDGE_AUTH_MODE", "dev")).changes())
                .hasSize(1);
    }

    @Test
    void everyKeyHasAnEnvironmentNameOfItsOwn() {
        assertThat(Keys.all().stream().map(Key::environmentName)).doesNotHaveDuplicates();
        assertThat(Keys.SOCKET_MAX_CONNECTIONS_PER_USER.environmentName())
                .isEqualTo("PUSHBRIDGE_SOCKET_MAX_CONNECTIONS_PER_USER");
    }

    @Test
    void folderOfPayloadSchemasIsTakenWhenItExists() throws ConfigException {
        assertThat(load(Map.of(), "auth.mode=dev", "message.types-dir=" + folder)
                        .values()
                        .message()
                        .typesDir())
                .isEqualTo(folder);
    }

    @Test
    void listInTheEnvironmentIsSeparatedByCommas() throws ConfigException {
        Map<String, String> environment =
                Map.of("PUSHBRIDGE_AMQP_URI", "amqp://a, amqp://b", "PUSHBRIDGE_AUTH_MODE", "dev");
        assertThat(load(environment).values().amqp().uris())
                .containsExactly(URI.create("amqp://a"), URI.create("amqp://b"));
    }

    @Test
    void variablesOfScriptsAndOfKubernetesAreIgnored() throws ConfigException {
        Map<String, String> environment = Map.of(
                "PUSHBRIDGE_HOME", "/opt",
                "PUSHBRIDGE_TEST_ANYTHING", "1",
                "PUSHBRIDGE_PORT", "tcp://10.0.0.1:8080",
                "PUSHBRIDGE_PORT_8080_TCP", "tcp://10.0.0.1:8080",
                "PUSHBRIDGE_SERVICE_HOST", "10.0.0.1",
                "PATH", "/bin");
        assertThat(load(environment, "auth.mode=dev").changes()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "5s,5000", "10m,600000", "0s,0", "1 s,1000"})
    void durationsHaveUnits(String text, long milliseconds) {
        assertThat(Units.duration(text)).hasMillis(milliseconds);
    }

    @ParameterizedTest
    @CsvSource({"1024,1024", "64KiB,65536", "1MiB,1048576", "2GiB,2147483648", "7B,7"})
    void sizesHaveBinaryUnits(String text, long bytes) {
        assertThat(Units.size(text)).isEqualTo(bytes);
    }

    // Problems

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "amqp.prefetch=0 | \"0\" is too small; allowed: 1 to 65535",
                "amqp.prefetch=65536 | \"65536\" is too large; allowed: 1 to 65535",
                "amqp.prefetch=99999999999999999999 | is not a whole number; allowed: 1 to 65535",
                "amqp.prefetch=many | \"many\" is not a whole number; allowed: 1 to 65535",
                "amqp.prefetch= | \"\" is not a whole number",
                "hold.after=5 | \"5\" has no unit; write it like 500ms, 5s, 10m or 24h; allowed: 10ms to 1m",
                "hold.after=5d | \"5d\" has an unknown unit; use ms, s, m or h",
                "hold.after=-5s | \"-5s\" is no duration",
                "hold.after=99999999999999999999h | is too large a number",
                "hold.after=2m | \"2m\" is too large; allowed: 10ms to 1m",
                "amqp.heartbeat=1500ms | is not a whole number of seconds",
                "message.max-bytes=64KB | \"64KB\" has an unknown unit; use KiB, MiB, GiB or none",
                "message.max-bytes=1.5MiB | \"1.5MiB\" is no size",
                "message.max-bytes=999GiB | \"999GiB\" is too large; allowed: 256 to 128MiB",
                "intake.heap-percent=101 | \"101\" is too large; allowed: 1 to 90",
                "socket.port=65536 | \"65536\" is too large; allowed: 0 to 65535",
                "socket.port=-1 | \"-1\" is too small; allowed: 0 to 65535",
                "socket.path=ws | \"ws\" does not start with /",
                "socket.path=/ws/ | \"/ws/\" is no plain path",
                "socket.host= | \"\" is no host",
                "socket.host=http://x | is no host; allowed: a host name or an IP address",
                "plain.confirm=PONG | \"PONG\" is unknown; allowed: pong, written",
                "auth.mode=none | \"none\" is unknown; allowed: dev, token",
                "auth.dev-allow-remote=yes | \"yes\" is neither true nor false",
                "amqp.prefix=amq.x | names with amq. belong to the broker",
                "amqp.prefix=a b | \"a b\" cannot start the name of a queue",
                "message.types-dir=/does/not/exist | is not a folder that exists; allowed: an existing folder",
                "amqp.prefech=1 | there is no such key; did you mean pushbridge.amqp.prefetch?",
                "something.else=1 | there is no such key; 'pushbridge config-doc' lists all keys",
                "amqp.uri=http://h | the address does not start with amqp:// or amqps://",
                "amqp.uri=amqp://h/ | names the empty vhost",
                "amqp.uri=amqp://h/a/b | has a / in its vhost",
                "amqp.uri=amqp://h:70000 | has a port outside 1 to 65535",
                "amqp.uri=amqp://h?heartbeat=1 | has a part after ? or #",
                "amqp.uri='amqp://a,http://b' | address 2 does not start with amqp://",
                "amqp.uri=amqp:h | has no host that can be read",
                "amqp.uri= | there is no address in it",
            })
    void wrongValueIsNamedWithWhatIsAllowed(String setting, String sentence) {
        String key = "pushbridge." + setting.substring(0, setting.indexOf('='));
        String unquoted = setting.replace("'", "");
        assertThat(problems(Map.of(), "auth.mode=dev", unquoted))
                .singleElement()
                .asString()
                .startsWith(key + " (from command line): ")
                .contains(sentence);
    }

    @Test
    void authModeIsRequired() {
        assertThat(problems(Map.of()))
                .containsExactly(
                        "pushbridge.auth.mode (not set): it is required and has no default; allowed: dev, token");
    }

    @Test
    void allProblemsOfAllSourcesAreReportedTogether() throws IOException {
        Path file = yaml("""
                pushbridge:
                  amqp:
                    prefetch: 0
                    prefetch: 5
                    heartbeat: *alias
                  socket.port: [ 1, 2 ]
                  socket.host:
                  colour: red
                amqp.prefix: x
                """.replace("*alias", "10"));
        Map<String, String> environment = Map.of("PUSHBRIDGE_SOCKET_PROT", "1", "PUSHBRIDGE_MESSAGE_MAX_BYTES", "x");
        assertThat(problems(file, environment, "amqp.backoff-max=20ms", "prefetch"))
                .containsExactly(
                        "pushbridge.amqp.prefetch (from " + file + " line 4): it is already set in line 3",
                        "pushbridge.socket.port (from " + file
                                + " line 6): a list is not allowed here; write one value",
                        "pushbridge.socket.host (from " + file
                                + " line 7): it has no value; remove the key or give it one",
                        "pushbridge.colour (from " + file
                                + " line 8): there is no such key; 'pushbridge config-doc' lists all keys",
                        "amqp.prefix (from " + file
                                + " line 9): there is no such key; 'pushbridge config-doc' lists all keys",
                        "PUSHBRIDGE_SOCKET_PROT (from environment): there is no such key; did you mean"
                                + " PUSHBRIDGE_SOCKET_PORT? 'pushbridge config-doc' lists all keys",
                        "a --set on the command line has no '='; write it like --set amqp.prefetch=100",
                        "pushbridge.amqp.heartbeat (from " + file
                                + " line 5): \"10\" has no unit; write it like 500ms, 5s, 10m or 24h; allowed: 1s to 5m,"
                                + " whole seconds",
                        "pushbridge.message.max-bytes (from environment PUSHBRIDGE_MESSAGE_MAX_BYTES): \"x\" is no"
                                + " size; write it like 1024, 64KiB or 1MiB; allowed: 256 to 128MiB",
                        "pushbridge.auth.mode (not set): it is required and has no default; allowed: dev, token",
                        "pushbridge.amqp.backoff-max (from command line): 20ms is too small; allowed: at least"
                                + " pushbridge.amqp.backoff-initial, which is 500ms");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "pushbridge: { amqp: [ 1 | line 1 column",
                "\"pushbridge:\\n\\tamqp: 1\" | line 2 column 1: this is not valid YAML",
                "just text | it must start with the key pushbridge",
                "- a | it must start with the key pushbridge",
            })
    void malformedFileIsOneSentenceWithItsPlace(String content, String sentence) throws IOException {
        Path file = yaml(content.replace("\\n", "\n").replace("\\t", "\t").replace("\"", ""));
        assertThat(problems(file, Map.of()))
                .singleElement()
                .asString()
                .startsWith(file.toString())
                .contains(sentence)
                .doesNotContain("\n");
    }

    @Test
    void secondDocumentAndAliasesAreNotReadSilently() throws IOException {
        Path file = yaml("""
                pushbridge:
                  auth.mode: dev
                  amqp: { prefix: &p abc }
                  socket: { host: *p }
                ---
                pushbridge:
                """);
        assertThat(problems(file, Map.of()))
                .anySatisfy(problem ->
                        assertThat(problem).startsWith("pushbridge.socket.host (from " + file + " line 4): an alias"))
                .anySatisfy(problem -> assertThat(problem).contains("line 6: a second YAML document starts here"));
    }

    @Test
    void missingOrUnreadableFileIsNamed() throws IOException {
        Path missing = folder.resolve("missing.yaml");
        assertThat(problems(missing, Map.of())).containsExactly(missing + ": there is no such file");
        Path latin1 = Files.write(folder.resolve("latin1.yaml"), new byte[] {'#', (byte) 0xe4});
        assertThat(problems(latin1, Map.of())).containsExactly(latin1 + ": it is not valid UTF-8");
    }

    // Between keys

    @Test
    void prefetchThatDoesNotFitTheHeapIsRefusedWithWhatWouldFit() throws ConfigException {
        Machine small = new Machine(256L << 20, 1);
        ConfigException refused = catchThrowableOfType(
                ConfigException.class, () -> new ConfigLoader(small).load(sources("auth.mode=dev")));
        assertThat(refused.problems())
                .containsExactly("pushbridge.amqp.prefetch (default): 4096 messages of up to 64KiB"
                        + " (pushbridge.message.max-bytes) can take 256 MiB, but 50% (pushbridge.intake.heap-percent) of"
                        + " the heap of 256 MiB is only 128 MiB; lower pushbridge.amqp.prefetch to 2048, or"
                        + " pushbridge.message.max-bytes to 32KiB, or give Java a heap of 576 MiB (-Xmx576m)");
        // Each of the three pieces of advice helps.
        new ConfigLoader(small).load(sources("auth.mode=dev", "amqp.prefetch=2048"));
        new ConfigLoader(small).load(sources("auth.mode=dev", "message.max-bytes=32KiB"));
        new ConfigLoader(new Machine(512L << 20, 1)).load(sources("auth.mode=dev"));
    }

    @ParameterizedTest
    @CsvSource({
        "amqp.max-inbound-bytes=64KiB message.max-bytes=65KiB, amqp.max-inbound-bytes, 'at least pushbridge.message.max'",
        "outbox.max-bytes=256KiB message.max-bytes=129KiB, outbox.max-bytes, 'at least twice pushbridge.message.max-bytes'",
        "lane.window-bytes=2MiB, outbox.max-bytes, 'at least pushbridge.lane.window-bytes, which is 2MiB'",
        "outbox.max-frames=63, outbox.max-frames, 'at least pushbridge.lane.window-messages, which is 64'",
        "intake.heap-percent=66, outbox.heap-percent, 'it takes 91% of the heap; allowed: at most 90%'",
        "admin.port=8080, admin.port, '8080 is the port of the public listener'",
        "socket.host=0.0.0.0, auth.mode, 'set pushbridge.auth.dev-allow-remote=true'",
        "socket.host=::, auth.mode, 'listen on 127.0.0.1'",
        "admin.host=0.0.0.0, admin.host, 'can be reached from other machines'",
        "admin.host=::, admin.host, 'set pushbridge.admin.token (make one with'",
        "admin.host=8.8.8.8, admin.host, 'or listen on 127.0.0.1'",
    })
    void keysThatContradictEachOtherAreRefused(String settings, String key, String sentence) {
        assertThat(problems(Map.of(), ("auth.mode=dev " + settings).split(" ", -1)))
                .singleElement()
                .asString()
                .startsWith("pushbridge." + key)
                .contains(sentence);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.9.9.9", "::1", "localhost"})
    void devModeListensOnLoopback(String host) throws ConfigException {
        assertThat(load(Map.of(), "auth.mode=dev", "socket.host=" + host)
                        .values()
                        .socket()
                        .host())
                .isEqualTo(host);
    }

    @Test
    void devModeOnOtherAddressesCanBeForced() throws ConfigException {
        load(Map.of(), "auth.mode=dev", "socket.host=0.0.0.0", "auth.dev-allow-remote=true");
    }

    @Test
    void operatorsBeyondLoopbackNeedATokenOrACertificate() throws Exception {
        Path anyFile = Files.writeString(folder.resolve("any"), "x"); // read by the bridge, not by the loader
        String token = "0123456789abcdef0123456789abcdef";
        AdminConfig config = load(Map.of(), "auth.mode=dev", "admin.host=0.0.0.0", "admin.token=" + token)
                .values()
                .admin();
        assertThat(config.token()).isEqualTo(token);
        assertThat(config.toString()).doesNotContain(token);
        assertThat(load(Map.of(), "auth.mode=dev", "admin.token=" + token)
                        .changes()
                        .toString())
                .doesNotContain(token);
        assertThat(problems(Map.of(), "auth.mode=dev", "admin.token=" + token.substring(1)))
                .singleElement()
                .asString()
                .contains("too short to be safe")
                .doesNotContain(token.substring(1));
        load(
                Map.of(),
                "auth.mode=dev",
                "admin.host=0.0.0.0",
                "admin.tls.client-ca-file=" + anyFile,
                "admin.tls.certificate-file=" + anyFile,
                "admin.tls.key-file=" + anyFile);
    }

    @Test
    void aCommandThatAsksTheBridgeNeedsNoAuthMode() throws ConfigException {
        assertThat(new ConfigLoader(MACHINE).loadAdmin(sources("admin.port=1")).port())
                .isEqualTo(1);
    }

    @Test
    void publishingNeedsNeitherAuthModeNorHeap() throws ConfigException {
        AmqpConfig amqp = new ConfigLoader(new Machine(1 << 20, 1)).loadAmqp(sources("amqp.prefix=x"));
        assertThat(amqp.prefix()).isEqualTo("x");
    }

    // Secrets

    @Test
    void secretMayStandInAFile() throws Exception {
        Path secret = Files.writeString(folder.resolve("uri"), "amqp://u:hidden@h1\namqp://u:hidden@h2\n");
        EffectiveConfig config = load(Map.of("PUSHBRIDGE_AMQP_URI_FILE", secret.toString()), "auth.mode=dev");
        assertThat(config.values().amqp().uris())
                .containsExactly(URI.create("amqp://u:hidden@h1"), URI.create("amqp://u:hidden@h2"));
        assertThat(config.changes())
                .contains("pushbridge.amqp.uri = amqp://u:***@h1,amqp://u:***@h2 (from a file, named by environment"
                        + " PUSHBRIDGE_AMQP_URI_FILE)");
    }

    @Test
    void strongerSourceWinsOverTheFileTwinOfAWeakerOne() throws Exception {
        Map<String, String> environment = Map.of("PUSHBRIDGE_AMQP_URI_FILE", "/does/not/exist");
        assertThat(load(environment, "auth.mode=dev", "amqp.uri=amqp://x")
                        .values()
                        .amqp()
                        .uris())
                .containsExactly(URI.create("amqp://x"));
    }

    @Test
    void secretAndItsFileTwinInOneSourceAreRefused() throws IOException {
        Path secret = Files.writeString(folder.resolve("uri"), "amqp://h");
        Map<String, String> environment =
                Map.of("PUSHBRIDGE_AMQP_URI_FILE", secret.toString(), "PUSHBRIDGE_AMQP_URI", "amqp://h");
        assertThat(problems(environment, "auth.mode=dev"))
                .containsExactly(
                        "pushbridge.amqp.uri-file (from environment PUSHBRIDGE_AMQP_URI_FILE): it is set together"
                                + " with pushbridge.amqp.uri; set only one of the two");
    }

    @Test
    void missingOrEmptySecretFileIsNamed() throws IOException {
        assertThat(problems(Map.of(), "auth.mode=dev", "amqp.uri-file=/does/not/exist"))
                .containsExactly("pushbridge.amqp.uri-file (from command line): \"/does/not/exist\" does not exist");
        Path empty = Files.writeString(folder.resolve("empty"), "\n");
        assertThat(problems(Map.of(), "auth.mode=dev", "amqp.uri-file=" + empty))
                .containsExactly("pushbridge.amqp.uri-file (from command line): \"" + empty + "\" is empty");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "amqp.uri=amqp://u:hidden@h:x",
                "amqp.uri=amqp://u:hid den@h",
                "amqp.uri=amqp://u:hidden@hidden@h",
                "amqp.uri=amqp://u:hidden/hidden@h",
                "amqp.uri=amqp://u:1/hidden@h",
                "amqp.uri=amqp://u:1#hidden@h",
                "amqp.uri=amqp://u:1?hidden@h",
                "amqp.uri=amqp://u:hidden:hidden@h",
                "amqp.uri=amqp://u:%hidden@h",
                "amqp.uri=http://u:hidden@h",
                "amqp.uri=u:hidden@h",
                "amqp.uri=hidden",
                "amqp.uri-file=amqp://u:hidden@h",
                "amqp.uri-file=amqp://hidden",
                "amqp.urii=amqp://u:hidden@h",
                "amqp.prefix=amqp://u:hidden@h",
                "amqp.prefetch=amqp://u:hidden@h",
                "amqp://u:hidden@h=1",
                "amqp://u:hidden@h",
            })
    void noProblemShowsASecret(String setting) throws IOException {
        assertThat(problems(Map.of(), "auth.mode=dev", setting))
                .isNotEmpty()
                .noneMatch(problem -> problem.contains("hid") || problem.contains("den"));
        int equals = setting.indexOf('=');
        if (equals > 0) {
            Path file = yaml("pushbridge:\n  \"" + setting.substring(0, equals) + "\": \""
                    + setting.substring(equals + 1) + "\"\n  auth.mode: dev\n");
            assertThat(problems(file, Map.of()))
                    .isNotEmpty()
                    .noneMatch(problem -> problem.contains("hid") || problem.contains("den"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "   oops: [ \"amqp://u:hidden@h",
                "  uri: \"amqp://u:hidden@h",
                "  uri: @hidden",
                "  uri: *hidden",
                "  uri: !hidden!hidden x",
                "  uri: %hidden",
                "  uri: \"\\hidden\"",
                "  hidden hidden: hidden: hidden",
                "  ? {hidden: x}",
                "  [hidden]: hidden",
            })
    void malformedYamlShowsNoSecret(String line) throws IOException {
        Path file = yaml("pushbridge:\n  amqp.uri: amqp://u:hidden@h\n" + line + "\n");
        assertThat(problems(file, Map.of(), "auth.mode=dev"))
                .isNotEmpty()
                .noneMatch(problem -> problem.contains("hidden"));
    }

    @Test
    void changedSecretIsListedAlthoughItLooksTheSame() throws ConfigException {
        assertThat(load(Map.of(), "auth.mode=dev", "amqp.uri=amqp://guest:other@127.0.0.1:5672/%2F")
                        .changes())
                .contains("pushbridge.amqp.uri = amqp://guest:***@127.0.0.1:5672/%2F (from command line)");
    }

    @ParameterizedTest
    @CsvSource({
        "amqp://u:p@h/v, amqp://u:***@h/v",
        "amqp://token@h, amqp://***@h",
        "amqp://h/v, amqp://h/v",
        "see amqp://u:p@ss@h and http://a:b@c, see amqp://u:***@h and http://a:***@c",
    })
    void passwordsInUrisAreMasked(String text, String masked) {
        assertThat(Secrets.mask(text)).isEqualTo(masked);
    }

    private Path yaml(String content) throws IOException {
        return Files.writeString(folder.resolve("bridge.yaml"), content);
    }

    private static ConfigSources sources(String... settings) {
        return new ConfigSources(null, Map.of(), List.of(settings));
    }

    private static EffectiveConfig load(Map<String, String> environment, String... settings) throws ConfigException {
        return new ConfigLoader(MACHINE).load(new ConfigSources(null, environment, List.of(settings)));
    }

    private static EffectiveConfig load(Path file, Map<String, String> environment, String... settings)
            throws ConfigException {
        return new ConfigLoader(MACHINE).load(new ConfigSources(file, environment, List.of(settings)));
    }

    private static List<String> problems(Map<String, String> environment, String... settings) {
        return problems(new ConfigSources(null, environment, List.of(settings)));
    }

    private static List<String> problems(Path file, Map<String, String> environment, String... settings) {
        return problems(new ConfigSources(file, environment, List.of(settings)));
    }

    private static List<String> problems(ConfigSources sources) {
        ConfigException thrown =
                catchThrowableOfType(ConfigException.class, () -> new ConfigLoader(MACHINE).load(sources));
        return thrown == null ? List.of() : thrown.problems();
    }
}
