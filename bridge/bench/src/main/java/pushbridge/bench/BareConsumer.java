package pushbridge.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * What a consumer of the queue can do at most: it takes messages as the bridge does, with the same prefetch, throws them
 * away and acknowledges many at once. It is a process of its own, as the bridge is, and says what it saw in lines of
 * its standard output.
 */
final class BareConsumer implements AutoCloseable {

    private static final int PREFETCH = 4_096;
    /** As the bridge at its busiest: seldom. */
    private static final int ACK_EVERY = PREFETCH / 16;

    /** With messages that come at a rhythm. */
    private static final int ACK_EVERY_PACED = 16;

    private static final long LONGEST_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Process process;
    private final BufferedReader lines;

    /**
     * Starts one and waits until it is connected.
     *
     * @param skip so many messages are not counted
     * @param messages so many are, behind them
     */
    BareConsumer(BrokerNode broker, String queue, int skip, int messages) throws BenchException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xms1g",
                "-Xmx1g",
                "-cp",
                System.getProperty("java.class.path"),
                BareConsumer.class.getName(),
                broker.uri(),
                queue,
                Integer.toString(skip),
                Integer.toString(messages)));
        try {
            process = Children.start(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT));
        } catch (IOException e) {
            throw new BenchException("cannot start the bare consumer", e);
        }
        lines = process.inputReader();
    }

    /**
     * What it saw, from the first message that counts to the last.
     *
     * @param p50Millis of the time from {@link Text}'s timestamp, 0 when there was none
     */
    record Seen(double seconds, double cpuSeconds, double p50Millis, double p99Millis) {}

    Seen await() throws BenchException {
        try {
            String line = lines.readLine();
            if (line == null) {
                throw new BenchException("the bare consumer failed; it says why above");
            }
            String[] numbers = line.split(" ", -1);
            return new Seen(
                    Double.parseDouble(numbers[0]),
                    Double.parseDouble(numbers[1]),
                    Double.parseDouble(numbers[2]),
                    Double.parseDouble(numbers[3]));
        } catch (IOException e) {
            throw new BenchException("the bare consumer cannot be heard", e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        Children.forget(process);
    }

    /** The consumer's process; ends when its standard input does. */
    public static void main(String[] arguments) throws IOException, BenchException, InterruptedException {
        String queue = arguments[1];
        int skip = Integer.parseInt(arguments[2]);
        int messages = Integer.parseInt(arguments[3]);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        try (Connection connection = BrokerNode.connect(arguments[0], "bare")) {
            Channel channel = connection.createChannel();
            channel.basicQos(PREFETCH);
            Counting counting = new Counting(channel, skip, messages);
            channel.basicConsume(queue, false, counting);
            counting.done.await();
            out.println(counting.said);
            try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
                in.readLine(); // until the parent has enough
            }
        }
    }

    private static final class Counting extends DefaultConsumer {
        private final int skip;
        private final int messages;
        private final Histogram latency = new Histogram(LONGEST_NANOS, 3);
        final CountDownLatch done = new CountDownLatch(1);
        private int seen;
        private long beganNanos;
        private double beganCpu;
        volatile String said = "";

        Counting(Channel channel, int skip, int messages) {
            super(channel);
            this.skip = skip;
            this.messages = messages;
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body)
                throws IOException {
            if (seen == skip) {
                beganNanos = System.nanoTime();
                beganCpu = cpu();
            }
            seen++;
            long sent = Text.at(ByteBuffer.wrap(body), 0, body.length);
            if (sent != 0 && seen > skip) {
                latency.recordValue(Math.min(LONGEST_NANOS, Math.max(0, System.nanoTime() - sent)));
            }
            if (seen % (sent == 0 ? ACK_EVERY : ACK_EVERY_PACED) == 0 || seen == skip + messages) {
                getChannel().basicAck(envelope.getDeliveryTag(), true);
            }
            if (seen == skip + messages) {
                said = Waiting.seconds(System.nanoTime() - beganNanos) + " " + (cpu() - beganCpu) + " "
                        + Online.millis(latency, 50) + " " + Online.millis(latency, 99);
                done.countDown();
            }
        }

        private static double cpu() throws IOException {
            try {
                return ProcessFigures.cpuSeconds(ProcessHandle.current().pid());
            } catch (BenchException e) {
                throw new IOException(e);
            }
        }
    }
}
