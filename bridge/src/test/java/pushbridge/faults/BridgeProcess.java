package pushbridge.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import pushbridge.testing.Ports;

/** A bridge as a process of its own, so that it can be killed, frozen and started again on the same ports. */
final class BridgeProcess implements AutoCloseable {

    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private static final Pattern TIME = Pattern.compile("(?m)^(\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d)$");

    private static final Duration STOP = Duration.ofMinutes(1);

    private final int socketPort = Ports.free();
    private final int adminPort = Ports.free();
    private final Path log;
    private final Map<String, String> environment;
    private final List<String> command = new ArrayList<>();
    private final Thread reaper = new Thread(this::killNow, "bridge-reaper");
    private @Nullable Process process;

    /**
     * @param folder where its log goes
     * @param options for its JVM, the size of the heap among them
     * @param environment variables that it gets beside this process' own
     * @param brokers where RabbitMQ is, in the order to be tried
     * @param settings further keys, without {@code pushbridge.}
     */
    BridgeProcess(
            String name,
            Path folder,
            List<String> options,
            Map<String, String> environment,
            List<URI> brokers,
            String prefix,
            Map<String, String> settings) {
        this.log = folder.resolve(name + ".log");
        this.environment = Map.copyOf(environment);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // The first compiler alone starts faster.
        command.addAll(List.of("-XX:+ExitOnOutOfMemoryError", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "pushbridge.Main", "serve"));
        set("amqp.uri", brokers.stream().map(URI::toString).collect(Collectors.joining(",")));
        set("amqp.prefix", prefix);
        set("socket.port", Integer.toString(socketPort));
        set("admin.port", Integer.toString(adminPort));
        set("auth.mode", "dev");
        settings.forEach(this::set);
        Runtime.getRuntime().addShutdownHook(reaper);
    }

    private void set(String key, String value) {
        command.addAll(List.of("--set", key + "=" + value));
    }

    /** Starts it without waiting. */
    void start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().keySet().removeIf(key -> key.startsWith("PUSHBRIDGE_"));
        builder.environment().putAll(environment);
        process = builder.start();
    }

    int socketPort() {
        return socketPort;
    }

    int adminPort() {
        return adminPort;
    }

    URI webSocket() {
        return URI.create("ws://127.0.0.1:" + socketPort + "/ws");
    }

    boolean alive() {
        return process != null && process.isAlive();
    }

    /** The process' number; it has to be started. */
    long pid() {
        return running().pid();
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        return process;
    }

    /** Kill -9. */
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

    /** SIGSTOP: it does nothing any more, and does not know. */
    void freeze() throws IOException, InterruptedException {
        signal("-STOP");
    }

    /** SIGCONT. */
    void thaw() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        int status =
                new ProcessBuilder("kill", signal, Long.toString(pid())).start().waitFor();
        if (status != 0) {
            throw new AssertionError("kill " + signal + " failed");
        }
    }

    /** SIGTERM, without waiting for anything. */
    void terminate() throws IOException, InterruptedException {
        signal("-TERM");
    }

    /** Waits for its end; its exit code. */
    int awaitEnd() throws InterruptedException {
        if (!running().waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the bridge did not end within " + STOP + "; see " + log);
        }
        return running().exitValue();
    }

    /** What every thread does, into the log. */
    void dumpThreads() {
        try {
            if (alive()) {
                signal("-QUIT");
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("no thread dump", e);
        }
    }

    /** Ends it in order; its exit code. */
    int stop() throws InterruptedException {
        if (process == null) {
            return 0;
        }
        process.destroy();
        if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the bridge did not stop within " + STOP + "; see " + log);
        }
        return process.exitValue();
    }

    /** Whether it is ready, by its own account. */
    boolean ready() {
        try {
            return get("/health/ready").statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false; // not listening: not ready
        }
    }

    /** What its health says, for people; empty while it does not answer. */
    String answer() {
        try {
            return get("/health/ready").body();
        } catch (UncheckedIOException e) {
            return "";
        }
    }

    /** What time it thinks it is, to a second: a thread dump begins with that. */
    Instant wallClock() throws IOException, InterruptedException {
        String dump = jcmd("Thread.print");
        Matcher time = TIME.matcher(dump);
        if (!time.find()) {
            throw new IllegalStateException("no time in a thread dump that begins with " + dump.substring(0, 100));
        }
        return LocalDateTime.parse(time.group(1) + "T" + time.group(2))
                .atZone(ZoneId.systemDefault())
                .toInstant();
    }

    /** Collects its garbage. */
    void collectGarbage() throws IOException, InterruptedException {
        jcmd("GC.run");
    }

    private String jcmd(String command) throws IOException, InterruptedException {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(pid()),
                        command)
                .redirectErrorStream(true)
                .start();
        String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (jcmd.waitFor() != 0) {
            throw new IllegalStateException("jcmd " + command + " failed: " + said);
        }
        return said;
    }

    /** The sum of a metric over its labels. */
    double metric(String name) {
        return metric(name, "");
    }

    /** The sum of a metric over those of its labels that have a text in them, as {@code area="heap"}. */
    double metric(String name, String label) {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .filter(line -> line.contains(label))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private HttpResponse<String> get(String path) {
        try {
            return HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + path))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException("the bridge does not answer; see " + log, e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    void awaitReady() {
        Waiting.until("the bridge to be ready; see " + log, () -> {
            if (!alive()) {
                throw new AssertionError("the bridge has ended; see " + log);
            }
            return ready();
        });
    }

    @Override
    public void close() throws InterruptedException {
        kill();
        Runtime.getRuntime().removeShutdownHook(reaper);
    }
}
