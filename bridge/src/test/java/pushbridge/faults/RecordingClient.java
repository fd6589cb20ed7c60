package pushbridge.faults;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A page of one user: comes back by itself, tries the bridges in turn, acknowledges as agreed, and keeps every frame in
 * the order it saw them. Thread-safe.
 */
final class RecordingClient implements AutoCloseable {

    /** How a page behaves. */
    enum Kind {
        /** Whatever speaks WebSocket. */
        PLAIN,
        /** Acknowledges, and looks after the connection with pings of its own, as the client library does. */
        V1,
        /** The same, but gathers acknowledgements for a while: more is in flight when something breaks. */
        LAZY_V1
    }

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static final long PING_SECONDS = 1;
    private static final long LAZY_MILLIS = 300;
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(6);

    /** The bridge pings more often than this. */
    private static final long SUSPICIOUS_NANOS = TimeUnit.SECONDS.toNanos(4);

    private final String user;
    private final Kind kind;
    private final List<URI> servers;
    private final ScheduledExecutorService timer;
    private final Consumer<String> envelopes;
    private final Random random;

    private final List<String> texts = new ArrayList<>();
    private @Nullable Link current;
    private int attempts;
    private boolean here;
    private boolean reads = true;
    private int connections;
    /** How long each bridge that went away asked it to wait, in milliseconds. */
    private final List<Long> delays = new ArrayList<>();
    /** How long the bridge that goes away asks it to wait, in milliseconds; -1 when none does. */
    private long askedToWait = -1;

    /**
     * @param servers as {@code ws://127.0.0.1:8080/ws}
     * @param envelopes told each envelope's text; called on the client library's threads
     */
    RecordingClient(
            String user,
            Kind kind,
            List<URI> servers,
            ScheduledExecutorService timer,
            Consumer<String> envelopes,
            long seed) {
        this.user = user;
        this.kind = kind;
        this.servers = servers;
        this.timer = timer;
        this.envelopes = envelopes;
        this.random = new Random(seed);
    }

    String user() {
        return user;
    }

    /** Every envelope so far, in the order of arrival, over all connections. */
    synchronized List<String> texts() {
        return List.copyOf(texts);
    }

    /** The same, which are then forgotten. */
    synchronized List<String> takeTexts() {
        List<String> taken = List.copyOf(texts);
        texts.clear();
        return taken;
    }

    /** Whether it is to be connected at present. */
    synchronized boolean here() {
        return here;
    }

    synchronized boolean connected() {
        return current != null && current.open;
    }

    /** Connections opened so far. */
    synchronized int connections() {
        return connections;
    }

    /** Whether the bridge tells it when to come back. */
    boolean isTold() {
        return kind != Kind.PLAIN;
    }

    /** How long bridges that went away asked it to wait since the last call, in milliseconds; it does wait that long. */
    synchronized List<Long> takeDelays() {
        List<Long> taken = List.copyOf(delays);
        delays.clear();
        return taken;
    }

    /** Connects, and keeps connecting. */
    synchronized void come() {
        if (!here) {
            here = true;
            connectLater(0);
        }
    }

    /** Goes without a word. */
    synchronized void leave() {
        here = false;
        drop();
    }

    /** Loses the connection without a word and comes back at once. */
    synchronized void reconnect() {
        drop();
        connectLater(0);
    }

    /** Reads nothing any more, not even pings. */
    synchronized void stall() {
        reads = false;
    }

    /** Reads again. */
    synchronized void resume() {
        reads = true;
        Link link = current;
        if (link != null && link.socket != null) {
            link.socket.request(1);
        }
    }

    @Override
    public void close() {
        leave();
    }

    private void drop() {
        Link link = current;
        current = null;
        if (link != null && link.socket != null) {
            link.socket.abort();
        }
    }

