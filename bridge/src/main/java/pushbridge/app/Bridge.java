package pushbridge.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.admin.AdminServer;
import pushbridge.admin.Health;
import pushbridge.admin.LetterApi;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.ClientMeters;
import pushbridge.amqp.CopyPublisher;
import pushbridge.amqp.InstructionPublisher;
import pushbridge.amqp.Intake;
import pushbridge.amqp.LetterShelves;
import pushbridge.amqp.QueueDepths;
import pushbridge.amqp.ReceiptPublisher;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.auth.KeySource;
import pushbridge.auth.TokenVerifier;
import pushbridge.client.ClientFiles;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.JwksConfig;
import pushbridge.config.ShownSetting;
import pushbridge.config.TlsConfig;
import pushbridge.config.TokenConfig;
import pushbridge.config.TokenKeys;
import pushbridge.delivery.Clock;
import pushbridge.delivery.CloseCode;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.DeliveryStats;
import pushbridge.delivery.HeldDesk;
import pushbridge.dev.DevPages;
import pushbridge.dev.DevPublish;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.Reading;
import pushbridge.envelope.SchemaFileException;
import pushbridge.hold.KeepingRules;
import pushbridge.letters.LetterDesk;
import pushbridge.letters.LocalDesk;
import pushbridge.metrics.MetricsRegistry;
import pushbridge.outbox.OutboxTotals;
import pushbridge.socket.DevGate;
import pushbridge.socket.HandshakeGate;
import pushbridge.socket.SocketServer;
import pushbridge.socket.TokenGate;
import pushbridge.tls.ClientTls;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsException;

/** One bridge: constructed in the order of the data path, started from the browsers' end, stopped from the broker's. */
public final class Bridge {

    private static final Logger log = LoggerFactory.getLogger(Bridge.class);

    /** Share of the grace for telling clients and letting their last frames out; the rest is for messages in flight. */
    private static final int CLOSING_SHARE = 4;

    private final BridgeConfig config;
    private final Clock clock = Clock.system();
    private final MetricsRegistry metrics = new MetricsRegistry();
    private final BrokerStatus broker = new BrokerStatus(new ClientMeters(metrics.meters()));
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    private final Intake intake;
    private final CopyPublisher copies;
    private final ReceiptPublisher receipts;
    private final StreamHeldLog held;
    private final LaneLog lanes = new LaneLog();
    private final DeliveryLoop loop;
    private final @Nullable KeySource keys;
    private final @Nullable TokenVerifier tokens;
    private final SocketServer sockets;
    private final BridgeHealth health;
    private final AdminServer admin;
    private final LetterDesk letters;
    private final InstructionPublisher publisher;
    private final QueueDepths depths;
    private final @Nullable DevPages devPages;

    /** Null when nobody knows where the configuration came from. */
    private final @Nullable Reload reload;
    private volatile EnvelopeReader envelopes;
    private volatile boolean stopping;

    /**
     * Wires; opens and starts nothing.
     *
     * @throws SchemaFileException a payload schema in {@code message.types-dir} cannot be used
     * @throws TlsException a certificate or key cannot be used
     */
    public Bridge(EffectiveConfig config) throws SchemaFileException, TlsException {
        this(config.values(), DeliveryLoop.keepingRules(), config);
    }

    /** @param keeping how the held log is kept short */
    Bridge(BridgeConfig config, KeepingRules keeping) throws SchemaFileException, TlsException {
        this(config, keeping, null);
    }

