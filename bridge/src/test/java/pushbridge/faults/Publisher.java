package pushbridge.faults;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An honest application: persistent, mandatory, confirmed, and what is not confirmed is published again. It has one
 * message of an address on its way at most, so the order of an address is never muddled by the publisher itself. A
 * thread of its own does everything; the client library only posts events to it.
 */
final class Publisher implements AutoCloseable {

    /** Messages a second: enough to have many on every part of the path, little enough for two processors. */
    static final int RATE = 600;

    private static final int RETRY_MILLIS = 100;

    /** A quorum queue whose leader died may owe a confirm for ever; then the message is published again. */
    private static final long CONFIRM_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final List<URI> brokers;
    private final String exchange;
    private final List<String> addresses;
    private final Random random;
    private final int rate;
    private final ConcurrentLinkedQueue<Published> published = new ConcurrentLinkedQueue<>();
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong confirmed = new AtomicLong();
    private final AtomicLong refusals = new AtomicLong();
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Thread thread = new Thread(this::run, "publisher");

    // The publisher's thread only.
    private final Map<String, Long> lastSeq = new LinkedHashMap<>();
    private final Deque<String> free = new ArrayDeque<>();
    /** What RabbitMQ has not accepted, in publish order. */
    private final Map<String, Published> open = new LinkedHashMap<>();

    private volatile @Nullable Duration life;
    private volatile boolean timestamped;
    private volatile boolean paused;
    private volatile boolean resting;
    private volatile boolean blocked;
    private volatile boolean finishing;
    private volatile boolean closed;

    private sealed interface Event {}

    private record Confirm(Link link, long tag, boolean multiple, boolean accepted) implements Event {}

    private record Returned(Link link, String key) implements Event {}

    private record Ended(Link link) implements Event {}

