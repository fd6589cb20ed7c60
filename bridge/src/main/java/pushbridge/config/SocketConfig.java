package pushbridge.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The public WebSocket listener.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 takes a free one
 * @param path path of the WebSocket endpoint
 * @param plainConfirm what counts as delivered on a connection without {@code pushbridge.v1}
 * @param maxConnections connections in all, handshakes included; more are answered 503
 * @param maxConnectionsPerUser connections of one user; more are answered 429
 * @param handshakeTimeout from accept to the finished upgrade
 * @param maxHeaderBytes request line and headers of a handshake
 * @param maxFrameBytes one frame, and one message, from a client
 * @param pingInterval silence of a client after which it is pinged
 * @param pongTimeout silence after a ping after which it is taken for gone
 * @param ackTimeout how long a {@code pushbridge.v1} client may leave an envelope unacknowledged
 * @param stallAfter a connection whose write makes no progress for so long is closed as stalled
 * @param sendBufferBytes kernel send buffer of a connection (SO_SNDBUF); small, so that "written" means more
 * @param compressAbove messages above so many bytes go out compressed to clients that offer it; 0 for never
 * @param selectors threads that read and write sockets
 * @param limits what one client, and all of them in a second, may do at most
 * @param proxies what stands between clients and this listener
 * @param tls certificate of this listener; null when it speaks plain TCP
 */
public record SocketConfig(
        String host,
        int port,
        String path,
        PlainConfirm plainConfirm,
        int maxConnections,
        int maxConnectionsPerUser,
        Duration handshakeTimeout,
        int maxHeaderBytes,
        int maxFrameBytes,
        Duration pingInterval,
        Duration pongTimeout,
        Duration ackTimeout,
        Duration stallAfter,
        int sendBufferBytes,
        int compressAbove,
        int selectors,
        SocketLimits limits,
        ProxyConfig proxies,
        @Nullable TlsConfig tls) {

    /** The ways to confirm without the page's help. */
    public enum PlainConfirm {
        /** The pong to a ping sent behind the frames. */
        PONG,
        /** The kernel took the frame. */
        WRITTEN
    }
}
