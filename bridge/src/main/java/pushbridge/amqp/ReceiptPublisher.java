package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.config.ReceiptsConfig;
import pushbridge.delivery.Receipt;
import pushbridge.delivery.Receipts;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Publishes receipts, best effort: from a bounded queue, on a thread and a connection of its own, which is opened for the
 * first receipt. What there is no room for, or what RabbitMQ does not take, is counted and forgotten, since neither
 * delivery nor settlement may ever wait for it.
 */
public final class ReceiptPublisher implements Receipts, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ReceiptPublisher.class);

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Reserved by RabbitMQ: no receipt gets to what has such a name. */
    private static final String RESERVED = "amq.";

    /** Of ten milliseconds each: for what is waiting when the bridge stops. */
    private static final int LAST_MOMENTS = 50;

    /** What became of receipts. */
    public enum Fate {
        /** Handed to RabbitMQ; some of these count as refused or unrouted besides. */
        PUBLISHED,
        /** There was no room for it: RabbitMQ is slow, blocked or away. */
        DROPPED,
        /** RabbitMQ did not take it, or the connection broke over it. */
        REFUSED,
        /** Nobody has bound a queue for it. */
        UNROUTED,
        /** Its {@code reply_to} is a name of the bridge's own or of RabbitMQ's. */
        FORBIDDEN;

        /** The label in metrics. */
        public String slug() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private final Connector connector;
    private final Topology topology;
    private final String prefix;
    private final String node;
    private final BlockingQueue<Receipt> waiting;
    private final Map<Fate, LongAdder> fates = new EnumMap<>(Fate.class);
    private final IntervalFunction backoff;
    private final Thread thread = new Thread(this::run, "pushbridge-amqp-receipts");

    private volatile boolean stopping;
    private volatile @Nullable Connection connection; // set by the thread
    private volatile int failures; // set by the thread
    private @Nullable Channel channel; // thread only
    private long droppedAndTold; // thread only

    /** @param node the bridge's name, written into every receipt */
    public ReceiptPublisher(AmqpConfig config, ReceiptsConfig receipts, String node) {
        this.connector = new Connector(config, node, "receipts");
        this.topology = new Topology(config);
        this.prefix = config.prefix();
        this.node = node;
        this.waiting = new ArrayBlockingQueue<>(receipts.maxWaiting());
        this.backoff = Connector.backoff(config);
        for (Fate fate : Fate.values()) {
            fates.put(fate, new LongAdder());
        }
        thread.setDaemon(true);
    }

    /** Starts the thread; it connects when there is something to send. */
    public void start() {
        thread.start();
    }

    @Override
    public void send(Receipt receipt) {
        if (!waiting.offer(receipt)) {
            count(Fate.DROPPED); // told by the thread: whoever sends may not wait for a log either
        }
    }

    private boolean isForbidden(String replyTo) {
        return replyTo.equals(prefix) || replyTo.startsWith(prefix + ".") || replyTo.startsWith(RESERVED);
    }

    private void tellDropped() {
        long dropped = counted(Fate.DROPPED);
        if (dropped > droppedAndTold) {
            log.warn(
                    "{} receipts were not sent: as many waited for RabbitMQ as may (receipts.max-waiting)",
                    dropped - droppedAndTold);
            droppedAndTold = dropped;
        }
    }

    /** How many had this fate. */
    public long counted(Fate fate) {
        return counter(fate).sum();
    }

    private void count(Fate fate) {
        counter(fate).increment();
    }

    private LongAdder counter(Fate fate) {
        return Objects.requireNonNull(fates.get(fate), "every fate has a counter");
    }

    /** Receipts that are not published yet. */
    public int waiting() {
        return waiting.size();
    }

    private void run() {
        try {
            while (!stopping) {
                Receipt next = waiting.take();
                tellDropped();
                publish(next);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the bridge stops; what waits is forgotten
        }
    }

    private void publish(Receipt receipt) throws InterruptedException {
        if (isForbidden(receipt.asked().replyTo())) {
            count(Fate.FORBIDDEN);
            log.warn(
                    "No receipt for message {} of {}: its reply_to is a name of the bridge's own or of RabbitMQ's; use"
                            + " another one, and bind a queue of your own to {} with it",
                    receipt.asked().messageId(),
                    receipt.address(),
                    topology.receipts());
            return;
        }
        Channel open = open();
        if (open == null) {
            count(Fate.REFUSED); // the bridge stops
            return;
        }
        try {
            open.basicPublish(
                    topology.receipts(), receipt.asked().replyTo(), true, properties(receipt), body(receipt, node));
            count(Fate.PUBLISHED);
        } catch (IOException | ShutdownSignalException e) {
            count(Fate.REFUSED);
            drop(Connector.describe(e));
        } catch (RuntimeException e) {
            count(Fate.REFUSED);
            log.error("A receipt cannot be written; it is forgotten", e);
        }
    }

    /** A channel, however long that takes; meanwhile the queue fills. Null when the bridge stops. */
    private @Nullable Channel open() throws InterruptedException {
        while (!stopping) {
            Channel current = channel;
            if (current != null && current.isOpen()) {
                return current;
            }
            try {
                Connection opened = connector.connect();
                connection = opened;
                Channel made = opened.createChannel();
                made.confirmSelect();
                made.addReturnListener(message -> count(Fate.UNROUTED));
                made.addConfirmListener((tag, multiple) -> {}, (tag, multiple) -> count(Fate.REFUSED));
                channel = made;
                failures = 0;
            } catch (BrokerException e) {
                drop(e.sentence());
            } catch (IOException | ShutdownSignalException e) {
                drop(Connector.describe(e));
            }
        }
        return null;
    }

    private void drop(String why) throws InterruptedException {
        channel = null;
        Connection broken = connection;
        if (broken != null) {
            Connector.abort(broken);
        }
        if (!stopping) {
            log.warn("Receipts cannot be sent ({}); trying again until it works", why);
            int attempt = failures + 1;
            failures = attempt;
            Thread.sleep(backoff.apply(attempt));
        }
    }

    private static BasicProperties properties(Receipt receipt) {
        return new BasicProperties.Builder()
                .contentType("application/json")
                .type("push.receipt")
                .deliveryMode(2)
                .correlationId(receipt.asked().correlationId())
                .timestamp(Date.from(Instant.ofEpochMilli(receipt.atMillis())))
                .build();
    }

    /** As {@code receipt.schema.json} says. */
    static byte[] body(Receipt receipt, String node) {
        ObjectNode json = JSON.createObjectNode();
        json.put("outcome", receipt.outcome().slug());
        json.put("final", receipt.outcome() != Receipt.Outcome.HELD);
        if (receipt.reason() != null) {
            json.put("reason", receipt.reason().slug());
        }
        if (receipt.detail() != null) {
            json.put("detail", receipt.detail());
        }
        if (receipt.address() != null) {
            json.put("to", receipt.address());
        }
        if (receipt.asked().messageId() != null) {
            json.put("messageId", receipt.asked().messageId());
        }
        json.put("correlationId", receipt.asked().correlationId());
        if (receipt.asked().publishedMillis() > 0) {
            json.put("published", time(receipt.asked().publishedMillis()));
        }
        json.put("at", time(receipt.atMillis()));
        json.put("node", node);
        return JSON.writeValueAsString(json).getBytes(StandardCharsets.UTF_8);
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }

    /** Stops; what waits for longer than a moment is forgotten. */
    @Override
    public void close() throws InterruptedException {
        for (int i = 0; i < LAST_MOMENTS && !waiting.isEmpty() && failures == 0; i++) {
            Thread.sleep(10);
        }
        stopping = true;
        thread.interrupt();
        Connection open = connection;
        if (open != null) {
            Connector.abort(open);
        }
    }
}
