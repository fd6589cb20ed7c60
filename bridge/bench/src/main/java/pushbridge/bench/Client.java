package pushbridge.bench;

import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One WebSocket connection of a {@link Swarm}. Belongs to a thread of it, but for what is volatile. */
final class Client {

    enum State {
        CONNECTING,
        OPEN,
        CLOSED
    }

    final String user;
    /** What the scenario wants to find again. */
    final int number;

    /** Whether it reads nothing but the answer to its handshake. */
    final boolean deaf;

    final long startedNanos = System.nanoTime();

    volatile State state = State.CONNECTING;
    /** When the handshake was answered; 0 before. */
    volatile long openedNanos;
    /** When the first message was here; 0 before. */
    volatile long firstMessageNanos;

    final AtomicInteger messages = new AtomicInteger();

    /** How many messages it has acknowledged. */
    int acknowledged;

    @Nullable
    SocketChannel channel;
    /** The beginning of a frame whose end has not arrived. */
    byte @Nullable [] rest;
    /** What the socket did not take. */
    @Nullable
    ByteBuffer unwritten;

    Client(String user, int number, boolean deaf) {
        this.deaf = deaf;
        this.user = user;
        this.number = number;
    }
}
