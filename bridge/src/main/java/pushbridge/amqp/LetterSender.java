package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterHeaders;
import pushbridge.letters.Outgoing;
import pushbridge.letters.Sender;

/**
 * Publishes what is made of letters, in order, on a connection of its own: under an alarm RabbitMQ reads nothing from one that
 * publishes, and what was published before must still be removed.
 */
final class LetterSender implements Sender {

    /** Unanswered publishes; when RabbitMQ refuses one, so many behind it may have been taken. */
    private static final int IN_FLIGHT = 500;

    /** Bytes in flight, but for the last; about what the kernel takes for a broker that reads nothing. */
    private static final int IN_FLIGHT_BYTES = 1 << 20;

    private record Waiting(String letterId, int bytes, long publishedNanos, Answer answer) {}

    private final AmqpConfig config;
    private final Topology topology;
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    private final ConfirmChannel channel;
    private final NavigableMap<Long, Waiting> inFlight = new TreeMap<>();
    private final Set<String> returned = new HashSet<>();
    private long inFlightBytes;
    private @Nullable String ended;
    private @Nullable String blocked;
    /** What an answer threw; thrown on by whoever waits. */
    private @Nullable LetterException failure;

    LetterSender(AmqpConfig config, String node) throws BrokerException, IOException {
        this.config = config;
        this.topology = new Topology(config);
        this.channel = ConfirmChannel.open(
                new Connector(config, node, "letters-out").connect(),
                config.confirmTimeout(),
                events::add,
                new Heard());
    }

    @Override
    public void send(Outgoing outgoing, Answer answer) throws LetterException, InterruptedException {
        while (channel.isBlocked() || inFlight.size() >= IN_FLIGHT || inFlightBytes >= IN_FLIGHT_BYTES) {
            hear();
        }
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            handle(event);
        }
        BasicProperties properties = LetterCodec.properties(outgoing);
        try {
            if (!channel.fits(properties)) {
                throw LetterException.unavailable(
                        "the headers of letter %s are larger than RabbitMQ takes".formatted(outgoing.letterId()));
            }
            int bytes = outgoing.body().length;
            inFlight.put(channel.nextNumber(), new Waiting(outgoing.letterId(), bytes, System.nanoTime(), answer));
            inFlightBytes += bytes;
            channel.publish(
                    outgoing.target() == Outgoing.Target.ADDRESS ? topology.exchange() : "",
                    key(outgoing),
                    properties,
                    outgoing.body());
        } catch (IOException | ShutdownSignalException e) {
            throw lost(Connector.describe(e));
        }
    }

    private String key(Outgoing outgoing) {
        return switch (outgoing.target()) {
            case ADDRESS -> outgoing.key();
            case INSTRUCTIONS -> topology.instructions();
            case DEAD -> topology.dead();
            case EXPIRED -> topology.expired();
        };
    }

    @Override
    public void flush() throws LetterException, InterruptedException {
        while (!inFlight.isEmpty()) {
            hear();
        }
    }

    /** Waits for the next thing RabbitMQ says. */
    private void hear() throws LetterException, InterruptedException {
        long since =
                inFlight.isEmpty() ? System.nanoTime() : inFlight.firstEntry().getValue().publishedNanos;
        long left = channel.isBlocked()
                ? config.confirmTimeout().toNanos()
                : channel.deadlineNanos(since) - System.nanoTime();
        Runnable event = events.poll(Math.max(left, 0), TimeUnit.NANOSECONDS);
        if (event == null) {
            throw LetterException.unavailable(
                    channel.isBlocked()
                            ? "RabbitMQ takes nothing because of an alarm (%s): see rabbitmqctl status"
                                    .formatted(blocked)
                            : "RabbitMQ did not answer in time; what was not answered may have been taken, and is kept");
        }
        handle(event);
    }

    private void handle(Runnable event) throws LetterException {
        event.run();
        if (failure != null) {
            throw failure;
        }
        if (ended != null) {
            throw lost(ended);
        }
    }

    private static LetterException lost(String reason) {
        return LetterException.unavailable(
                "RabbitMQ ended the channel for publishing (%s); what was not answered may have been taken, and is kept"
                        .formatted(reason));
    }

    private final class Heard implements ConfirmChannel.Answers {
        @Override
        public void settled(long number, boolean multiple, boolean taken) {
            NavigableMap<Long, Waiting> these =
                    multiple ? inFlight.headMap(number, true) : inFlight.subMap(number, true, number, true);
            List<Waiting> settled = new ArrayList<>(these.values());
            these.clear();
            for (Waiting waiting : settled) {
                inFlightBytes -= waiting.bytes;
                tell(waiting, taken);
            }
        }

        private void tell(Waiting waiting, boolean taken) {
            boolean cameBack = returned.remove(waiting.letterId);
            try {
                waiting.answer.is(cameBack ? Fate.RETURNED : taken ? Fate.TAKEN : Fate.REFUSED);
            } catch (LetterException e) {
                if (failure == null) {
                    failure = e;
                }
            }
        }

        @Override
        public void returned(BasicProperties properties) {
            Object replayed = properties.getHeaders().get(LetterHeaders.REPLAYED);
            Object copy = properties.getHeaders().get(LetterHeaders.COPY_ID);
            for (Waiting waiting : inFlight.values()) {
                if (waiting.letterId.equals(String.valueOf(replayed)) || sameCopy(waiting.letterId, copy)) {
                    returned.add(waiting.letterId);
                    return;
                }
            }
        }

        private boolean sameCopy(String letterId, @Nullable Object copy) {
            return copy != null && LetterCodec.idOfCopy(copy.toString()).equals(letterId);
        }

        @Override
        public void blocked(@Nullable String reason) {
            blocked = reason;
        }

        @Override
        public void ended(ShutdownSignalException signal) {
            ended = Connector.describe(signal);
        }
    }

    @Override
    public void close() {
        channel.abandon();
    }
}