    private Bridge(BridgeConfig config, KeepingRules keeping, @Nullable EffectiveConfig effective)
            throws SchemaFileException, TlsException {
        this.config = config;
        String node = nodeName();

        // The way in: RabbitMQ, envelope, delivery loop, and the copies of what cannot be delivered.
        envelopes = new EnvelopeReader(config.message());
        copies = new CopyPublisher(config.amqp(), node, clock, broker);
        receipts = new ReceiptPublisher(config.amqp(), config.receipts(), node);
        OutboxTotals outboxes = new OutboxTotals(
                Runtime.getRuntime().maxMemory() / 100 * config.outbox().heapPercent());
        held = new StreamHeldLog(config.amqp(), config.hold(), keeping, node, broker, this::fail);
        loop = new DeliveryLoop(
                config.delivery(),
                clock,
                config.amqp().heartbeat().dividedBy(2),
                copies,
                receipts,
                config.hold(),
                held,
                keeping,
                outboxes,
                lanes,
                this::fail);
        intake = new Intake(config.amqp(), config.intake(), node, this::readEnvelope, clock, loop, broker);

        // The way out: sockets.
        TokenConfig token = config.auth().token();
        keys = token == null ? null : keys(token.keys());
        tokens = token == null || keys == null ? null : new TokenVerifier(token, keys, clock::machineMillis);
        HandshakeGate gate = gate();
        ServerTls socketTls = tls(config.socket().tls(), null);
        ServerTls adminTls = tls(config.admin().tls(), config.admin().clientCaFile());
        List<ServerTls> certificates = Stream.of(socketTls, adminTls).filter(Objects::nonNull).toList();
        reload = effective == null
                ? null
                : new Reload(effective, keys, certificates, reader -> envelopes = reader);
        sockets = new SocketServer(
                config.socket(),
                config.outbox(),
                outboxes,
                gate,
                this::isStandby,
                loop::open,
                clock,
                socketTls);
        sockets.answerHttp(new ClientFiles(), ClientFiles.BELOW);
        devPages = config.auth().mode() == AuthConfig.Mode.DEV ? devPages(gate, node) : null;

        // For operators.
        LetterShelves shelves =
                new LetterShelves(config.amqp(), config.letters(), node, "the bridge " + node, this::readEnvelope, clock);
        health = new BridgeHealth(this::signs);
        BridgeMetrics.register(metrics, config, clock, loop.stats(), broker, copies, receipts, held, sockets, keys, reload);
        admin = new AdminServer(
                config.admin(),
                health::now,
                metrics::scrape,
                adminTls);
        letters = new LocalDesk(shelves, clock::machineMillis, shelves::close);
        LetterApi.register(admin, letters);
        LogRoutes.register(admin);
        HeldRoutes.register(admin, new HeldDesk(loop), loop.stats(), clock);
        TailRoutes.register(admin, loop, health::now);
        ConnectionRoutes.register(admin, sockets);
        publisher = new InstructionPublisher(config.amqp(), node);
        PublishRoute.register(admin, publisher);
        depths = new QueueDepths(config.amqp(), node);
        new OverviewRoutes(config, node, health::now, loop.stats(), broker, copies, sockets, depths, this::settings)
                .register(admin);
        if (reload != null) {
            reload.register(admin);
        }

        broker.onOwnership(now -> {
            if (now == BrokerStatus.Ownership.STANDBY) {
                log.info("Another bridge is the owner; this one stands by and closes its connections");
                loop.closeAll(CloseCode.SERVICE_RESTART);
            }
        });
    }

    private Reading readEnvelope(String exchange, String routingKey, byte[] body) {
        return envelopes.read(exchange, routingKey, body);
    }

    private List<ShownSetting> settings() {
        return reload == null ? List.of() : reload.settings();
    }

    /** Reads the configuration again and takes what can be taken; the log tells what came of it. */
    void reload() {
        if (reload != null) {
            reload.onSignal();
        }
    }

    private BridgeHealth.Signs signs() {
        return new BridgeHealth.Signs(
                failure.isDone(),
                clock.nanoTime() - loop.stats().lastTurnNanos(),
                stopping,
                broker.snapshot(),
                copies.waiting(),
                held.isRead(),
                held.lag(),
                keys == null ? null : keys.state());
    }

    private KeySource keys(TokenKeys names) throws TlsException {
        JwksConfig jwks = names.jwks();
        return KeySource.of(names, jwks == null ? null : ClientTls.trusting(jwks.caFile()), clock::nanoTime);
    }

    private HandshakeGate gate() {
        int maxChannels = config.delivery().maxChannels();
        return tokens == null
                ? new DevGate(config.socket(), config.auth().origins(), maxChannels)
                : new TokenGate(tokens, config.auth(), maxChannels);
    }

    private static @Nullable ServerTls tls(@Nullable TlsConfig config, @Nullable Path clientCaFile)
            throws TlsException {
        return config == null ? null : new ServerTls(config, clientCaFile);
    }

    private DevPages devPages(HandshakeGate gate, String node) {
        // One byte more than allowed, so that a body that is too large can be tried out as well.
        DevPublish publish = new DevPublish(
                gate,
                new InstructionPublisher(config.amqp(), node),
                config.message().maxBytes() + 1);
        DevPages pages = new DevPages(config.socket().path(), publish);
        sockets.answerHttp(pages, "/");
        return pages;
    }

