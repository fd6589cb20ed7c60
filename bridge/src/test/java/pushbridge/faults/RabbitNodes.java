package pushbridge.faults;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.Ports;

/**
 * RabbitMQ nodes of the suite's own, from the installed package, to be stopped and killed at will: one, or several as a
 * cluster. Names, ports, port mapper, cookie and folders are theirs alone. For the test's thread.
 */
public final class RabbitNodes implements AutoCloseable {

    private static final Duration START = Duration.ofMinutes(5);
    private static final Duration STOP = Duration.ofMinutes(1);

    /** Where packages put the server; the one on the PATH insists on the system's user. */
    private static final List<String> PLACES =
            List.of("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin");

    private static final String SERVER_VARIABLE = "PUSHBRIDGE_RABBITMQ_SERVER";

    private final Path programs;
    private final Path home;
    private final int epmdPort = Ports.free();
    private final List<Node> nodes = new ArrayList<>();
    private final Thread reaper = new Thread(this::killAll, "rabbit-reaper");
    private @Nullable Process epmd;
    private int majorVersion;

    private final String more;

    private RabbitNodes(Path programs, Path home, String more) {
        this.more = more;
        this.programs = programs;
        this.home = home;
    }

    /**
     * Starts some, and waits until they answer and know each other. Skips the test where RabbitMQ is not installed,
     * unless a broker is required.
     */
    static RabbitNodes start(int count) throws IOException, InterruptedException {
        return start(count, "");
    }

    /** One node with these lines in its configuration besides. */
    public static RabbitNodes startWith(String configuration) throws IOException, InterruptedException {
        return start(1, configuration);
    }

