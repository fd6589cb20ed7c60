package pushbridge.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Many browsers on few threads: just enough of RFC 6455 to be one, so that the load costs less than what is measured.
 * Text frames are handed over as they lie in the buffer; a ping is answered with its pong, which is what confirms a
 * message of a connection without acknowledgements.
 */
final class Swarm implements AutoCloseable {

    /** Called by the swarm's threads; may not block. */
    interface Listener {

        default void opened(Client client) {}

        /**
         * A text message; the bytes are valid during the call.
         *
         * @param text position and limit are not to be used, nor changed
         */
        void message(Client client, ByteBuffer text, int from, int to);

        /** It could not be opened, or was closed by the other side. */
        default void closed(Client client, String why) {}
    }

    /** Larger than the largest message. */
    private static final int BUFFER = 256 * 1024;

    /** A source address has 28,000 ports, some of them still in TIME_WAIT from the connections before. */
    private static final int CONNECTIONS_PER_ADDRESS = 10_000;

    /** Handshakes at the same time, a quarter of the usual accept queue: a dropped SYN would cost a second. */
    private static final int OPENING_AT_A_TIME = 1_000;

    private static final int TEXT = 1;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    private final int port;
    private final Dialect dialect;
    private final Listener listener;
    private final List<Worker> workers = new ArrayList<>();
    private final AtomicInteger started = new AtomicInteger();

    /** @param threads what the clients may use of the machine; one serves some 100,000 messages a second */
    Swarm(int port, int threads, Listener listener) throws BenchException {
        this(port, threads, Dialect.BRIDGE, listener);
    }

    /** @param dialect what they say to the server */
    Swarm(int port, int threads, Dialect dialect, Listener listener) throws BenchException {
        this.port = port;
        this.dialect = dialect;
        this.listener = listener;
        try {
            for (int i = 0; i < threads; i++) {
                workers.add(new Worker(i, Math.max(1, OPENING_AT_A_TIME / threads)));
            }
        } catch (IOException e) {
            throw new BenchException("cannot make a selector", e);
        }
        workers.forEach(Thread::start);
    }

    /** Opens a connection as a user; returns at once. */
    Client connect(String user, int number) {
        return connect(new Client(user, number, false));
    }

    /** Opens a connection whose client reads the answer to the handshake and nothing after it; returns at once. */
    Client connectDeaf(String user, int number) {
        return connect(new Client(user, number, true));
    }

    private Client connect(Client client) {
        int place = started.getAndIncrement();
        Worker worker = workers.get(place % workers.size());
        worker.orders.add(new Order(client, place / CONNECTIONS_PER_ADDRESS, true));
        worker.selector.wakeup();
        worker.clients.add(client);
        return client;
    }

    /** Closes a connection as a browser tab does that is closed; returns at once. */
    void close(Client client) {
        for (Worker worker : workers) {
            if (worker.clients.remove(client)) {
                worker.orders.add(new Order(client, 0, false));
                worker.selector.wakeup();
            }
        }
    }

    @Override
    public void close() throws BenchException {
        for (Worker worker : workers) {
            worker.stopping = true;
            worker.selector.wakeup();
        }
        try {
            for (Worker worker : workers) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    private record Order(Client client, int sourceAddress, boolean open) {}

    /** A frame that this client does not understand. */
    private static final class ProtocolException extends Exception {
        private static final long serialVersionUID = 1L;

        ProtocolException(String sentence) {
            super(sentence);
        }
    }

    private final class Worker extends Thread {
        private final Selector selector;
        private final int openingAtATime;
        private final Queue<Order> orders = new ConcurrentLinkedQueue<>();
        private final Set<Client> clients = ConcurrentHashMap.newKeySet();
        private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
        private final ByteBuffer out = ByteBuffer.allocateDirect(256);
        private int opening;
        private volatile boolean stopping;

        Worker(int number, int openingAtATime) throws IOException {
            super("pushbridge-bench-client-" + number);
            setDaemon(true);
            this.selector = Selector.open();
            this.openingAtATime = openingAtATime;
        }

        @Override
        public void run() {
            try {
                while (!stopping) {
                    selector.select(this::handle, 1_000);
                    for (Order order = orders.peek(); order != null; order = orders.peek()) {
                        if (order.open() && opening >= openingAtATime) {
                            break;
                        }
                        orders.remove();
                        obey(order);
                    }
                }
                for (SelectionKey key : selector.keys()) {
                    key.channel().close();
                }
                selector.close();
            } catch (IOException e) {
                Console.say("The clients' selector failed: " + e);
            }
        }

        private void obey(Order order) {
            if (order.open()) {
                open(order.client(), order.sourceAddress());
            } else if (order.client().state != Client.State.CLOSED) {
                send(order.client(), CLOSE, new byte[] {0x03, (byte) 0xE9}); // 1001, going away
                end(order.client());
            }
        }

        private void open(Client client, int sourceAddress) {
            opening++;
            try {
                SocketChannel channel = SocketChannel.open();
                client.channel = channel;
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                if (client.deaf) {
                    channel.setOption(StandardSocketOptions.SO_RCVBUF, 4 * 1024);
                }
                channel.bind(new InetSocketAddress(loopback(2 + sourceAddress % 200), 0));
                channel.register(selector, SelectionKey.OP_CONNECT, client);
                if (channel.connect(new InetSocketAddress(loopback(1), port))) {
                    handshake(client, channel);
                }
            } catch (IOException e) {
                lost(client, "connecting failed: " + e.getMessage());
            }
        }

        private static InetAddress loopback(int host) throws IOException {
            return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) host});
        }