    /** @param rate messages a second at most */
    Publisher(List<URI> brokers, String exchange, Collection<String> addresses, int rate, long seed) {
        this.brokers = brokers;
        this.exchange = exchange;
        this.addresses = List.copyOf(addresses);
        this.random = new Random(seed);
        this.rate = rate;
        free.addAll(this.addresses);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** From now on every message has this long to live. */
    void expireAfter(Duration time, boolean withTimestamp) {
        timestamped = withTimestamp;
        life = time;
    }

    /** Nothing new is published until {@link #goOn}. */
    void pause() {
        resting = false;
        paused = true;
    }

    /** Whether it knows that it pauses, and RabbitMQ has accepted all there is: nothing comes after that. */
    boolean rests() {
        return resting && quiet();
    }

    void goOn() {
        paused = false;
    }

    /** Whether RabbitMQ says that it takes nothing at present. */
    boolean blocked() {
        return blocked;
    }

    /** Whether RabbitMQ has accepted all there is so far. */
    boolean quiet() {
        return confirmed.get() == made.get();
    }

    /** Nothing new is published from now on; what is open is still brought home. */
    void finish() {
        finishing = true;
    }

    boolean finished() {
        return finishing && quiet();
    }

    long confirmed() {
        return confirmed.get();
    }

    /** How often RabbitMQ has refused a message. */
    long refusals() {
        return refusals.get();
    }

    List<Published> published() {
        return List.copyOf(published);
    }

    /** The same, which are then forgotten; only while it {@link #rests}. */
    List<Published> takePublished() {
        List<Published> taken = List.copyOf(published);
        published.clear();
        return taken;
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join();
    }

    private void run() {
        try {
            while (!closed) {
                try (Link link = new Link()) {
                    for (Published message : List.copyOf(open.values())) {
                        link.publish(message);
                    }
                    serve(link);
                } catch (IOException | TimeoutException | AlreadyClosedException e) {
                    TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS); // the broker is away: a pause between two attempts
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(Link link) throws IOException, InterruptedException {
        long began = System.nanoTime();
        long sent = 0;
        while (!closed) {
            Event event = events.poll(10, TimeUnit.MILLISECONDS);
            while (event != null) {
                if (event instanceof Confirm confirm && confirm.link() == link) {
                    link.confirm(confirm);
                } else if (event instanceof Returned returned && returned.link() == link) {
                    link.returned.add(returned.key());
                } else if (event instanceof Ended ended && ended.link() == link) {
                    return;
                }
                event = events.poll();
            }
            // RabbitMQ 3.10 refuses everything on a channel that first used a queue while its leader was being elected.
            if (link.nacked || (link.waitsTooLong() && !blocked)) {
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS); // a pause between two attempts
                return;
            }
            link.publishRefused();
            boolean pause = paused; // one look, so that what is said below is what was done
            long due = (System.nanoTime() - began) * rate / TimeUnit.SECONDS.toNanos(1);
            sent = Math.max(sent, due - rate / 10); // what could not be sent in time is not made up for
            for (; sent < due && !finishing && !pause; sent++) {
                String address = free.poll();
                if (address == null) {
                    break;
                }
                link.publish(next(address));
            }
            resting = pause;
        }
    }

    private Published next(String address) {
        long seq = lastSeq.merge(address, 1L, Long::sum);
        String filler = "ü😀".repeat(random.nextInt(20)) + Long.toHexString(random.nextLong());
        String text = "{\"type\":\"fault\",\"payload\":{\"text\":\"%s\"},\"seq\":%d,\"to\":\"%s\"}"
                .formatted(filler, seq, address);
        Published message = new Published(address, seq, text);
        made.incrementAndGet();
        published.add(message);
        open.put(message.key(), message);
        return message;
    }

    /** One connection; everything but the callbacks on the publisher's thread. */
    private final class Link implements AutoCloseable {
        private final Connection connection;
        private final Channel channel;
        private final NavigableMap<Long, Published> unconfirmed = new TreeMap<>();
        private final NavigableMap<Long, Long> publishedAt = new TreeMap<>();
        private final List<Published> refused = new ArrayList<>();
        private boolean nacked;
        private final List<String> returned = new ArrayList<>();

        Link() throws IOException, TimeoutException {
            connection = connect(brokers, "publisher");
            channel = connection.createChannel();
            blocked = false;
            connection.addBlockedListener(reason -> blocked = true, () -> blocked = false);
            connection.addShutdownListener(signal -> events.add(new Ended(this)));
            channel.addShutdownListener(signal -> events.add(new Ended(this)));
            channel.addReturnListener(back -> events.add(
                    new Returned(this, String.valueOf(back.getProperties().getMessageId()))));
            channel.addConfirmListener(
                    (tag, multiple) -> events.add(new Confirm(this, tag, multiple, true)),
                    (tag, multiple) -> events.add(new Confirm(this, tag, multiple, false)));
            channel.confirmSelect();
        }

        void publish(Published message) throws IOException {
            unconfirmed.put(channel.getNextPublishSeqNo(), message);
            publishedAt.put(channel.getNextPublishSeqNo(), System.nanoTime());
            message.attempted();
            BasicProperties.Builder properties =
                    new BasicProperties.Builder().deliveryMode(2).messageId(message.key());
            Duration limit = life;
            if (limit != null) {
                properties.expiration(Long.toString(limit.toMillis()));
                properties.timestamp(timestamped ? Date.from(Instant.now()) : null);
            }
            channel.basicPublish(
                    exchange,
                    message.address(),
                    true,
                    properties.build(),
                    message.text().getBytes(StandardCharsets.UTF_8));
        }

        boolean waitsTooLong() {
            publishedAt.keySet().retainAll(unconfirmed.keySet());
            return !publishedAt.isEmpty()
                    && System.nanoTime() - publishedAt.firstEntry().getValue() > CONFIRM_NANOS;
        }

        void confirm(Confirm confirm) {
            Map<Long, Published> settled = confirm.multiple()
                    ? unconfirmed.headMap(confirm.tag(), true)
                    : unconfirmed.subMap(confirm.tag(), true, confirm.tag(), true);
            for (Published message : settled.values()) {
                // A return comes before its confirm.
                if (confirm.accepted() && !returned.remove(message.key())) {
                    message.confirm();
                    open.remove(message.key());
                    free.add(message.address());
                    confirmed.incrementAndGet();
                } else {
                    nacked |= !confirm.accepted();
                    refusals.addAndGet(confirm.accepted() ? 0 : 1);
                    refused.add(message);
                }
            }
            settled.clear();
        }

        void publishRefused() throws IOException {
            for (Published message : refused) {
                publish(message);
            }
            refused.clear();
        }

        @Override
        public void close() {
            connection.abort(1_000);
        }
    }

    /** A connection to one of several brokers that answers. */
    static Connection connect(List<URI> brokers, String name) throws IOException, TimeoutException {
        ConnectionFactory factory = new ConnectionFactory();
        @Nullable String[] user = brokers.get(0).getUserInfo().split(":", 2);
        factory.setUsername(user[0]);
        factory.setPassword(user[1]);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setConnectionTimeout(5_000);
        factory.setHandshakeTimeout(5_000);
        factory.setRequestedHeartbeat(5);
        factory.setMaxInboundMessageBodySize(128 << 20); // one scenario has a message that large
        List<Address> addresses = new ArrayList<>();
        for (URI broker : brokers) {
            addresses.add(new Address(broker.getHost(), broker.getPort()));
        }
        return factory.newConnection(addresses, name);
    }
}