    private synchronized void connectLater(long millis) {
        if (!here || timer.isShutdown()) {
            return;
        }
        Link link = new Link();
        current = link;
        try {
            var unused = timer.schedule(link::connect, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            here = false; // the run is over
        }
    }

    /** One connection, from the attempt to its end. */
    private final class Link implements WebSocket.Listener {
        private final StringBuilder partial = new StringBuilder();
        private @Nullable WebSocket socket; // guarded by the client
        private volatile boolean open;
        private long handled; // guarded by the client
        private long acknowledged; // guarded by the client
        private boolean sending; // guarded by the client
        private boolean pingDue; // guarded by the client
        private volatile long heardAt;

        void connect() {
            WebSocket.Builder builder = HTTP.newWebSocketBuilder().connectTimeout(Duration.ofSeconds(5));
            if (kind != Kind.PLAIN) {
                builder.subprotocols("pushbridge.v1");
            }
            URI server;
            synchronized (RecordingClient.this) {
                if (current != this) {
                    return;
                }
                server = servers.get(Math.floorMod(attempts++, servers.size()));
            }
            var unused = builder.buildAsync(URI.create(server + "?channels=news&user=" + user), this)
                    .whenComplete((opened, failure) -> {
                        if (failure != null) {
                            ended();
                        }
                    });
        }

        @Override
        public void onOpen(WebSocket webSocket) {
            heardAt = System.nanoTime();
            synchronized (RecordingClient.this) {
                if (current != this) {
                    webSocket.abort();
                    return;
                }
                socket = webSocket;
                open = true;
                attempts--; // this one works: it is the first to be tried again
                connections++;
                if (reads) {
                    webSocket.request(1);
                }
            }
            lookLater();
        }

        private void lookLater() {
            var unused = timer.schedule(kind == Kind.PLAIN ? this::probe : this::look, PING_SECONDS, TimeUnit.SECONDS);
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            heardAt = System.nanoTime();
            partial.append(data);
            if (last) {
                String text = partial.toString();
                partial.setLength(0);
                received(text);
            }
            readOn(webSocket);
            return null;
        }

        private void received(String text) {
            if (Frame.isService(text)) {
                long delay = Frame.goingAwayMillis(text);
                if (delay >= 0) {
                    synchronized (RecordingClient.this) {
                        askedToWait = delay;
                        delays.add(delay);
                    }
                }
                return;
            }
            synchronized (RecordingClient.this) {
                if (current != this) {
                    return; // a page hears nothing of a socket that it has given up
                }
                texts.add(text);
                handled++;
                if (kind == Kind.V1) {
                    send();
                } else if (kind == Kind.LAZY_V1 && handled == acknowledged + 1) {
                    var unused = timer.schedule(this::send, LAZY_MILLIS, TimeUnit.MILLISECONDS);
                }
            }
            envelopes.accept(text);
        }

        /** Acknowledgements and pings, one at a time, as the library wants it. */
        private void send() {
            synchronized (RecordingClient.this) {
                WebSocket to = socket;
                if (kind == Kind.PLAIN || sending || current != this || to == null) {
                    return;
                }
                String text;
                if (pingDue) {
                    pingDue = false;
                    text = "{\"type\":\"ping\"}";
                } else if (handled > acknowledged) {
                    acknowledged = handled;
                    text = "{\"type\":\"ack\",\"count\":" + handled + "}";
                } else {
                    return;
                }
                sending = true;
                var unused = to.sendText(text, true).whenComplete((sent, failure) -> {
                    synchronized (RecordingClient.this) {
                        sending = false;
                    }
                    if (failure == null) {
                        send();
                    }
                });
            }
        }

        private void look() {
            synchronized (RecordingClient.this) {
                if (current != this || timer.isShutdown()) {
                    return;
                }
                if (reads && System.nanoTime() - heardAt > SILENCE_NANOS) {
                    attempts++; // the next one, if there is another
                    drop();
                    connectLater(0);
                    return;
                }
                pingDue = true;
            }
            send();
            lookLater();
        }

        /**
         * The JDK's client does not tell of an end that comes right behind the first frames (JDK 17: some 6 of 1,000 such
         * connections stay open for it), as every browser does. Whoever hears nothing writes something: that fails when
         * the connection has ended, and only then. One that a bridge has open but forgotten is not mended by it.
         */
        private void probe() {
            synchronized (RecordingClient.this) {
                WebSocket to = socket;
                if (current != this || to == null || timer.isShutdown()) {
                    return;
                }
                if (reads && System.nanoTime() - heardAt > SUSPICIOUS_NANOS) {
                    var unused = to.sendPing(ByteBuffer.allocate(0)).whenComplete((sent, failure) -> {
                        if (failure != null) {
                            ended();
                        }
                    });
                }
            }
            lookLater();
        }

        private void readOn(WebSocket webSocket) {
            synchronized (RecordingClient.this) {
                if (reads) {
                    webSocket.request(1);
                }
            }
        }

        @Override
        public @Nullable CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
            heardAt = System.nanoTime();
            readOn(webSocket);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
            ended();
            return null;
        }

        @Override
        public void onError(WebSocket webSocket, Throwable error) {
            ended();
        }

        private void ended() {
            synchronized (RecordingClient.this) {
                if (current == this) {
                    open = false;
                    connectLater(askedToWait >= 0 ? askedToWait : 50 + random.nextInt(200));
                    askedToWait = -1;
                }
            }
        }
    }
}
