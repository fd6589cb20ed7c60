package pushbridge.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A TCP proxy in front of a broker or a bridge whose connections a test can cut, refuse and let through again. */
public final class FaultProxy implements AutoCloseable {

    /** As short as the patience of whoever tries. */
    private static final int CONNECT_MILLIS = 5_000;

    private final ServerSocket server;
    private final String host;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<Socket> swallowed = ConcurrentHashMap.newKeySet();
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile boolean refusing;
    private volatile boolean closed;

    /** Listens on a free port of the loopback interface. */
    public FaultProxy(URI target) throws IOException {
        this.host = target.getHost();
        this.port = target.getPort() == -1 ? 5672 : target.getPort();
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    /** The way through this proxy, with the target's credentials and vhost. */
    public URI uri(URI target) {
        // Raw, because the vhost "/" is written %2F and must stay so.
        return URI.create("%s://%s@%s:%d%s"
                .formatted(
                        target.getScheme(),
                        target.getRawUserInfo(),
                        server.getInetAddress().getHostAddress(),
                        server.getLocalPort(),
                        target.getRawPath()));
    }

    /** The port that it listens on, on the loopback interface. */
    public int port() {
        return server.getLocalPort();
    }

    /** How many connections it has let through so far. */
    public int accepted() {
        return accepted.get();
    }

    /** Ends every connection at once, without a goodbye. */
    public void cut() {
        for (Socket socket : sockets) {
            close(socket);
        }
    }

    /** What is open now stays open but carries nothing any more, in both directions; new connections work. */
    public void swallow() {
        swallowed.addAll(sockets);
    }

    /** From now on new connections end at once. */
    public void refuse() {
        refusing = true;
    }

    /** New connections get through again. */
    public void permit() {
        refusing = false;
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = server.accept();
                sockets.add(client);
                daemon(() -> forward(client));
            } catch (IOException e) {
                if (!closed) {
                    throw new IllegalStateException("the proxy cannot accept", e);
                }
            }
        }
    }

    private void forward(Socket client) {
        if (refusing) {
            close(client);
            return;
        }
        Socket upstream = new Socket();
        sockets.add(upstream);
        try {
            upstream.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
            accepted.incrementAndGet();
            if (!sockets.contains(client)) { // cut meanwhile
                close(upstream);
                return;
            }
            daemon(() -> pipe(client, upstream));
            pipe(upstream, client);
        } catch (IOException e) {
            close(upstream);
            close(client); // as the target would: nobody listens there, or it is frozen
        }
    }

    private void pipe(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[8192];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (!swallowed.contains(from)) {
                    out.write(buffer, 0, read);
                }
            }
        } catch (IOException e) {
            // One side is gone: so is the other, below.
        } finally {
            close(from);
            close(to);
        }
    }

    private void close(Socket socket) {
        sockets.remove(socket);
        swallowed.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("a socket cannot be closed", e);
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "fault-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        server.close();
        cut();
    }
}
