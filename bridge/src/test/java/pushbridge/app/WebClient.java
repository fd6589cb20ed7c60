package pushbridge.app;

import java.net.URI;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import pushbridge.testing.Broker;

/** A client that behaves like a browser: collects texts, and its library answers pings by itself. Thread-safe. */
final class WebClient implements WebSocket.Listener, AutoCloseable {

    private final List<String> texts = new ArrayList<>(); // guarded by this
    private final StringBuilder partial = new StringBuilder(); // the library's thread only
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private @Nullable WebSocket socket;
    private volatile @Nullable String leavesAt;

    static WebClient connect(URI uri, String... subprotocols) {
        WebClient client = new WebClient();
        WebSocket.Builder builder = TestBridge.HTTP.newWebSocketBuilder().connectTimeout(Duration.ofSeconds(20));
        if (subprotocols.length > 0) {
            builder.subprotocols(
                    subprotocols[0],
                    List.of(subprotocols).subList(1, subprotocols.length).toArray(String[]::new));
        }
        client.socket = builder.buildAsync(uri, client).join();
        return client;
    }

    private WebSocket socket() {
        if (socket == null) {
            throw new IllegalStateException("not connected");
        }
        return socket;
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
        partial.append(data);
        if (last) {
            synchronized (this) {
                texts.add(partial.toString());
            }
            partial.setLength(0);
        }
        if (leavesAt != null && texts().get(texts().size() - 1).contains(leavesAt)) {
            webSocket.abort();
            return null;
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
        webSocket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
        closed.complete(statusCode);
        return null;
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
        closed.completeExceptionally(error);
    }

    void send(String text) {
        socket().sendText(text, true).join();
    }

    /** From now on it ends without a word when a text with this in it comes. */
    void leaveAt(String part) {
        leavesAt = part;
    }

    /** Everything received so far. */
    synchronized List<String> texts() {
        return List.copyOf(texts);
    }

    synchronized int received() {
        return texts.size();
    }

    /** Waits for a number of texts in all. */
    List<String> await(int count) {
        Broker.await(count + " texts at a client", () -> received() >= count);
        return texts();
    }

    /** The close code of the bridge's close frame. */
    CompletableFuture<Integer> closed() {
        return closed;
    }

    @Override
    public void close() {
        socket().abort();
    }
}
