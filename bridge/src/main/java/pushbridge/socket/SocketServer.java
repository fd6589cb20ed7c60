package pushbridge.socket;

import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.glassfish.grizzly.filterchain.FilterChain;
import org.glassfish.grizzly.filterchain.FilterChainBuilder;
import org.glassfish.grizzly.filterchain.TransportFilter;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.HttpServer;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.nio.ChannelConfigurator;
import org.glassfish.grizzly.nio.NIOTransport;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.glassfish.grizzly.nio.transport.TCPNIOTransportBuilder;
import org.glassfish.grizzly.strategies.SameThreadIOStrategy;
import org.glassfish.grizzly.threadpool.ThreadPoolConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.OutboxConfig;
import pushbridge.config.SocketConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.CloseCode;
import pushbridge.envelope.ClientFrameReader;
import pushbridge.outbox.OutboxTotals;
import pushbridge.timing.Durations;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsFilter;

/**
 * The public listener. Constructing it opens nothing; {@link #start()} does. Each of its selector threads accepts, reads
 * and writes the connections that are its own; one more thread watches the deadlines of all.
 */
public final class SocketServer {

    /** How a connection ends when the bridge did not close it with a code; see {@link #ended()}. */
    public static final List<String> OTHER_ENDS =
            List.of(PushConnection.ENDED_BY_CLIENT, PushConnection.ENDED_GONE, PushConnection.ENDED_UNRESPONSIVE);

    /** Why a connection never became a WebSocket; see {@link #refused()}. */
    public static final List<String> REFUSALS = Refusal.slugs();

    private static final Duration SWEEP_INTERVAL = Duration.ofSeconds(1);

    /** Header of a client's frame at its longest: two bytes, eight of length, four of mask. */
    private static final int MAX_FRAME_HEADER = 14;

    private static final Logger log = LoggerFactory.getLogger(SocketServer.class);

    private final @Nullable ServerTls tls;
    private final Clock clock;
    private final OutboxTotals totals;
    private final Connections connections;
    private final RefusalCounts refusals = new RefusalCounts();
    private final Arrivals arrivals;
    private final AddressGuard addresses;
    private final PushContainer container;
    private final TCPNIOTransport transport;
    private final NetworkListener listener;
    private final HttpServer http;
    private final Durations publishedToWritten = new Durations();
    private final CountDownLatch stopped = new CountDownLatch(1);

    /**
     * @param totals told what waits for all clients together
     * @param gate decides who may connect
     * @param standby whether this process leaves the work to another; asked at every handshake
     * @param sessions told of every connection that opens
     * @param tls null for plain TCP
     */
    public SocketServer(
            SocketConfig config,
            OutboxConfig outbox,
            OutboxTotals totals,
            HandshakeGate gate,
            BooleanSupplier standby,
            Sessions sessions,
            Clock clock,
            @Nullable ServerTls tls) {
        this.tls = tls;
        this.totals = totals;
        this.clock = clock;
        connections = new Connections(config.maxConnectionsPerUser());
        arrivals = new Arrivals(clock, config.handshakeTimeout().toNanos(), refusals);
        // A frame may be whole but for its last byte when the next slice comes.
        container = new PushContainer(config.maxFrameBytes() + MAX_FRAME_HEADER + PushConnection.SLICE_BYTES);
        container.deploy(PushEndpoint.at(config.path()));
        TlsFilter tlsFilter = tls == null ? null : new TlsFilter(tls);
        FilterChainBuilder webSocket = FilterChainBuilder.stateless().add(new TransportFilter());
        if (tlsFilter != null) {
            webSocket.add(tlsFilter);
        }
        FilterChain webSocketChain = webSocket.add(new WebSocketFilter()).build();
        transport = transport(config);
        listener = new NetworkListener("pushbridge", config.host(), config.port());
        listener.setTransport(transport);
        listener.setMaxHttpHeaderSize(config.maxHeaderBytes());
        Proxies proxies = new Proxies(config.proxies());
        addresses = new AddressGuard(config, proxies, clock);
        UpgradeFilter upgrade = new UpgradeFilter(
                new PushConnection.Surroundings(
                        config,
                        outbox,
                        totals,
                        clock,
                        sessions,
                        connections,
                        gate,
                        new ClientFrameReader(),
                        publishedToWritten),
                arrivals,
                addresses,
                refusals,
                gate,
                standby,
                container.getWebSocketEngine(),
                webSocketChain);
        listener.registerAddOn(new UpgradeAddOn(upgrade, new ProxyProtocolFilter(proxies, refusals), tlsFilter));
        http = new HttpServer();
        http.getServerConfiguration().setName("pushbridge");
        http.addListener(listener);
    }

