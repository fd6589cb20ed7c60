package pushbridge.faults;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Thousands of pages on one thread: each one a connection of {@code pushbridge.v1} that acknowledges what it gets, comes
 * back by itself, and waits before that as long as a bridge that goes away asks for. Of what it gets it keeps two numbers:
 * the first sights of an address must count up by one, so anything lost or out of order is a problem, and the last one says
 * whether it has everything. Just enough of RFC 6455, so that the crowd costs less than what it plays with; what is not
 * looked at here, {@link RecordingClient} looks at beside it.
 */
final class LightCrowd implements AutoCloseable {

    private static final int TEXT = 1;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    /** Larger than the largest message of a run. */
    private static final int BUFFER = 64 * 1024;

    /** Handshakes under way at the same time: the listener's queue holds some more. */
    private static final int MOST_OPENING = 50;

    private static final byte[] MASK = {0x12, 0x34, 0x56, 0x78};

    private final List<URI> servers;
    private final Consumer<String> news;
    private final List<Page> pages = new ArrayList<>();
    private final Selector selector;
    private final Thread thread = new Thread(this::run, "light-crowd");
    private final Random random;
    private final AtomicInteger connected = new AtomicInteger();
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();
    private final Queue<Long> delays = new ConcurrentLinkedQueue<>();
    private volatile boolean closing;

    // The crowd's thread only.
    private final PriorityQueue<Page> due = new PriorityQueue<>(Comparator.comparingLong((Page page) -> page.dueNanos));
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    private int opening;

    /**
     * Starts nothing yet.
     *
     * @param users whose pages they are
     * @param servers as {@code ws://127.0.0.1:8080/ws}; the list may grow until the start
     * @param news told address and seq of every envelope of a user, on the crowd's thread
     */
    LightCrowd(List<String> users, List<URI> servers, Consumer<String> news, long seed) throws IOException {
        this.servers = servers;
        this.news = news;
        this.random = new Random(seed);
        selector = Selector.open();
        users.forEach(user -> pages.add(new Page(user)));
    }

    void start() {
        long now = System.nanoTime();
        for (Page page : pages) {
            page.dueNanos = now;
            due.add(page);
        }
        thread.setDaemon(true);
        thread.start();
    }

    int size() {
        return pages.size();
    }

    int connected() {
        return connected.get();
    }

    /** What should not have happened; empty when all is well. */
    List<String> problems() {
        return List.copyOf(problems);
    }

    /** How long bridges asked them to wait, in milliseconds; then forgotten. */
    List<Long> takeDelays() {
        List<Long> taken = new ArrayList<>();
        for (Long delay = delays.poll(); delay != null; delay = delays.poll()) {
            taken.add(delay);
        }
        return taken;
    }

    /** The highest seq of a page's user that it has got, by the page's number. */
    long last(int page) {
        return pages.get(page).last;
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        selector.wakeup();
        if (thread.isAlive()) {
            thread.join();
        }
    }

    /** One page; everything but {@link #last} on the crowd's thread. */
    private static final class Page {
        private final String user;
        private volatile long last;
        private long dueNanos;
        private int server;
        private @Nullable SocketChannel channel;
        private boolean open;
        /** What has been read and is no whole frame yet; null when nothing. */
        private byte @Nullable [] partial;
        /** What the kernel did not take; null when nothing. */
        private @Nullable ByteBuffer unsent;

        private long handled;
        private long acknowledged;
        private long askedToWaitMillis = -1;

        Page(String user) {
            this.user = user;
        }
    }

    private void run() {
        try (Selector closedAtTheEnd = selector) {
            while (!closing) {
                closedAtTheEnd.select(this::handle, 20);
                long now = System.nanoTime();
                while (opening < MOST_OPENING && !due.isEmpty() && due.peek().dueNanos - now <= 0) {
                    open(due.remove());
                }
            }
            for (SelectionKey key : closedAtTheEnd.keys()) {
                key.channel().close();
            }
        } catch (IOException | RuntimeException e) {
            problems.add("the crowd ended: " + e);
        }
    }

    private void open(Page page) {
        URI server = servers.get(page.server % servers.size());
        opening++;
        try {
            SocketChannel channel = SocketChannel.open();
            page.channel = channel;
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.register(selector, SelectionKey.OP_CONNECT, page);
            if (channel.connect(new InetSocketAddress(server.getHost(), server.getPort()))) {
                greet(page);
            }
        } catch (IOException e) {
            ended(page);
        }
    }