    /** Shown by the broker and in the headers of copies. */
    private static String nodeName() {
        try {
            return InetAddress.getLocalHost().getHostName() + "-"
                    + ProcessHandle.current().pid();
        } catch (UnknownHostException e) {
            return "bridge-" + ProcessHandle.current().pid(); // a host without a name of its own
        }
    }

    private boolean isStandby() {
        return broker.snapshot().ownership() == BrokerStatus.Ownership.STANDBY;
    }

    private void fail(Throwable cause) {
        log.error("The bridge cannot go on; nothing is lost, but this process has to be restarted", cause);
        failure.complete(cause);
    }

    /**
     * Opens the listeners and starts to take instructions as soon as RabbitMQ answers.
     *
     * @throws ListenerException a port cannot be opened; then everything is stopped again
     */
    public void start() throws ListenerException, InterruptedException {
        lanes.start();
        loop.start();
        if (keys != null) {
            keys.start();
        }
        try {
            // Sockets before intake, so that returning clients are there when the first instruction is.
            open(
                    sockets::start,
                    "socket",
                    config.socket().host(),
                    config.socket().port());
            open(admin::start, "admin", config.admin().host(), config.admin().port());
        } catch (ListenerException e) {
            stop();
            throw e;
        }
        copies.start(loop);
        receipts.start();
        held.start(loop);
        intake.start();
    }

    private interface Opening {
        void open() throws IOException;
    }

    private static void open(Opening listener, String section, String host, int port) throws ListenerException {
        try {
            listener.open();
        } catch (IOException e) {
            throw new ListenerException(
                    "Cannot listen on %s port %d (%s): stop what uses it, or set pushbridge.%s.port or pushbridge.%s.host"
                            .formatted(host, port, e.getMessage(), section, section),
                    e);
        }
    }

    /** The port of the public listener, once started. */
    public int socketPort() {
        return sockets.port();
    }

    /** The port of the admin listener, once started. */
    public int adminPort() {
        return admin.port();
    }

    /** What the delivery loop has done. */
    public DeliveryStats stats() {
        return loop.stats();
    }

    /** How many records of the held log were read at the start. */
    long replayRecords() {
        return held.replayRecords();
    }

    /** Completed with the cause when the bridge can no longer work and has to be restarted. */
    public CompletableFuture<Throwable> failure() {
        return failure;
    }

    /**
     * Stops within about {@code shutdown.grace}: takes nothing more, lets what is in flight be confirmed, leaves the rest
     * to the broker, and lets clients know. Idempotent; a second call waits for
     * the first.
     */
    public synchronized void stop() throws InterruptedException {
        if (stopping) {
            return;
        }
        stopping = true;
        Duration grace = config.shutdown().grace();
        Duration closing = grace.dividedBy(CLOSING_SHARE);
        // What arrives from now on stays unsettled, so the broker gives it to the next one.
        intake.stopTaking();
        // Before anybody is turned away or told to leave: the message of one who is gone must not be a dead letter.
        CompletableFuture<Void> drained = loop.drain();
        stopAccepting();
        sockets.announceGoingAway(config.shutdown().spread());
        awaitDrained(drained, grace.minus(closing));
        // Only now, so that the acknowledgements of what was confirmed meanwhile get out (I1), then the rest returns.
        intake.close();
        loop.closeAll(CloseCode.SERVICE_RESTART);
        awaitClosed(closing);
        copies.close();
        receipts.close();
        held.stop(closing);
        loop.stop();
        lanes.stop();
        if (devPages != null) {
            devPages.close();
        }
        sockets.stop();
        if (keys != null) {
            keys.stop();
        }
        admin.stop();
        letters.close();
        depths.close();
        publisher.close();
        metrics.close();
    }

    private void stopAccepting() {
        try {
            sockets.stopAccepting();
        } catch (IOException e) {
            log.warn("The public port could not be closed before the connections: {}", e.toString());
        }
    }

    private void awaitDrained(CompletableFuture<Void> drained, Duration longest) throws InterruptedException {
        try {
            drained.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            log.info(
                    "{} instructions were not settled in time; RabbitMQ keeps them",
                    loop.stats().unsettled());
        } catch (ExecutionException e) {
            throw new IllegalStateException("draining does not fail", e);
        }
    }

    private void awaitClosed(Duration longest) throws InterruptedException {
        long deadline = clock.nanoTime() + longest.toNanos();
        while (sockets.connections() > 0 && clock.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(10_000_000);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    /** Whether only a restart could help if not. */
    boolean isLive() {
        return health.now().live();
    }

    /** How it is now. */
    Health health() {
        return health.now();
    }
}
