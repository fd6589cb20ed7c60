package pushbridge.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A bridge as it is shipped: the distribution's own start script, in a process of its own. */
final class BridgeProcess implements AutoCloseable {

    /** The same in every run, so that figures can be compared: twice what the default prefetch asks for. */
    private static final String HEAP = "-Xms1g -Xmx1g";

    private static final Duration STOP_PATIENCE = Duration.ofSeconds(30);
    /** Rank, instances, bytes and class, as {@code "   1:   25   4096  [B (java.base@17)"}. */
    private static final Pattern HISTOGRAM_LINE = Pattern.compile("(?m)^\\s*\\d+:\\s+\\d+\\s+(\\d+)\\s+(\\S+)");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final Process process;
    private final Path log;
    private final int socketPort;
    private final int adminPort;
    private final long startedNanos = System.nanoTime();

    /**
     * Starts one; it is not ready yet.
     *
     * @param settings keys without {@code pushbridge.}
     * @param log where its messages go, appended
     */
    BridgeProcess(Path distribution, BrokerNode broker, Map<String, String> settings, Path log) throws BenchException {
        this.log = log;
        this.socketPort = freePort();
        this.adminPort = freePort();
        List<String> command =
                new ArrayList<>(List.of(distribution.resolve("bin/pushbridge").toString(), "serve"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("PUSHBRIDGE_"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        // More for a profiler, as a flight recording.
        environment.put("JAVA_OPTS", HEAP + ' ' + System.getenv().getOrDefault("PUSHBRIDGE_BENCH_JAVA_OPTS", ""));
        environment.put("PUSHBRIDGE_AMQP_URI", broker.uri());
        environment.put("PUSHBRIDGE_AUTH_MODE", "dev");
        environment.put("PUSHBRIDGE_SOCKET_PORT", Integer.toString(socketPort));
        environment.put("PUSHBRIDGE_ADMIN_PORT", Integer.toString(adminPort));
        // All connect at once here, which in the open is an attack.
        environment.put("PUSHBRIDGE_SOCKET_MAX_HANDSHAKES_PER_SECOND", "1000000");
        settings.forEach((key, value) -> {
            command.add("--set");
            command.add(key + "=" + value);
        });
        builder.command(command);
        try {
            process = Children.start(builder);
        } catch (IOException e) {
            throw new BenchException("cannot start the bridge", e);
        }
    }

    /** Below the range of outgoing connections, of which there will be many. */
    static int freePort() throws BenchException {
        for (int i = 0; i < 100; i++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 30_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // taken: the next
            }
        }
        throw new BenchException("found no free port between 20000 and 29999");
    }

    int socketPort() {
        return socketPort;
    }

    long pid() {
        return process.pid();
    }

    /** When the process was started, by {@link System#nanoTime}. */
    long startedNanos() {
        return startedNanos;
    }

    /** Waits until it says that it takes instructions. */
    void awaitReady(Duration patience) throws BenchException {
        Waiting.until("the bridge to be ready", patience, this::ready);
    }

    boolean ready() throws BenchException {
        if (!process.isAlive()) {
            throw new BenchException(
                    "the bridge ended with code " + process.exitValue() + "; its log says:\n" + lastWords());
        }
        try {
            return get("/health/ready").statusCode() == 200;
        } catch (IOException e) {
            return false; // not listening yet
        }
    }

    Metrics metrics() throws BenchException {
        try {
            return Metrics.parse(get("/metrics").body());
        } catch (IOException e) {
            throw new BenchException("the bridge does not answer; its log says:\n" + lastWords(), e);
        }
    }

    private HttpResponse<String> get(String path) throws IOException, BenchException {
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + path))
                    .timeout(Duration.ofSeconds(30))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    /** Bytes of live objects, after a full collection. */
    long liveHeapBytes() throws BenchException {
        return total(liveBytesByClass());
    }

    static long total(Map<String, Long> bytesByClass) {
        return bytesByClass.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The same by class. */
    Map<String, Long> liveBytesByClass() throws BenchException {
        try {
            Process jcmd = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "jcmd")
                                    .toString(),
                            Long.toString(process.pid()),
                            "GC.class_histogram")
                    .redirectErrorStream(true)
                    .start();
            String output = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            jcmd.waitFor();
            Map<String, Long> bytes = new HashMap<>();
            Matcher line = HISTOGRAM_LINE.matcher(output);
            while (line.find()) {
                bytes.merge(line.group(2), Long.parseLong(line.group(1)), Long::sum);
            }
            if (bytes.isEmpty()) {
                throw new BenchException(
                        "jcmd told no classes: " + output.lines().findFirst().orElse("nothing"));
            }
            return bytes;
        } catch (IOException e) {
            throw new BenchException("cannot run jcmd, which comes with a JDK", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    private String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException e) {
            return "(no log)";
        }
    }

    /** Ends it with SIGKILL. */
    void kill() throws BenchException {
        process.destroyForcibly();
        awaitEnd();
    }

    /** Ends it in order. */
    @Override
    public void close() throws BenchException {
        process.destroy();
        awaitEnd();
    }

    private void awaitEnd() throws BenchException {
        try {
            if (!process.waitFor(STOP_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                Children.forget(process);
                throw new BenchException("the bridge did not end within " + STOP_PATIENCE.toSeconds() + " s");
            }
            Children.forget(process);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }
}