    private void greet(Page page) throws IOException {
        URI server = servers.get(page.server % servers.size());
        channel(page).keyFor(selector).interestOps(SelectionKey.OP_READ);
        String request = """
                GET %s?user=%s HTTP/1.1
                Host: %s:%d
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Protocol: pushbridge.v1

                """.formatted(server.getPath(), page.user, server.getHost(), server.getPort());
        send(page, ByteBuffer.wrap(request.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII)));
    }

    private static SocketChannel channel(Page page) {
        if (page.channel == null) {
            throw new IllegalStateException("the page of " + page.user + " has no connection");
        }
        return page.channel;
    }

    private void handle(SelectionKey key) {
        Page page = (Page) key.attachment();
        try {
            if (key.isConnectable()) {
                channel(page).finishConnect();
                greet(page);
            } else if (key.isWritable()) {
                ByteBuffer rest = page.unsent;
                page.unsent = null;
                key.interestOps(SelectionKey.OP_READ);
                if (rest != null) {
                    send(page, rest);
                }
            } else {
                read(page);
            }
        } catch (IOException e) {
            ended(page); // refused, reset: as for a browser
        }
    }

    private void read(Page page) throws IOException {
        in.clear();
        if (page.partial != null) {
            in.put(page.partial);
            page.partial = null;
        }
        if (channel(page).read(in) < 0) {
            ended(page);
            return;
        }
        in.flip();
        if (!page.open && !answered(page)) {
            return;
        }
        while (in.remaining() >= 2 && page.channel != null) {
            int start = in.position();
            int opcode = in.get() & 0x0F;
            int length = in.get() & 0x7F;
            if (length == 127) {
                throw new IllegalStateException("a frame larger than any message of a run");
            }
            if (length == 126) {
                length = in.remaining() < 2 ? Integer.MAX_VALUE : in.getShort() & 0xFFFF;
            }
            if (in.remaining() < length) {
                in.position(start);
                break;
            }
            byte[] payload = new byte[length];
            in.get(payload);
            frame(page, opcode, payload);
        }
        if (page.channel != null) {
            keep(page);
            acknowledge(page);
        }
    }

    private void keep(Page page) {
        if (in.hasRemaining()) {
            page.partial = new byte[in.remaining()];
            in.get(page.partial);
        }
    }

    /** Whether the handshake is over; what follows it stays in the buffer. */
    private boolean answered(Page page) {
        byte[] bytes = new byte[in.remaining()];
        in.duplicate().get(bytes);
        String head = new String(bytes, StandardCharsets.ISO_8859_1);
        int end = head.indexOf("\r\n\r\n");
        if (end < 0) {
            keep(page);
            return false;
        }
        if (!head.startsWith("HTTP/1.1 101")) {
            page.server++; // this one serves nobody: the next
            ended(page);
            return false;
        }
        in.position(in.position() + end + 4);
        page.open = true;
        page.handled = 0;
        page.acknowledged = 0;
        opening--;
        connected.incrementAndGet();
        return true;
    }

    private void frame(Page page, int opcode, byte[] payload) throws IOException {
        switch (opcode) {
            case TEXT -> text(page, new String(payload, StandardCharsets.UTF_8));
            case PING -> send(page, PONG, payload);
            case CLOSE -> {
                send(page, CLOSE, payload);
                ended(page);
            }
            default -> throw new IllegalStateException("a frame with opcode " + opcode);
        }
    }

    private void text(Page page, String text) {
        if (text.startsWith("{\"type\":\"bridge.")) {
            long delay = Frame.goingAwayMillis(text);
            if (delay >= 0) {
                page.askedToWaitMillis = delay;
                delays.add(delay);
            }
            return;
        }
        // As the publisher writes it: the seq, then the address, at the end.
        int at = text.lastIndexOf("\"seq\":") + 6;
        int comma = text.indexOf(',', at);
        long seq = Long.parseLong(text.substring(at, comma));
        if (!text.endsWith(",\"to\":\"user." + page.user + "\"}")) {
            problems.add(page.user + " got what is not for it: " + text);
            return;
        }
        page.handled++;
        if (seq == page.last + 1) {
            page.last = seq;
            news.accept(Frame.key("user." + page.user, seq));
        } else if (seq > page.last) {
            problems.add("%s got %d behind %d".formatted(page.user, seq, page.last)); // one is lost, or comes too late
            page.last = seq;
        }
    }

    private void acknowledge(Page page) throws IOException {
        if (page.handled > page.acknowledged) {
            page.acknowledged = page.handled;
            send(page, TEXT, ("{\"type\":\"ack\",\"count\":" + page.handled + "}").getBytes(StandardCharsets.US_ASCII));
        }
    }

    private void send(Page page, int opcode, byte[] payload) throws IOException {
        if (payload.length > 125) {
            throw new IllegalStateException("a page never says that much");
        }
        ByteBuffer frame = ByteBuffer.allocate(6 + payload.length);
        frame.put((byte) (0x80 | opcode)).put((byte) (0x80 | payload.length)).put(MASK);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ MASK[i & 3]));
        }
        send(page, frame.flip());
    }

    private void send(Page page, ByteBuffer bytes) throws IOException {
        ByteBuffer before = page.unsent;
        if (before != null) {
            page.unsent = ByteBuffer.allocate(before.remaining() + bytes.remaining())
                    .put(before)
                    .put(bytes)
                    .flip();
            return;
        }
        SocketChannel channel = channel(page);
        channel.write(bytes);
        if (bytes.hasRemaining()) {
            page.unsent = bytes;
            channel.keyFor(selector).interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        }
    }

    /** The connection is over, or never was: it is tried again when a page would. */
    private void ended(Page page) {
        SocketChannel channel = page.channel;
        if (channel == null) {
            return;
        }
        page.channel = null;
        page.partial = null;
        page.unsent = null;
        if (page.open) {
            page.open = false;
            connected.decrementAndGet();
        } else {
            opening--;
            page.server++;
        }
        try {
            channel.close();
        } catch (IOException e) {
            problems.add("a connection cannot be closed: " + e);
        }
        long millis = page.askedToWaitMillis >= 0 ? page.askedToWaitMillis : 50 + random.nextInt(200);
        page.askedToWaitMillis = -1;
        page.dueNanos = System.nanoTime() + millis * 1_000_000;
        due.add(page);
    }
}
