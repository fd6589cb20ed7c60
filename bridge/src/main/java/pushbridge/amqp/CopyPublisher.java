package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Copies;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;
import pushbridge.envelope.DeadLetterReason;

/**
 * Publishes copies to {@code push.dead} and {@code push.expired}, and reports each one the broker has confirmed (I1). A
 * copy that is refused, returned, or in doubt is published again with growing pauses until it is safe, or until its
 * generation has ended: then the broker redelivers the instruction.
 *
 * <p>All state belongs to one thread, {@code pushbridge-amqp-copies}, fed by one queue. It has a connection of its own:
 * under a memory or disk alarm the broker reads nothing from a connection that publishes. At most one copy an unsettled
 * instruction exists, so the prefetch bounds everything here (I5).
 */
public final class CopyPublisher implements Copies, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(CopyPublisher.class);

    private final AmqpConfig config;
    private final Connector connector;
    private final Topology topology;
    private final String node;
    private final Clock clock;
    private final BrokerStatus status;
    private final IntervalFunction backoff;
    private final Thread thread = new Thread(this::run, "pushbridge-amqp-copies");
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final String idPrefix = UUID.randomUUID() + "-";
    private final AtomicLong ids = new AtomicLong();
    /** Copies asked for and neither safe nor given up; for people only. */
    private final AtomicInteger unconfirmed = new AtomicInteger();

    private volatile boolean stopping;
    private Consumer<Instruction> onSafe = instruction -> {}; // set once, before the thread starts

    // Copier thread only, from here on.
    /** Ready to be published. */
    private final Deque<Copy> ready = new ArrayDeque<>();
    /** Published at least once in vain; by the time of the next attempt. */
    private final PriorityQueue<Copy> waiting = new PriorityQueue<>(Comparator.comparingLong(c -> c.dueNanos));
    /** One of these may be what the broker closes channels for: published only while nothing else is in flight. */
    private final Deque<Copy> suspects = new ArrayDeque<>();

    /** The generation of the copy asked for last. */
    private @Nullable IntakeChannel newest;

    private @Nullable Link link;
    private long connectAtNanos = System.nanoTime();
    private int failures;
    private @Nullable String announcedProblem;
    /** Copies the broker did not take, by queue: while there are any, the alarm sounds. */
    private final Map<String, Set<Copy>> refused = new HashMap<>();

    /** @param node the bridge's name, written into every copy */
    public CopyPublisher(AmqpConfig config, String node, Clock clock, BrokerStatus status) {
        this.config = config;
        this.connector = new Connector(config, node, "copies");
        this.topology = new Topology(config);
        this.node = node;
        this.clock = clock;
        this.status = status;
        this.backoff = Connector.backoff(config);
        this.thread.setDaemon(true);
    }

    /** Starts to connect; confirmed copies are reported to the loop. */
    public void start(DeliveryLoop loop) {
        start(loop::copySafe);
    }

    void start(Consumer<Instruction> onSafe) {
        this.onSafe = onSafe;
        thread.start();
    }

    @Override
    public void dead(Instruction instruction, DeadLetterReason reason, String detail) {
        add(instruction, topology.dead(), reason.slug(), detail);
    }

    @Override
    public void expired(Instruction instruction) {
        add(
                instruction,
                topology.expired(),
                "expired",
                "Its time was over at " + Instant.ofEpochMilli(instruction.expiresAtMillis())
                        + ", before it could be delivered.");
    }

    /** Copies that the broker has not confirmed. Any thread. */
    public int waiting() {
        return unconfirmed.get();
    }

    private void add(Instruction instruction, String queue, String reason, String detail) {
        Instant now = Instant.ofEpochMilli(clock.wallMillis());
        unconfirmed.incrementAndGet();
        events.add(new Added(new Copy(instruction, queue, reason, detail, now, idPrefix + ids.incrementAndGet())));
    }

    /** Stops; copies not yet confirmed are given up, and their instructions stay unsettled. Idempotent. */
    @Override
    public void close() throws InterruptedException {
        stopping = true;
        events.add(new Stop());
        thread.join(2L * connector.stepMillis());
    }

    private void run() {
        try {
            while (!stopping) {
                Event event = events.poll(nanosToNextDeadline(), TimeUnit.NANOSECONDS);
                try {
                    while (event != null) {
                        handle(event);
                        event = events.poll();
                    }
                    advance();
                } catch (RuntimeException e) {
                    log.error("The publisher of copies failed; what is in doubt goes out again", e);
                    if (link != null) {
                        drop(link, "an internal error", false);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        } finally {
            if (link != null) {
                Connector.abort(link.connection);
            }
            status.publisherDown(null);
        }
    }

    private void handle(Event event) {
        if (event instanceof Added added) {
            IntakeChannel channel = added.copy().instruction.channel();
            if (channel != newest) {
                newest = channel;
                forgetEnded();
            }
            ready.add(added.copy());
        } else if (event instanceof Settled settled && settled.link() == link) {
            settled.link().settle(settled);
        } else if (event instanceof Returned returned && returned.link() == link) {
            returned.link().returned.add(returned.copyId());
        } else if (event instanceof Blocked blocked && blocked.link() == link) {
            blocked.link().blocked = blocked.reason() != null;
            status.blocked(blocked.reason());
        } else if (event instanceof Ended ended && ended.link() == link) {
            drop(ended.link(), ended.reason(), ended.accused());
        }
    }

    /**
     * I5: while nothing can be published, every further generation would leave its copies here, as many as the prefetch.
     */
    private void forgetEnded() {
        for (Collection<Copy> copies : List.of(ready, waiting, suspects)) {
            copies.removeIf(copy -> {
                if (copy.notNeeded()) {
                    over(copy);
                    return true;
                }
                return false;
            });
        }
    }

    /** Does whatever can be done now. */
    private void advance() {
        long now = System.nanoTime();
        while (!waiting.isEmpty() && waiting.peek().dueNanos - now <= 0) {
            Copy due = waiting.remove();
            (due.suspect ? suspects : ready).add(due);
        }
        if (link == null && connectAtNanos - now <= 0) {
            connect();
        }
        Link current = link;
        if (current == null || current.blocked) {
            return;
        }
        if (current.oldestOverdue(now)) {
            drop(current, "a confirm did not come in time", false);
            return;
        }
        // A suspect goes alone, so that a channel error accuses the right one; the others wait one round trip.
        while (link == current && !current.blocked) {
            boolean alone = !suspects.isEmpty();
            if ((alone && !current.inFlight.isEmpty()) || current.suspectInFlight) {
                return;
            }
            Copy copy = alone ? suspects.poll() : ready.poll();
            if (copy == null) {
                return;
            }
            if (copy.notNeeded()) {
                over(copy);
            } else {
                current.publish(copy);
            }
        }
    }

    private void connect() {
        try {
            Connection connection = connector.connect();
            Link opened = new Link(connection);
            link = opened;
            opened.open();
            status.publisherUp();
            if (announcedProblem != null) {
                announcedProblem = null;
                log.info("Connected to RabbitMQ again, for copies");
            }
        } catch (BrokerException e) {
            failed(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            if (link != null) {
                drop(link, Connector.describe(e), false);
            }
        }
    }

    private void pauseBeforeConnecting() {
        connectAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.apply(failures));
    }

    private void failed(String problem) {
        failures++;
        pauseBeforeConnecting();
        status.publisherDown(problem);
        if (!problem.equals(announcedProblem)) {
            announcedProblem = problem;
            log.warn("{}; copies wait, trying again until it works", problem);
        }
    }

    /**
     * Gives a connection up; what was in flight is in doubt and goes out again.
     *
     * @param accused whether something published may be the cause
     */
    private void drop(Link dropped, String reason, boolean accused) {
        link = null;
        if (System.nanoTime() - dropped.openedNanos > config.backoffMax().toNanos()) {
            failures = 0; // it was stable: this is a new story
        }
        List<Copy> inDoubt = new ArrayList<>(dropped.inFlight.values());
        if (accused && inDoubt.size() == 1) {
            Copy culprit = inDoubt.get(0);
            culprit.suspect = true;
            culprit.keepHeaders = false; // what it carries from elsewhere is the likely cause
            again(culprit, "RabbitMQ closed the channel for a copy to %s (%s)".formatted(culprit.queue, reason));
        } else if (accused) {
            inDoubt.forEach(copy -> copy.suspect = true);
            suspects.addAll(inDoubt);
        } else {
            inDoubt.forEach(copy -> (copy.suspect ? suspects : ready).add(copy));
        }
        if (accused) {
            log.debug("RabbitMQ closed the channel for copies ({})", reason); // the alarm names the culprit
            status.publisherDown(null);
            failures++;
            pauseBeforeConnecting();
        } else {
            failed("The connection to RabbitMQ for copies was lost (" + reason + ")");
        }
        Connector.abort(dropped.connection);
    }

    /** Not taken this time: its next attempt comes after a pause, the alarm until it succeeds. */
    private void again(Copy copy, String why) {
        copy.attempts++;
        copy.dueNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.apply(copy.attempts));
        waiting.add(copy);
        Set<Copy> others = refused.computeIfAbsent(copy.queue, queue -> new HashSet<>());
        if (others.isEmpty()) {
            String sentence =
                    why + "; instructions stay unsettled and their copies are published again until they are taken";
            log.warn("{}", sentence);
            status.raise("copies to " + copy.queue, sentence);
        }
        others.add(copy);
    }

    /** No attempt is to come: it is safe, or not needed any more. */
    private void over(Copy copy) {
        unconfirmed.decrementAndGet();
        Set<Copy> others = refused.get(copy.queue);
        if (others != null && others.remove(copy) && others.isEmpty()) {
            log.info("Queue {} takes copies again", copy.queue);
            status.clear("copies to " + copy.queue);
        }
    }

    private long nanosToNextDeadline() {
        long now = System.nanoTime();
        long wait = TimeUnit.SECONDS.toNanos(1); // an idle look around costs nothing
        if (!waiting.isEmpty()) {
            wait = Math.min(wait, waiting.peek().dueNanos - now);
        }
        if (link == null) {
            wait = Math.min(wait, connectAtNanos - now);
        } else if (!link.blocked && !link.inFlight.isEmpty()) {
            wait = Math.min(wait, link.deadline() - now);
        }
        return Math.max(0, wait);
    }

    /** One copy on its way. The mutable part belongs to the copier thread. */
    private static final class Copy {
        final Instruction instruction;
        final String queue;
        final String reason;
        final String detail;
        final Instant failedAt;
        final String id;

        int attempts;
        long dueNanos;
        long publishedNanos;
        /** Alone in flight from now on, because a channel error came while it was in flight. */
        boolean suspect;

        boolean keepHeaders = true;

        Copy(Instruction instruction, String queue, String reason, String detail, Instant failedAt, String id) {
            this.instruction = instruction;
            this.queue = queue;
            this.reason = reason;
            this.detail = detail;
            this.failedAt = failedAt;
            this.id = id;
        }

        /** Whether the broker redelivers its instruction anyway, so that no copy is needed. */
        boolean notNeeded() {
            return instruction.channel() instanceof Generation generation && generation.ended();
        }

        /** What goes out on this channel: all headers, or only ours when all would be more than a frame holds. */
        BasicProperties properties(String node, Channel channel) throws IOException {
            if (keepHeaders) {
                BasicProperties all = properties(node);
                int bytes = all.toFrame(channel.getChannelNumber(), 0).size();
                int most = channel.getConnection().getFrameMax();
                if (most == 0 || bytes <= most) {
                    return all;
                }
                keepHeaders = false;
            }
            return properties(node);
        }

        private BasicProperties properties(String node) {
            return CopyMessage.properties(
                    (AmqpOriginal) instruction.original(),
                    reason,
                    detail,
                    instruction.address(),
                    failedAt,
                    node,
                    id,
                    keepHeaders);
        }
    }

    /** What the thread is told. */
    private sealed interface Event {}

    private record Added(Copy copy) implements Event {}

    /** The broker's answer to one publish, or to all up to it. */
    private record Settled(Link link, long number, boolean multiple, boolean taken) implements Event {}

    /** No queue took the copy; its confirm follows. */
    private record Returned(Link link, String copyId) implements Event {}

    private record Blocked(Link link, @Nullable String reason) implements Event {}

    private record Ended(Link link, String reason, boolean accused) implements Event {}

    private record Stop() implements Event {}

    /** One connection with its channel; publish numbers mean something only here. */
    private final class Link {
        private final Connection connection;
        /** By publish number. */
        private final TreeMap<Long, Copy> inFlight = new TreeMap<>();

        private final Set<String> returned = new HashSet<>();
        private final long openedNanos = System.nanoTime();
        private @Nullable Channel channel;
        private boolean blocked;
        private boolean suspectInFlight;

        Link(Connection connection) {
            this.connection = connection;
        }

        void open() throws IOException, BrokerException {
            connection.addBlockedListener(new BlockedListener() {
                @Override
                public void handleBlocked(String reason) {
                    events.add(new Blocked(Link.this, reason));
                }

                @Override
                public void handleUnblocked() {
                    events.add(new Blocked(Link.this, null));
                }
            });
            Channel opened = connection.createChannel();
            opened.confirmSelect();
            // The callbacks run on the connection's reader: they only pass on.
            opened.addConfirmListener(
                    (number, multiple) -> events.add(new Settled(this, number, multiple, true)),
                    (number, multiple) -> events.add(new Settled(this, number, multiple, false)));
            opened.addReturnListener(message -> events.add(new Returned(
                    this, String.valueOf(message.getProperties().getHeaders().get(CopyMessage.COPY_ID)))));
            opened.addShutdownListener(
                    signal -> events.add(new Ended(this, Connector.describe(signal), isAccusation(signal))));
            channel = opened;
        }

        void publish(Copy copy) {
            Channel open = channel;
            if (open == null) {
                throw new IllegalStateException("published before the channel was opened");
            }
            copy.publishedNanos = System.nanoTime();
            inFlight.put(open.getNextPublishSeqNo(), copy);
            suspectInFlight = copy.suspect;
            try {
                open.basicPublish(
                        "",
                        copy.queue,
                        true,
                        copy.properties(node, open),
                        copy.instruction.original().body());
            } catch (IOException | ShutdownSignalException e) {
                drop(this, Connector.describe(e), e instanceof ShutdownSignalException signal && isAccusation(signal));
            } catch (IllegalArgumentException e) {
                // The client refuses to write it. Its numbering is off by one now, so the channel has to go.
                inFlight.values().remove(copy);
                copy.keepHeaders = false;
                copy.suspect = true;
                again(copy, "A copy to %s cannot be written (%s)".formatted(copy.queue, e.getMessage()));
                drop(this, "a copy could not be written", false);
            }
        }

        void settle(Settled answer) {
            var answered = answer.multiple()
                    ? inFlight.headMap(answer.number(), true)
                    : inFlight.subMap(answer.number(), true, answer.number(), true);
            List<Copy> copies = new ArrayList<>(answered.values());
            answered.clear();
            suspectInFlight = false;
            for (Copy copy : copies) {
                // A return comes before the confirm: the broker confirms also what no queue took.
                if (returned.remove(copy.id)) {
                    redeclare(this);
                    again(copy, "No queue %s exists to take a copy".formatted(copy.queue));
                } else if (!answer.taken()) {
                    again(
                            copy,
                            "Queue %s refuses copies: it is full (make room in it) or unavailable"
                                    .formatted(copy.queue));
                } else {
                    failures = 0;
                    over(copy);
                    onSafe.accept(copy.instruction); // I1: only now may the instruction be acknowledged
                }
            }
        }

        long deadline() {
            return inFlight.firstEntry().getValue().publishedNanos
                    + config.confirmTimeout().toNanos();
        }

        boolean oldestOverdue(long now) {
            return !inFlight.isEmpty() && deadline() - now <= 0;
        }
    }

    /** Brings a deleted queue back; once that has worked the next attempt finds it. */
    private void redeclare(Link current) {
        try {
            topology.declare(current.connection);
        } catch (BrokerException e) {
            log.warn("{}", e.sentence());
        }
    }

    /** Whether the broker ended it because of something it was sent, not because of its own or the network's state. */
    private static boolean isAccusation(ShutdownSignalException signal) {
        int code = Connector.replyCode(signal);
        return !signal.isInitiatedByApplication() && code >= 400 && code != 541;
    }
}