    private static RabbitNodes start(int count, String more) throws IOException, InterruptedException {
        Path programs = installed();
        if (programs == null) {
            String missing = "no rabbitmq-server in " + PLACES + "; " + SERVER_VARIABLE + " may name one";
            if ("true".equals(System.getenv(BrokerExtension.REQUIRED_VARIABLE))) {
                throw new IllegalStateException(missing);
            }
            return Assumptions.abort(missing);
        }
        Path home = Files.createDirectories(Results.FOLDER.resolve("rabbit-" + UUID.randomUUID()))
                .toAbsolutePath();
        RabbitNodes cluster = new RabbitNodes(programs, home, more);
        try {
            cluster.begin(count);
        } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    private static @Nullable Path installed() {
        String named = System.getenv(SERVER_VARIABLE);
        if (named != null && !named.isBlank()) {
            return Path.of(named).getParent();
        }
        return PLACES.stream()
                .map(Path::of)
                .filter(place -> Files.isExecutable(place.resolve("rabbitmq-server")))
                .findFirst()
                .orElse(null);
    }

    private void begin(int count) throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(reaper);
        Path cookie = home.resolve(".erlang.cookie");
        Files.writeString(cookie, UUID.randomUUID().toString().replace("-", ""));
        Files.setPosixFilePermissions(cookie, PosixFilePermissions.fromString("r--------"));
        Files.writeString(home.resolve("empty.conf"), "");
        Files.writeString(home.resolve("empty.config"), "[].\n");
        epmd = new ProcessBuilder("epmd", "-port", Integer.toString(epmdPort), "-address", "127.0.0.1")
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("epmd.log").toFile())
                .start();
        majorVersion = majorVersion();
        for (int i = 0; i < count; i++) {
            nodes.add(new Node(i + 1, count));
        }
        nodes.get(0).begin();
        if (majorVersion < 4) {
            nodes.get(0).awaitUp();
        } // later ones agree among themselves who is the first, and wait for one another
        for (Node node : nodes.subList(1, count)) {
            node.begin();
        }
        for (Node node : nodes) {
            node.awaitUp();
        }
        if (count > 1) {
            Waiting.until(
                    "a cluster of " + count,
                    START,
                    () -> nodes.get(0)
                            .ctl("eval", "length(rabbit_nodes:all_running()).")
                            .trim()
                            .equals(Integer.toString(count)));
        }
    }

    /** Of the installed RabbitMQ. */
    private int majorVersion() throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(programs.resolve("rabbitmqctl").toString(), "version");
        builder.environment().put("HOME", home.toString());
        Process asked = builder.start();
        String said = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        String major = said.substring(said.lastIndexOf('\n') + 1).split("\\.", 2)[0];
        if (!major.matches("[0-9]+")) {
            throw new IllegalStateException("rabbitmqctl version says: " + said);
        }
        return Integer.parseInt(major);
    }

    /** Where their data and logs are. */
    Path home() {
        return home;
    }

    /** How many nodes run, as seen by the last one. */
    int running() {
        return Integer.parseInt(nodes.get(nodes.size() - 1)
                .ctl("eval", "length(rabbit_nodes:all_running()).")
                .trim());
    }

    /** Cuts a node off from the others, though clients still reach it: it disagrees with them about the cookie. */
    void separate(Node node) throws IOException {
        cookies(node, "wrong");
        node.ctl("eval", "[erlang:disconnect_node(N) || N <- nodes(), lists:prefix(\"faults\", atom_to_list(N))].");
    }

    /** Undoes that. */
    void reunite(Node node) throws IOException {
        cookies(node, Files.readString(home.resolve(".erlang.cookie")));
    }

    private void cookies(Node node, String cookie) {
        for (Node other : nodes) {
            if (other != node) {
                node.ctl("eval", "erlang:set_cookie('%s', '%s').".formatted(other.name, cookie));
            }
        }
    }

    /** One of them; the first is 0. */
    Node node(int index) {
        return nodes.get(index);
    }

    /** Where the first one takes connections without TLS. */
    public URI plainUri() {
        return only().uri();
    }

    Node only() {
        return nodes.get(0);
    }

    List<Node> nodes() {
        return List.copyOf(nodes);
    }

    /** Where they are, in order. */
    List<URI> uris() {
        return nodes.stream().map(Node::uri).toList();
    }

    /** The node on which a queue or a stream has its leader at present. */
    Node leaderOf(String queue) {
        Node asked = nodes.stream().filter(Node::running).findFirst().orElseThrow();
        String listed = asked.ctl("-q", "list_queues", "--no-table-headers", "name", "leader");
        for (String line : listed.split("\n", -1)) {
            String[] columns = line.split("\t", -1);
            if (columns.length > 1 && columns[0].equals(queue)) {
                return nodes.stream()
                        .filter(node -> columns[1].contains(node.name))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("no leader of " + queue + ": " + listed));
            }
        }
        throw new AssertionError("no queue " + queue + " in " + listed);
    }

    private void killAll() {
        nodes.forEach(Node::killNow);
        if (epmd != null) {
            epmd.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        killAll();
        for (Node node : nodes) {
            if (node.process != null) {
                node.process.waitFor();
            }
        }
        Runtime.getRuntime().removeShutdownHook(reaper);
    }

    /** One node. */
    final class Node {
        private final String name;
        private final Path folder;
        private final int amqpPort = Ports.free();
        private final int distPort = Ports.free();
        private @Nullable Process process;

        private Node(int number, int count) throws IOException {
            this.name = "faults" + number + "@localhost";
            this.folder = Files.createDirectories(home.resolve("node" + number));
            StringBuilder conf = new StringBuilder(
                    Files.readString(Path.of(System.getProperty("pushbridge.root", ".."), "docker", "rabbitmq.conf")));
            conf.append("\nlisteners.tcp.1 = 127.0.0.1:").append(amqpPort).append('\n');
            // RabbitMQ 3.10's default; 4.0 has 16 MiB, which would refuse the largest message of the suite.
            conf.append("max_message_size = 134217728\n").append(more);
            if (count > 1) {
                // So that the first goes ahead alone and the others find it.
                conf.append("cluster_formation.peer_discovery_backend = classic_config\n");
                IntStream.rangeClosed(1, count)
                        .forEach(i -> conf.append("cluster_formation.classic_config.nodes.")
                                .append(i)
                                .append(" = faults")
                                .append(i)
                                .append("@localhost\n"));
                if (majorVersion < 4) { // later ones have no such delay, and refuse to start with its keys
                    conf.append("cluster_formation.randomized_startup_delay_range.min = 0\n");
                    conf.append("cluster_formation.randomized_startup_delay_range.max = 1\n");
                }
                conf.append("cluster_partition_handling = pause_minority\n");
                conf.append("net_ticktime = 5\n");
            }
            Files.writeString(folder.resolve("rabbitmq.conf"), conf);
        }

        String name() {
            return name;
        }

        URI uri() {
            return URI.create("amqp://guest:guest@127.0.0.1:" + amqpPort + "/%2F");
        }

        boolean running() {
            return process != null && process.isAlive();
        }

        private ProcessBuilder command(String program, String... arguments) {
            List<String> command =
                    new ArrayList<>(List.of(programs.resolve(program).toString()));
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
            Map<String, String> environment = builder.environment();
            environment.keySet().removeIf(key -> key.startsWith("RABBITMQ_") || key.startsWith("ERL_"));
            environment.putAll(Map.ofEntries(
                    Map.entry("HOME", home.toString()),
                    Map.entry("LC_ALL", "C.UTF-8"),
                    Map.entry("ERL_EPMD_PORT", Integer.toString(epmdPort)),
                    Map.entry("ERL_EPMD_ADDRESS", "127.0.0.1"),
                    Map.entry("ERL_FLAGS", "-kernel inet_dist_use_interface {127,0,0,1}"),
                    Map.entry("ERL_CRASH_DUMP", folder.resolve("erl_crash.dump").toString()),
                    Map.entry("RABBITMQ_NODENAME", name),
                    Map.entry("RABBITMQ_DIST_PORT", Integer.toString(distPort)),
                    Map.entry(
                            "RABBITMQ_CONF_ENV_FILE", home.resolve("empty.conf").toString()),
                    Map.entry(
                            "RABBITMQ_CONFIG_FILE",
                            folder.resolve("rabbitmq.conf").toString()),
                    Map.entry(
                            "RABBITMQ_ADVANCED_CONFIG_FILE",
                            home.resolve("empty.config").toString()),
                    Map.entry(
                            "RABBITMQ_ENABLED_PLUGINS_FILE",
                            home.resolve("empty.config").toString()),
                    Map.entry("RABBITMQ_MNESIA_BASE", folder.resolve("data").toString()),
                    Map.entry("RABBITMQ_LOG_BASE", folder.resolve("log").toString()),
                    Map.entry("RABBITMQ_LOGS", folder.resolve("node.log").toString()),
                    // The server script becomes the node instead of waiting for it: one process to signal.
                    Map.entry("RUNNING_UNDER_SYSTEMD", "true"),
                    Map.entry("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2")));
            return builder.redirectErrorStream(true);
        }

        /** Starts it without waiting. */
        void begin() throws IOException {
            process = command("rabbitmq-server")
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.resolve("startup.log").toFile()))
                    .start();
        }

        /** Waits until a client can connect. */
        void awaitUp() {
            Waiting.until(name + " to answer", START, () -> {
                if (!running()) {
                    throw new AssertionError(name + " ended while starting; see " + folder);
                }
                return answers();
            });
        }

        private boolean answers() {
            try {
                Publisher.connect(List.of(uri()), "is it up").abort(1_000);
                return true;
            } catch (IOException | TimeoutException e) {
                return false; // not yet
            }
        }

        /** Kill -9, and waits for the end. */
        void kill() throws InterruptedException {
            killNow();
            if (process != null) {
                process.waitFor();
            }
        }

        private void killNow() {
            if (process != null) {
                process.destroyForcibly();
            }
        }

        /** An orderly end. */
        void stop() throws InterruptedException {
            if (process != null) {
                process.destroy();
                if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError(name + " did not stop within " + STOP);
                }
            }
        }

        /** Runs rabbitmqctl for it and returns what that said. */
        String ctl(String... arguments) {
            return run("rabbitmqctl", arguments);
        }

        /** Runs rabbitmq-streams for it. */
        String streams(String... arguments) {
            return run("rabbitmq-streams", arguments);
        }

        private String run(String program, String... arguments) {
            try {
                Process tool = command(program, arguments).start();
                String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (tool.waitFor() != 0) {
                    throw new AssertionError(program + " " + List.of(arguments) + " failed: " + output);
                }
                return output;
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(program + " could not run", e);
            }
        }
    }
}