    private static TCPNIOTransport transport(SocketConfig config) {
        TCPNIOTransport transport = TCPNIOTransportBuilder.newInstance()
                // Without a hand-over to a pool: what is done for a connection is short and never blocks.
                .setIOStrategy(SameThreadIOStrategy.getInstance())
                .setSelectorThreadPoolConfig(ThreadPoolConfig.defaultConfig()
                        .setPoolName("pushbridge-socket")
                        .setCorePoolSize(config.selectors())
                        .setMaxPoolSize(config.selectors()))
                .setSelectorRunnersCount(config.selectors())
                .setTcpNoDelay(true)
                .build();
        transport.setChannelConfigurator(new ChannelConfigurator() {
            @Override
            public void preConfigure(NIOTransport nio, SelectableChannel channel) throws IOException {
                TCPNIOTransport.DEFAULT_CHANNEL_CONFIGURATOR.preConfigure(nio, channel);
                if (channel instanceof SocketChannel socket) {
                    // Grizzly's own setting only ever raises it, and the kernel tunes itself up to megabytes: "written"
                    // would mean nothing, and slow clients would fill memory that no outbox counts. (I5)
                    socket.setOption(StandardSocketOptions.SO_SNDBUF, config.sendBufferBytes());
                }
            }

            @Override
            public void postConfigure(NIOTransport nio, SelectableChannel channel) throws IOException {
                TCPNIOTransport.DEFAULT_CHANNEL_CONFIGURATOR.postConfigure(nio, channel);
            }
        });
        return transport;
    }

    /**
     * Answers plain HTTP on this listener. The handler runs on a selector thread and must not block.
     *
     * @param below the path itself and all below it; the longest that fits wins, and "/" takes what no other does
     */
    public void answerHttp(HttpHandler handler, String below) {
        http.getServerConfiguration().addHttpHandler(handler, below);
    }

    /** Opens the port. */
    public void start() throws IOException {
        http.start();
        if (tls != null) {
            tls.start();
        }
        Thread sweeper = new Thread(this::sweepUntilStopped, "pushbridge-socket-sweep");
        sweeper.setDaemon(true);
        sweeper.start();
    }

    private void sweepUntilStopped() {
        try {
            while (!stopped.await(SWEEP_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    sweep();
                } catch (RuntimeException e) {
                    // Without deadlines a dead peer stays for ever: the next sweep must come.
                    log.error("A sweep over the connections failed; the next one follows", e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Enforces every deadline that has passed. */
    void sweep() {
        long now = clock.nanoTime();
        arrivals.sweep(now);
        for (PushConnection connection : connections.open()) {
            try {
                connection.sweep(now);
            } catch (RuntimeException e) {
                // One that fails each time must not keep those behind it from their deadlines.
                log.error("The sweep failed for one connection; the others follow", e);
            }
        }
    }

    /** The port listened on, which the configuration may have left open. */
    public int port() {
        return listener.getPort();
    }

    /** Closes the port; connections stay. */
    public void stopAccepting() throws IOException {
        transport.unbindAll();
    }

    /**
     * Tells {@code pushbridge.v1} clients that this process is going away, each with its own random delay after which to
     * come back, so that they do not all arrive at once. The connections stay open.
     *
     * @param spread the longest such delay
     */
    public void announceGoingAway(Duration spread) {
        long longest = Math.max(1, spread.toMillis());
        connections
                .open()
                .forEach(connection -> connection.announceGoingAway(
                        Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest))));
    }

    /** Ends whatever is still connected, closes the port and ends the threads. Idempotent. */
    public void stop() {
        stopped.countDown();
        if (tls != null) {
            tls.stop();
        }
        http.shutdownNow();
        container.stop();
    }

    /** Open WebSockets, those included that are being closed. */
    public int connections() {
        return connections.open().size();
    }

    /**
     * Looks at the open WebSockets; takes time with their number.
     *
     * @param which by user, null for an anonymous client
     * @param most how many to tell of
     */
    public OpenConnections look(Predicate<@Nullable String> which, int most) {
        PriorityQueue<PushConnection> newest =
                new PriorityQueue<>(Comparator.comparingLong(PushConnection::openedMillis));
        int open = 0;
        int matching = 0;
        for (PushConnection connection : connections.open()) {
            open++;
            if (which.test(connection.user())) {
                matching++;
                newest.add(connection);
                if (newest.size() > most) {
                    newest.remove();
                }
            }
        }
        List<OpenConnection> shown = new ArrayList<>(newest.size());
        while (!newest.isEmpty()) {
            shown.add(0, newest.remove().shown());
        }
        return new OpenConnections(open, matching, shown);
    }

    /**
     * Closes one connection.
     *
     * @return what it was; null when there is none of that id
     */
    public @Nullable OpenConnection close(String id, CloseCode code) {
        for (PushConnection connection : connections.open()) {
            if (connection.id().equals(id)) {
                OpenConnection shown = connection.shown();
                connection.close(code);
                return shown;
            }
        }
        return null;
    }

    /** What is counted of each client address. */
    Addresses addresses() {
        return addresses.addresses();
    }

    /** TCP connections that are no WebSockets: handshakes that are not finished, and requests to HTTP handlers. */
    public int arrivals() {
        return arrivals.count();
    }

    /** From the publish of a message until the kernel has taken it for a client; of each write, the first that tells. */
    public Durations publishedToWritten() {
        return publishedToWritten;
    }

    /** The bound on handshakes of all clients together. */
    public RateLimiterRegistry rates() {
        return addresses.rates();
    }

    /** Bytes that wait for all clients together. */
    public long pendingBytes() {
        return totals.bytes();
    }

    /**
     * How many connections have ended, by how: the slug of the {@linkplain pushbridge.delivery.CloseCode close code}, or
     * {@code client} for its own close frame, {@code gone} for a broken connection, {@code unresponsive} for a client
     * that no longer answered.
     */
    public Map<String, Long> ended() {
        return connections.ends();
    }

    /** How many connections never became WebSockets, by one of {@link #REFUSALS}; what was no HTTP at all is not counted. */
    public Map<String, Long> refused() {
        return refusals.all();
    }
}
