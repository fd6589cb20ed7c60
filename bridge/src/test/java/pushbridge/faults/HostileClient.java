package pushbridge.faults;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Connects, never reads a frame, goes without a word after a while, and begins again, for as long as it is let. */
final class HostileClient implements AutoCloseable {

    /** Little for the kernel to take in its place. */
    private static final int RECEIVE_BUFFER = 4_096;

    private static final int PATIENCE_MILLIS = 5_000;

    private final URI server;
    private final String user;
    private final Random random;
    private final AtomicInteger connections = new AtomicInteger();
    private final Thread thread = new Thread(this::run, "hostile");
    private volatile boolean closed;

    HostileClient(URI server, String user, long seed) {
        this.server = server;
        this.user = user;
        this.random = new Random(seed);
        thread.setDaemon(true);
        thread.start();
    }

    /** Connections opened so far. */
    int connections() {
        return connections.get();
    }

    private void run() {
        try {
            while (!closed) {
                try (Socket socket = new Socket()) {
                    socket.setReceiveBufferSize(RECEIVE_BUFFER);
                    socket.setSoTimeout(PATIENCE_MILLIS);
                    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()), PATIENCE_MILLIS);
                    if (upgraded(socket)) {
                        connections.incrementAndGet();
                    }
                    TimeUnit.MILLISECONDS.sleep(200 + random.nextInt(1_500)); // it stays, and reads nothing
                } catch (IOException e) {
                    TimeUnit.MILLISECONDS.sleep(50); // it was turned away
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean upgraded(Socket socket) throws IOException {
        String request = """
                GET %s?user=%s HTTP/1.1\r
                Host: %s:%d\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
                Sec-WebSocket-Version: 13\r
                \r
                """.formatted(server.getPath(), user, server.getHost(), server.getPort());
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        String status = new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII), RECEIVE_BUFFER)
                .readLine();
        return status != null && status.contains(" 101 ");
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.interrupt();
        thread.join();
    }
}
