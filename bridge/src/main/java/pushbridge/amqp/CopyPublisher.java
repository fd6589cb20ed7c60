package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
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
import org.slf4j.event.Level;
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
 * <p>All state belongs to one thread, {@code pushbridge-amqp-copies}, fed by one queue. At most one copy an unsettled
 * instruction exists, so the prefetch bounds everything here (I5).
 */
public final class CopyPublisher implements Copies, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(CopyPublisher.class);

    /** Events handled before publishing goes on. */
    private static final int TURN = 1_024;

    /**
     * Copies in flight, so that the thread hears of an alarm before it has written everything there is into a socket that
     * nobody reads. An answer of a quorum queue takes milliseconds: this is tens of thousands a second.
     */
    private static final int IN_FLIGHT = 500;

    /** Bytes in flight, but for the last copy; about what the kernel takes for a broker that reads nothing. */
    private static final int IN_FLIGHT_BYTES = 1 << 20;

    private final AmqpConfig config;
    private final Connector connector;
    private final Topology topology;
    private final String node;
    private final Clock clock;
    private final BrokerStatus status;
    private final IntervalFunction backoff;
    private final Thread thread = new Thread(this::run, "pushbridge-amqp-copies");
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
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

    private @Nullable ConfirmChannel channel;
    /** By publish number of the channel. */
    private final TreeMap<Long, Copy> inFlight = new TreeMap<>();

    private long inFlightBytes;
    private boolean suspectInFlight;
    /** Ids of copies that no queue took; their confirms follow. */
    private final Set<String> returned = new HashSet<>();

    private final Refusals refusals;
    /** A new channel is to be tried as soon as nothing is in flight on this one. */
    private boolean renewing;

    private long connectAtNanos = System.nanoTime();
    private int failures;
    private @Nullable String announcedProblem;
    /** Copies the broker did not take, by queue: while there are any, the alarm sounds. */
    private final Map<String, Set<Copy>> refused = new HashMap<>();

    /** @param node the bridge's name, written into every copy */
    public CopyPublisher(AmqpConfig config, String node, Clock clock, BrokerStatus status) {
        this.config = config;
        this.connector = new Connector(config, node, "copies", status.meters());
        this.topology = new Topology(config);
        this.node = node;
        this.clock = clock;
        this.status = status;
        this.backoff = Connector.backoff(config);
        this.refusals = new Refusals(backoff);
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
        Copy copy = new Copy(instruction, queue, reason, detail, now, idPrefix + ids.incrementAndGet());
        events.add(() -> added(copy));
    }

    /** Stops; copies not yet confirmed are given up, and their instructions stay unsettled. Idempotent. */
    @Override
    public void close() throws InterruptedException {
        stopping = true;
        events.add(() -> {}); // wakes it
        thread.join(2L * connector.stepMillis());
    }

    private void run() {
        try {
            while (!stopping) {
                Runnable event = events.poll(nanosToNextDeadline(), TimeUnit.NANOSECONDS);
                try {
                    for (int i = 0; event != null; event = ++i < TURN ? events.poll() : null) {
                        event.run();
                    }
                    advance();
                } catch (RuntimeException e) {
                    log.error("The publisher of copies failed; what is in doubt goes out again", e);
                    if (channel != null) {
                        drop("an internal error", false);
                    } else {
                        failed("The publisher of copies failed (" + Connector.describe(e) + ")");
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // somebody wants the thread to end
        } finally {
            if (channel != null) {
                channel.abandon();
            }
            status.publisherDown(null);
        }
    }

    private void added(Copy copy) {
        IntakeChannel from = copy.instruction.channel();
        if (from != newest) {
            newest = from;
            forgetEnded();
        }
        ready.add(copy);
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
        if (channel == null && connectAtNanos - now <= 0) {
            connect();
        }
        if (channel == null || channel.isBlocked()) {
            return;
        }
        if (!inFlight.isEmpty() && deadlineNanos(channel) - now <= 0) {
            drop("a confirm did not come in time", false);
            return;
        }
        if (renewing) {
            if (!inFlight.isEmpty()) {
                return; // given up now, they would be published twice
            }
            renew();
        }
        publishReady();
    }

    private void publishReady() {
        // A suspect goes alone, so that a channel error accuses the right one; the others wait one round trip.
        for (ConfirmChannel current = channel; current != null && hasRoom(current); current = channel) {
            boolean alone = !suspects.isEmpty();
            if ((alone && !inFlight.isEmpty()) || suspectInFlight) {
                return;
            }
            Copy copy = alone ? suspects.poll() : ready.poll();
            if (copy == null) {
                return;
            }
            if (copy.notNeeded()) {
                over(copy);
            } else {
                publish(current, copy);
            }
        }
    }

    private boolean hasRoom(ConfirmChannel current) {
        return !current.isBlocked()
                && inFlight.size() < IN_FLIGHT
                && (inFlight.isEmpty() || inFlightBytes < IN_FLIGHT_BYTES);
    }

    private void publish(ConfirmChannel current, Copy copy) {
        BasicProperties properties;
        try {
            properties = copy.properties(node, current);
        } catch (IOException | RuntimeException e) {
            unwritable(copy, e);
            return;
        }
        copy.publishedNanos = System.nanoTime();
        inFlight.put(current.nextNumber(), copy);
        inFlightBytes += copy.bytes();
        suspectInFlight = copy.suspect;
        try {
            current.publish(copy.queue, properties, copy.instruction.original().body());
        } catch (IOException | ShutdownSignalException e) {
            drop(Connector.describe(e), e instanceof ShutdownSignalException signal && isAccusation(signal));
        } catch (RuntimeException e) {
            // The client refuses to write it. Its numbering is off by one now, so the channel has to go.
            inFlight.values().remove(copy);
            unwritable(copy, e);
            drop("a copy could not be written", false);
        }
    }

    /** The cause can only be what it carries from elsewhere. */
    private void unwritable(Copy copy, Exception e) {
        copy.keepHeaders = false;
        copy.suspect = true;
        again(copy, "A copy to %s cannot be written (%s)".formatted(copy.queue, Connector.describe(e)));
    }

    private void connect() {
        try {
            channel = ConfirmChannel.open(connector.connect(), config.confirmTimeout(), events::add, new Heard());
            status.blocked(null); // of the channel before
            status.publisherUp();
            if (announcedProblem != null) {
                announcedProblem = null;
                log.info("Connected to RabbitMQ again, for copies");
            }
        } catch (BrokerException e) {
            failed(e.sentence());
        } catch (IOException | ShutdownSignalException e) {
            failed(lost(Connector.describe(e)));
        }
    }

    /** Whether it is the queue that refuses, or this channel: a new one tells. Nothing is in flight. */
    private void renew() {
        log.debug("The channel for copies only refuses; trying a new one");
        abandon();
        connect();
    }

    private void abandon() {
        if (channel != null) {
            channel.abandon();
            channel = null;
        }
        inFlight.clear();
        inFlightBytes = 0;
        suspectInFlight = false;
        returned.clear();
        renewing = false;
        refusals.newChannel(System.nanoTime());
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

    private static String lost(String reason) {
        return "The connection to RabbitMQ for copies was lost (" + reason + ")";
    }

    /**
     * Gives the channel up; what was in flight is in doubt and goes out again.
     *
     * @param accused whether something published may be the cause
     */
    private void drop(String reason, boolean accused) {
        if (channel != null
                && System.nanoTime() - channel.openedNanos()
                        > config.backoffMax().toNanos()) {
            failures = 0; // it was stable: this is a new story
        }
        List<Copy> inDoubt = new ArrayList<>(inFlight.values());
        abandon();
        if (accused && inDoubt.size() == 1) {
            Copy culprit = inDoubt.get(0);
            culprit.suspect = true;
            culprit.keepHeaders = false; // what it carries from elsewhere is the likely cause
            again(culprit, "RabbitMQ closed the channel for a copy to %s (%s)".formatted(culprit.queue, reason));
        } else if (accused) {
            inDoubt.forEach(copy -> copy.suspect = true);
            suspects.addAll(inDoubt);
        } else {
            Collections.reverse(inDoubt);
            inDoubt.forEach(copy -> (copy.suspect ? suspects : ready).addFirst(copy)); // in the order of before
        }
        if (accused) {
            log.debug("RabbitMQ closed the channel for copies ({})", reason); // the alarm names the culprit
            status.publisherDown(null);
            failures++;
            pauseBeforeConnecting();
        } else {
            failed(lost(reason));
        }
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
        if (channel == null) {
            wait = Math.min(wait, connectAtNanos - now);
        } else if (!channel.isBlocked() && !inFlight.isEmpty()) {
            wait = Math.min(wait, deadlineNanos(channel) - now);
        }
        return Math.max(0, wait);
    }

    /** Until when the oldest in flight may wait for its confirm. */
    private long deadlineNanos(ConfirmChannel current) {
        return current.deadlineNanos(inFlight.firstEntry().getValue().publishedNanos);
    }

    /** Not with the detail, which quotes what was published: that is for those who may see dead letters. */
    private void tell(Copy copy) {
        boolean dead = copy.queue.equals(topology.dead());
        String messageId = copy.instruction.original().messageId();
        log.atLevel(dead ? Level.WARN : Level.DEBUG)
                .addKeyValue("address", copy.instruction.address())
                .addKeyValue("message_id", messageId)
                .addKeyValue("reason", copy.reason)
                .log(
                        "{} for {}, message {}: {}",
                        dead ? "Dead letter" : "Expired",
                        copy.instruction.address(),
                        messageId,
                        copy.reason);
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

        int bytes() {
            return instruction.original().body().length;
        }

        /** What goes out on this channel: all headers, or only ours when all would be more than a frame holds. */
        BasicProperties properties(String node, ConfirmChannel channel) throws IOException {
            if (keepHeaders) {
                BasicProperties all = properties(node);
                if (channel.fits(all)) {
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

    /** What the broker says, on the copier thread. */
    private final class Heard implements ConfirmChannel.Answers {
        @Override
        public void settled(long number, boolean multiple, boolean taken) {
            var answered = multiple ? inFlight.headMap(number, true) : inFlight.subMap(number, true, number, true);
            List<Copy> copies = new ArrayList<>(answered.values());
            answered.clear();
            suspectInFlight = false;
            boolean queueGone = false;
            for (Copy copy : copies) {
                inFlightBytes -= copy.bytes();
                // A return comes before the confirm: the broker confirms also what no queue took.
                if (returned.remove(copy.id)) {
                    queueGone = true;
                    again(copy, "No queue %s exists to take a copy".formatted(copy.queue));
                } else if (!taken) {
                    refusals.refused(copy.queue, System.nanoTime());
                    again(
                            copy,
                            "Queue %s refuses copies: it is full (make room in it) or unavailable"
                                    .formatted(copy.queue));
                } else {
                    failures = 0;
                    refusals.taken(copy.queue);
                    over(copy);
                    tell(copy);
                    onSafe.accept(copy.instruction); // I1: only now may the instruction be acknowledged
                }
            }
            if (queueGone) {
                redeclare();
            }
            renewing |= refusals.suspectChannel(System.nanoTime());
        }

        @Override
        public void returned(BasicProperties properties) {
            returned.add(String.valueOf(properties.getHeaders().get(CopyMessage.COPY_ID)));
        }

        @Override
        public void blocked(@Nullable String reason) {
            status.blocked(reason);
        }

        @Override
        public void ended(ShutdownSignalException signal) {
            drop(Connector.describe(signal), isAccusation(signal));
        }
    }

    /** Brings a deleted queue back; once that has worked the next attempt finds it. */
    private void redeclare() {
        try {
            if (channel != null) {
                topology.declare(channel.connection());
            }
        } catch (BrokerException e) {
            log.warn("{}", e.sentence());
        } catch (ShutdownSignalException e) {
            log.debug("The connection for copies ended while their queues were declared", e); // told next
        }
    }

    /** Whether the broker ended it because of something it was sent, not because of its own or the network's state. */
    private static boolean isAccusation(ShutdownSignalException signal) {
        int code = Connector.replyCode(signal);
        return !signal.isInitiatedByApplication() && code >= 400 && code != 541;
    }
}
