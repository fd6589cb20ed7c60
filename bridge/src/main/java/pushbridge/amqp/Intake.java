package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.ShutdownSignalException;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.config.IntakeConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.DeliveryLoop;

/**
 * Takes instructions from RabbitMQ: connects, declares, becomes the owner, consumes; and again from the start whenever
 * any of it ends. Runs on its own thread, {@code pushbridge-amqp-intake}.
 *
 * <p>Ownership is one message in a single-active-consumer queue: whoever holds it unsettled is the owner, and the broker
 * passes it on when the holder's channel dies. It is held on a second channel of the very connection that takes the
 * instructions, not on the same channel, where {@code basicAck(…, multiple)} would settle it too. The end of either
 * channel closes the connection, so both die together.
 */
public final class Intake implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Intake.class);

    /** A token that lies ready arrives within milliseconds; after this long somebody else must have it. */
    private static final Duration TOKEN_ARRIVES = Duration.ofSeconds(1);

    /** An election is over after this, and refuses nothing any more. */
    private static final Duration TOKEN_RETRY = Duration.ofSeconds(10);

    private static final Duration CLAIM_POLL = Duration.ofMillis(20);

    /** How often is looked whether a generation is still careful. */
    private static final Duration CAREFUL_LOOK = Duration.ofSeconds(1);

    private static final AtomicLong generations = new AtomicLong();

    private final AmqpConfig amqp;
    private final IntakeConfig config;
    private final Connector connector;
    private final Connector tokenConnector;
    private final Topology topology;
    private final PoisonRule rule;
    private final InstructionReader reader;
    private final InstructionHandler handler;
    private final BrokerStatus status;
    private final IntervalFunction backoff;
    private final Thread supervisor = new Thread(this::run, "pushbridge-amqp-intake");
    /** What the supervisor waits for. A link adds a handful of signals in its life, so this stays short (I5). */
    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();

    private final AtomicLong tokenRefreshes = new AtomicLong();

    private volatile boolean taking = true;
    private volatile boolean stopping;

    // Supervisor only, from here on.
    private long startedAtNanos;
    private boolean wasOwner;
    /** The broker was away, or another bridge was the owner: that one goes first. */
    private boolean yields;

    private @Nullable String announcedProblem;

    /** Whether the last generation here ended for another reason than what it handled. */
    private boolean excused;
    /** Whether it has been said that instructions are taken one by one. */
    private boolean careful;

    /**
     * @param node the bridge's name, shown by the broker
     * @param bodies reads a body; called on the thread that reads from the connection
     * @param status told how it goes
     */
    public Intake(
            AmqpConfig amqp,
            IntakeConfig config,
            String node,
            BodyReader bodies,
            Clock clock,
            DeliveryLoop loop,
            BrokerStatus status) {
        this(amqp, config, node, bodies, clock, InstructionHandler.of(loop), status);
    }

    Intake(
            AmqpConfig amqp,
            IntakeConfig config,
            String node,
            BodyReader bodies,
            Clock clock,
            InstructionHandler handler,
            BrokerStatus status) {
        this.amqp = amqp;
        this.config = config;
        this.connector = new Connector(amqp, node, "intake", status.meters());
        this.tokenConnector = new Connector(amqp, node, "token", status.meters());
        this.topology = new Topology(amqp);
        this.rule = new PoisonRule(config.poisonAfter());
        this.reader = new InstructionReader(bodies, clock);
        this.handler = handler;
        this.status = status;
        this.backoff = Connector.backoff(amqp);
        this.supervisor.setDaemon(true);
    }

    /** Starts to connect; the first instruction is not taken before {@code intake.start-delay} from now. */
    public void start() {
        startedAtNanos = System.nanoTime();
        supervisor.start();
    }

    /**
     * From now on nothing is handed over; what arrives stays unsettled. The consumer is not cancelled, since that would
     * let the next one overtake what this one still has; acknowledgements go out until {@link #close}.
     */
    public void stopTaking() {
        taking = false;
    }

    /**
     * Writes the acknowledgements queued so far, then leaves: what is unsettled returns to the queue, in order.
     * Waits for at most a few connect timeouts; idempotent.
     */
    @Override
    public void close() throws InterruptedException {
        taking = false;
        stopping = true;
        signals.add(new Stop());
        supervisor.join(4L * connector.stepMillis());
    }

    /** How often the token has been taken anew. */
    long tokenRefreshes() {
        return tokenRefreshes.get();
    }

    private void run() {
        int failures = 0;
        while (!stopping) {
            long connectedAt = System.nanoTime();
            try {
                if (failures > 0) {
                    yields |= !wasOwner;
                    pause(Duration.ofMillis(backoff.apply(failures)));
                    connectedAt = System.nanoTime();
                }
                Connection connection = connector.connectForReader();
                connectedAt = System.nanoTime();
                serve(new Link(connection));
            } catch (BrokerException e) {
                announce(e.sentence() + "; trying again until it works");
            } catch (LinkLostException e) {
                announce("The connection to RabbitMQ was lost (" + e.getMessage() + "); connecting again");
            } catch (RuntimeException e) {
                log.error("The intake failed; connecting again", e);
                announce("The intake failed (" + Connector.describe(e) + "); connecting again");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // somebody wants the thread to end
                break;
            }
            boolean stable = System.nanoTime() - connectedAt > amqp.backoffMax().toNanos();
            failures = stable ? 0 : failures + 1;
        }
        status.intakeDown(null);
    }

    /** Never returns normally except when stopping. */
    private void serve(Link link) throws BrokerException, LinkLostException, InterruptedException {
        try {
            link.watch();
            topology.declare(link.connection);
            status.intakeUp();
            announcedProblem = null;
            log.info("Connected to RabbitMQ at {}", link.place());
            if (yields) {
                link.await(config.standbyPatience());
            }
            own(link);
        } catch (IOException | ShutdownSignalException e) {
            throw new LinkLostException(Connector.describe(e));
        } finally {
            link.end();
            status.intakeDown(null);
        }
    }

    private void own(Link link) throws BrokerException, LinkLostException, InterruptedException, IOException {
        long tag = becomeOwner(link);
        wasOwner = true;
        yields = false;
        // The held log comes first: what it holds goes out before anything that is taken from now on (I3).
        CompletableFuture<Void> ready =
                handler.becomeOwner(() -> link.lost("another bridge writes the held log, so it is the owner"));
        try {
            while (!ready.isDone()) {
                link.await(CLAIM_POLL);
            }
        } finally {
            ready.cancel(false); // with the link the ownership is gone, and nobody may claim the log for it any more
        }
        status.ownership(BrokerStatus.Ownership.OWNER);
        log.info("This bridge is the owner: it takes the instructions");
        Duration sinceStart = Duration.ofNanos(System.nanoTime() - startedAtNanos);
        if (link.await(config.startDelay().minus(sinceStart)) != null) {
            throw new LinkLostException("a second ownership token arrived"); // prefetch 1 excludes it
        }
        link.consume();
        while (true) {
            link.await(amqp.tokenRefresh());
            // Before the broker's consumer timeout closes the channel. The active consumer gets it back.
            link.ownerChannel().basicReject(tag, true);
            Token token = link.await(Duration.ofMillis(connector.stepMillis()));
            if (token == null) {
                throw new LinkLostException("the ownership token did not come back");
            }
            tag = token.tag();
            tokenRefreshes.incrementAndGet();
        }
    }

    private void beCareful() {
        if (!careful) {
            careful = true;
            String sentence =
                    ("Messages came back unsettled %d times or more because the bridge or its connection broke, so"
                                    + " they are handled one by one, which is slower; the one that is handled each time is"
                                    + " dead-lettered as poisoned when it has come back %d times")
                            .formatted(rule.suspectedAfter(), rule.after());
            log.warn("{}", sentence);
            status.careful(sentence);
        }
    }

    private void endCare() {
        if (careful) {
            careful = false;
            log.info("No message is suspected of breaking the bridge any more; they are handled many at a time again");
            status.careful(null);
        }
    }

    /** Waits for the token, as long as it takes; returns its delivery tag. */
    private long becomeOwner(Link link) throws BrokerException, LinkLostException, InterruptedException, IOException {
        Channel channel = link.ownerChannel();
        channel.basicQos(1);
        if (topology.declareOwner(channel).getMessageCount() == 0) {
            publishToken();
        }
        channel.basicConsume(topology.owner(), false, uniqueTag("owner"), link.new TokenConsumer(channel));
        Token token = link.await(TOKEN_ARRIVES);
        if (token == null) {
            wasOwner = false;
            yields = true;
            excused = false; // another one takes the instructions, and may break over them
            endCare();
            status.ownership(BrokerStatus.Ownership.STANDBY);
            log.info("Another bridge is the owner: this one stands by");
        }
        for (Duration wait = TOKEN_RETRY; token == null; wait = amqp.tokenRefresh()) {
            token = link.await(wait);
            // Should the token have been purged, or refused while its queue's leader was being elected, nobody would
            // ever become the owner.
            if (token == null && topology.declareOwner(channel).getMessageCount() == 0) {
                publishToken();
            }
        }
        return token.tag();
    }

    /**
     * Puts a token into the empty queue. A holder's token is not counted by the queue, so this may add a second one;
     * see {@link Topology#declareOwner}. On a connection of its own: under a memory or disk alarm the broker stops
     * reading from every connection that has ever published, and acknowledgements must still be read.
     */
    private void publishToken() throws BrokerException, InterruptedException {
        Connection connection = tokenConnector.connect();
        try {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            channel.basicPublish("", topology.owner(), MessageProperties.PERSISTENT_BASIC, new byte[0]);
            // A refusal means that there is one already.
            boolean confirmed = channel.waitForConfirms(connector.stepMillis());
            log.debug("The ownership token was {}", confirmed ? "published" : "there already");
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            throw new BrokerException(
                    "The ownership token could not be published to queue %s (%s)"
                            .formatted(topology.owner(), Connector.describe(e)),
                    e);
        } finally {
            Connector.abort(connection);
        }
    }

    /** Says a problem once, not with every attempt. */
    private void announce(String problem) {
        if (stopping) {
            return;
        }
        status.intakeDown(problem);
        if (!problem.equals(announcedProblem)) {
            announcedProblem = problem;
            log.warn("{}", problem);
        }
    }

    /** Waits, unless stopping. Signals of links that are gone are skipped. */
    private void pause(Duration time) throws InterruptedException {
        long until = System.nanoTime() + time.toNanos();
        long left = time.toNanos();
        while (!stopping && left > 0) {
            signals.poll(left, TimeUnit.NANOSECONDS);
            left = until - System.nanoTime();
        }
    }

    /** Unique, because RabbitMQ 3.10 mishandles one that is used again. */
    private static String uniqueTag(String what) {
        return "pushbridge-" + what + "-" + UUID.randomUUID();
    }

    /** What wakes the supervisor. */
    private sealed interface Signal {}

    /** The ownership token has arrived. */
    private record Token(Link link, long tag) implements Signal {}

    /** A connection, or a channel on it, has ended. */
    private record Lost(Link link, String reason) implements Signal {}

    /** Instructions are handed over one by one. */
    private record Careful(Link link) implements Signal {}

    private record Stop() implements Signal {}

    /** The connection cannot be used any more, or the intake stops. */
    private static final class LinkLostException extends Exception {
        LinkLostException(String reason) {
            super(reason);
        }
    }

    /** One connection with its two channels. */
    private final class Link implements Generation.Supervisor {
        private final Connection connection;
        private @Nullable Channel ownerChannel;
        private @Nullable Generation generation;

        Link(Connection connection) {
            this.connection = connection;
        }

        void watch() {
            connection.addShutdownListener(signal -> lost(Connector.describe(signal)));
        }

        @Override
        public boolean isTaking() {
            return taking;
        }

        @Override
        public void beginsCarefully() {
            signals.add(new Careful(this));
        }

        @Override
        public void lost(String reason) {
            signals.add(new Lost(this, reason));
        }

        String place() {
            return connection.getAddress().getHostAddress() + ":" + connection.getPort();
        }

        Channel ownerChannel() throws IOException {
            if (ownerChannel == null) {
                ownerChannel = connection.createChannel();
            }
            return ownerChannel;
        }

        void consume() throws IOException {
            Generation opened = new Generation(
                    generations.incrementAndGet(),
                    connection.createChannel(),
                    amqp.prefetch(),
                    rule,
                    excused,
                    reader,
                    handler,
                    this);
            generation = opened;
            opened.open(topology.instructions(), uniqueTag("instructions"));
        }

        /**
         * Waits for the next token.
         *
         * @return null when the time was over first
         */
        @Nullable
        Token await(Duration time) throws LinkLostException, InterruptedException {
            long until = System.nanoTime() + time.toNanos();
            while (!stopping) {
                long left = until - System.nanoTime();
                long wait = careful ? Math.min(left, CAREFUL_LOOK.toNanos()) : left;
                Signal signal = signals.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
                if (signal instanceof Token token && token.link() == this) {
                    return token;
                } else if (signal instanceof Lost loss && loss.link() == this) {
                    throw new LinkLostException(loss.reason());
                } else if (signal instanceof Careful begun && begun.link() == this) {
                    beCareful();
                } else if (signal == null && left <= 0) {
                    return null;
                } else if (signal == null && generation != null && !generation.isBusyCarefully()) {
                    endCare();
                }
            }
            throw new LinkLostException("stopping");
        }

        /** Ends the generation at once, whatever the connection's end takes (I6). */
        void end() throws InterruptedException {
            try {
                if (generation != null && stopping) {
                    generation.finishAcks(connector.stepMillis());
                }
            } finally {
                if (generation != null) {
                    generation.end();
                    excused = !generation.isBroken();
                }
                Connector.abort(connection);
            }
        }

        private final class TokenConsumer extends DefaultConsumer {
            TokenConsumer(Channel channel) {
                super(channel);
            }

            @Override
            public void handleDelivery(
                    String tag, Envelope envelope, @Nullable BasicProperties properties, byte[] body) {
                signals.add(new Token(Link.this, envelope.getDeliveryTag()));
            }

            @Override
            public void handleCancel(String consumerTag) {
                lost("RabbitMQ cancelled the consumer of " + topology.owner() + ": the queue was deleted");
            }

            @Override
            public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
                lost(Connector.describe(signal));
            }
        }
    }
}