        private void handle(SelectionKey key) {
            Client client = (Client) key.attachment();
            SocketChannel channel = (SocketChannel) key.channel();
            try {
                if (key.isConnectable() && channel.finishConnect()) {
                    handshake(client, channel);
                }
                if (key.isValid() && key.isWritable()) {
                    write(client, channel);
                }
                if (key.isValid() && key.isReadable()) {
                    read(client, channel);
                }
            } catch (IOException e) {
                lost(client, "lost: " + e.getMessage());
            } catch (ProtocolException e) {
                lost(client, String.valueOf(e.getMessage()));
            }
        }

        private void handshake(Client client, SocketChannel channel) throws IOException {
            SelectionKey key = channel.keyFor(selector);
            if (key != null) {
                key.interestOps(SelectionKey.OP_READ);
            }
            // The key is any 16 bytes; the answer to it is not checked.
            String request = "GET " + dialect.pathOf(client.user) + " HTTP/1.1\r\nHost: 127.0.0.1:" + port
                    + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
                    + "\r\nSec-WebSocket-Version: 13\r\n" + dialect.headers() + "\r\n";
            write(client, channel, ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
        }

        private void read(Client client, SocketChannel channel) throws IOException, ProtocolException {
            in.clear();
            byte[] rest = client.rest;
            if (rest != null) {
                in.put(rest);
                client.rest = null;
            }
            int got = channel.read(in);
            in.flip();
            if (client.state == Client.State.CONNECTING && !upgraded(client)) {
                if (got < 0) {
                    throw new ProtocolException("refused without an answer");
                }
                keepRest(client);
                return;
            }
            while (client.state == Client.State.OPEN && frame(client)) {
                // the next
            }
            acknowledge(client);
            if (client.state == Client.State.OPEN) {
                if (got < 0) {
                    lost(client, "ended without a close frame");
                } else {
                    keepRest(client);
                }
            }
        }

        private void acknowledge(Client client) {
            int count = client.messages.get();
            if (dialect.acknowledging() && count > client.acknowledged) {
                client.acknowledged = count;
                send(client, TEXT, Text.ack(count));
            }
        }

        private void keepRest(Client client) {
            if (in.hasRemaining()) {
                byte[] rest = new byte[in.remaining()];
                in.get(rest);
                client.rest = rest;
            }
        }

        /** Whether the answer to the handshake is complete. */
        private boolean upgraded(Client client) throws ProtocolException {
            for (int i = 3; i < in.limit(); i++) {
                if (in.get(i) == '\n' && in.get(i - 1) == '\r' && in.get(i - 2) == '\n' && in.get(i - 3) == '\r') {
                    byte[] head = new byte[i + 1];
                    in.get(head);
                    String answer = new String(head, StandardCharsets.ISO_8859_1);
                    if (!answer.startsWith("HTTP/1.1 101")) {
                        throw new ProtocolException(
                                "refused: " + answer.lines().findFirst().orElse("no answer"));
                    }
                    opening--;
                    client.openedNanos = System.nanoTime();
                    client.state = Client.State.OPEN;
                    for (String text : dialect.greeting()) {
                        send(client, TEXT, text.getBytes(StandardCharsets.US_ASCII));
                    }
                    SocketChannel channel = client.channel;
                    if (client.deaf && channel != null) {
                        interest(channel, 0);
                    }
                    listener.opened(client);
                    return true;
                }
            }
            return false;
        }

        /** Takes one frame from the buffer; false when its end has not arrived. */
        private boolean frame(Client client) throws ProtocolException {
            int start = in.position();
            int available = in.remaining();
            if (available < 2) {
                return false;
            }
            int first = in.get(start) & 0xFF;
            int second = in.get(start + 1) & 0xFF;
            int header = 2;
            long length = second & 0x7F;
            if (length == 126) {
                header = 4;
                length = available < header ? 0 : in.getShort(start + 2) & 0xFFFF;
            } else if (length == 127) {
                header = 10;
                length = available < header ? 0 : in.getLong(start + 2);
            }
            if (available < header + length) {
                if (header + length > in.capacity()) {
                    throw new ProtocolException("a frame of " + length + " bytes is too large for this client");
                }
                return false;
            }
            if ((first & 0xF0) != 0x80 || (second & 0x80) != 0) {
                throw new ProtocolException("a fragmented, compressed or masked frame");
            }
            int from = start + header;
            int to = from + (int) length;
            in.position(to);
            switch (first & 0x0F) {
                case TEXT -> {
                    if (dialect.acknowledging() ? Text.isNoMessage(in, from, to) : !Text.startsAsMessage(in, from)) {
                        return true;
                    }
                    if (client.firstMessageNanos == 0) {
                        client.firstMessageNanos = System.nanoTime();
                    }
                    listener.message(client, in, from, to);
                    client.messages.incrementAndGet();
                }
                case PING -> {
                    byte[] payload = new byte[to - from];
                    in.get(from, payload);
                    send(client, PONG, payload);
                }
                case CLOSE -> {
                    int code = length < 2 ? 1005 : in.getShort(from) & 0xFFFF;
                    lost(client, "closed with " + code);
                }
                default -> {
                    // a pong to nothing
                }
            }
            return true;
        }

        private void send(Client client, int opcode, byte[] payload) {
            SocketChannel channel = client.channel;
            if (channel == null || !channel.isConnected()) {
                return;
            }
            int mask = ThreadLocalRandom.current().nextInt();
            out.clear();
            out.put((byte) (0x80 | opcode)).put((byte) (0x80 | payload.length)).putInt(mask);
            for (int i = 0; i < payload.length; i++) {
                out.put((byte) (payload[i] ^ (mask >>> (24 - 8 * (i & 3)))));
            }
            out.flip();
            try {
                write(client, channel, out);
            } catch (IOException e) {
                lost(client, "lost: " + e.getMessage());
            }
        }

        private void write(Client client, SocketChannel channel, ByteBuffer bytes) throws IOException {
            ByteBuffer before = client.unwritten;
            if (before == null) {
                channel.write(bytes);
            }
            if (bytes.hasRemaining() || before != null) {
                ByteBuffer all = ByteBuffer.allocate(bytes.remaining() + (before == null ? 0 : before.remaining()));
                if (before != null) {
                    all.put(before);
                }
                client.unwritten = all.put(bytes).flip();
                interest(channel, SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            }
        }

        private void write(Client client, SocketChannel channel) throws IOException {
            ByteBuffer before = client.unwritten;
            if (before != null) {
                channel.write(before);
                if (before.hasRemaining()) {
                    return;
                }
                client.unwritten = null;
            }
            interest(channel, SelectionKey.OP_READ);
        }

        private void interest(SocketChannel channel, int operations) {
            SelectionKey key = channel.keyFor(selector);
            if (key != null && key.isValid()) {
                key.interestOps(operations);
            }
        }

        private void lost(Client client, String why) {
            if (client.state != Client.State.CLOSED) {
                end(client);
                clients.remove(client);
                listener.closed(client, why);
            }
        }

        private void end(Client client) {
            if (client.state == Client.State.CONNECTING) {
                opening--;
            }
            client.state = Client.State.CLOSED;
            client.rest = null;
            SocketChannel channel = client.channel;
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException e) {
                    Console.say("Closing a client's socket failed: " + e);
                }
            }
        }
    }
}
