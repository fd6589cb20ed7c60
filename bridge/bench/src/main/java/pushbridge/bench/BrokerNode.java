package pushbridge.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** The private RabbitMQ of a scenario, by way of {@code scripts/broker}: empty at its start and gone at its end. */
final class BrokerNode implements AutoCloseable {

    private final Path script;
    private final String name;
    private final Path home;
    private final String uri;
    private final long pid;

    private BrokerNode(Path script, String name, Path home) throws BenchException {
        this.script = script;
        this.name = name;
        this.home = home;
        this.uri = call("uri").strip();
        this.pid = readPid();
    }

    /**
     * Starts an empty one.
     *
     * @param home where {@code scripts/broker} keeps the node of this name
     */
    static BrokerNode start(Path script, String name, Path home) throws BenchException {
        call(script, name, "remove");
        call(script, name, "start");
        return new BrokerNode(script, name, home);
    }

    String uri() {
        return uri;
    }

    /** Its process, 0 when it runs in a container. */
    long pid() {
        return pid;
    }

    private long readPid() throws BenchException {
        try {
            return Long.parseLong(Files.readString(home.resolve("node.pid")).strip());
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            throw new BenchException("cannot read the broker's process id", e);
        }
    }

    Connection connect(String as) throws BenchException {
        return connect(uri, as);
    }

    static Connection connect(String uri, String as) throws BenchException {
        try {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(uri);
            factory.setAutomaticRecoveryEnabled(false);
            return factory.newConnection("bench " + as);
        } catch (IOException | TimeoutException | URISyntaxException | GeneralSecurityException e) {
            throw new BenchException("cannot connect to the broker as " + as, e);
        }
    }

    /** Messages in a queue that no consumer has, by name. */
    static long ready(Channel channel, String queue) throws BenchException {
        try {
            return channel.queueDeclarePassive(queue).getMessageCount();
        } catch (IOException e) {
            throw new BenchException("cannot look at the queue " + queue, e);
        }
    }

    /** Messages of each queue, those with a consumer included, by name. */
    Map<String, Long> messages() throws BenchException {
        Map<String, Long> messages = new TreeMap<>();
        for (String line : call("ctl", "--quiet", "list_queues", "--no-table-headers", "name", "messages")
                .lines()
                .toList()) {
            String[] cells = line.split("\t", -1);
            if (cells.length == 2 && cells[1].matches("[0-9]+")) {
                messages.put(cells[0], Long.parseLong(cells[1]));
            }
        }
        return messages;
    }

    /** What the streams take on disk, in bytes: there is only the held log. */
    long streamBytes() throws BenchException {
        try (Stream<Path> files = Files.walk(home.resolve("data"))) {
            return files.filter(file -> file.toString().contains("/stream/"))
                    .mapToLong(BrokerNode::size)
                    .sum();
        } catch (UncheckedIOException | IOException e) {
            throw new BenchException("cannot look into the broker's data in " + home, e);
        }
    }

    /** 0 for a file that the broker deletes at this moment. */
    private static long size(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.size(file) : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    private String call(String... arguments) throws BenchException {
        return call(script, name, arguments);
    }

    private static String call(Path script, String name, String... arguments) throws BenchException {
        List<String> command = new ArrayList<>(List.of(script.toString(), "--name", name));
        command.addAll(List.of(arguments));
        try {
            Path errors = Files.createTempFile("pushbridge-bench", ".log");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectError(errors.toFile())
                        .start();
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (process.waitFor() != 0) {
                    throw new BenchException(String.join(" ", command) + " failed: " + Files.readString(errors));
                }
                return output;
            } finally {
                Files.delete(errors);
            }
        } catch (IOException e) {
            throw new BenchException("cannot run " + String.join(" ", command), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    @Override
    public void close() throws BenchException {
        call("remove");
    }
}
