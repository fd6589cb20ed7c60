package pushbridge.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages to be published as fast as the broker confirms them, round the users: message {@code i} goes to user
 * {@code firstUser + i % users} with the seq {@code firstSeq + i}. So each user's seqs go up by {@code users}.
 *
 * @param exchange where to
 * @param userPrefix what stands before the user's number in the id
 * @param bodyBytes how long each is
 * @param expirationMillis how long each may wait; 0 for as long as the bridge keeps it
 */
record Flood(
        String exchange,
        String userPrefix,
        int firstUser,
        int users,
        long firstSeq,
        int messages,
        int bodyBytes,
        int expirationMillis) {

    /** More gain nothing with a broker on the same machine. */
    private static final int WINDOW = 4_000;

    /** As arguments of {@link #main}. */
    private List<String> arguments() {
        return List.of(
                exchange,
                userPrefix,
                Integer.toString(firstUser),
                Integer.toString(users),
                Long.toString(firstSeq),
                Integer.toString(messages),
                Integer.toString(bodyBytes),
                Integer.toString(expirationMillis));
    }

    static String user(String prefix, int number) {
        return prefix + String.format("%07d", number);
    }

    /** Publishes, from this process; returns when all is confirmed. */
    void publish(String uri) throws BenchException {
        BasicProperties properties = new BasicProperties.Builder()
                .deliveryMode(2)
                .expiration(expirationMillis == 0 ? null : Integer.toString(expirationMillis))
                .build();
        try (Connection connection = BrokerNode.connect(uri, "flood")) {
            Channel channel = connection.createChannel();
            ConfirmWindow window = ConfirmWindow.on(channel, WINDOW);
            for (int i = 0; i < messages; i++) {
                byte[] body = Text.envelope(firstSeq + i, 0, bodyBytes);
                window.enter();
                channel.basicPublish(exchange, "user." + user(userPrefix, firstUser + i % users), properties, body);
            }
            window.drain();
        } catch (IOException | ShutdownSignalException e) {
            throw new BenchException("publishing failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    /** Publishes from a process of its own, so that its processor time is its own, too. */
    FloodProcess start(String uri) throws BenchException {
        return new FloodProcess(uri, arguments());
    }

    /** The publisher's process. Prints, at its end, the seconds it published and its processor time. */
    public static void main(String[] arguments) throws BenchException {
        Flood flood = new Flood(
                arguments[1],
                arguments[2],
                Integer.parseInt(arguments[3]),
                Integer.parseInt(arguments[4]),
                Long.parseLong(arguments[5]),
                Integer.parseInt(arguments[6]),
                Integer.parseInt(arguments[7]),
                Integer.parseInt(arguments[8]));
        long began = System.nanoTime();
        flood.publish(arguments[0]);
        double seconds = Waiting.seconds(System.nanoTime() - began);
        System.out.println(seconds + " "
                + ProcessFigures.cpuSeconds(ProcessHandle.current().pid()));
    }

    /** A running publisher. */
    static final class FloodProcess implements AutoCloseable {
        private final Process process;

        private FloodProcess(String uri, List<String> arguments) throws BenchException {
            List<String> command = new ArrayList<>(List.of(
                    System.getProperty("java.home") + "/bin/java",
                    "-Xmx256m",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Flood.class.getName(),
                    uri));
            command.addAll(arguments);
            try {
                process = Children.start(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT));
            } catch (IOException e) {
                throw new BenchException("cannot start the publisher", e);
            }
        }

        /** What it used. */
        record Used(double seconds, double cpuSeconds) {}

        /** Waits for its end. */
        Used await() throws BenchException {
            try {
                @Nullable String line = process.inputReader().readLine();
                if (process.waitFor() != 0 || line == null) {
                    throw new BenchException("the publisher failed; it says why above");
                }
                String[] numbers = line.split(" ", -1);
                return new Used(Double.parseDouble(numbers[0]), Double.parseDouble(numbers[1]));
            } catch (IOException e) {
                throw new BenchException("the publisher cannot be heard", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BenchException("interrupted", e);
            }
        }

        @Override
        public void close() {
            process.destroy();
            Children.forget(process);
        }
    }
}
