package pushbridge.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.glassfish.grizzly.Buffer;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.NextAction;
import org.glassfish.grizzly.memory.Buffers;
import org.glassfish.grizzly.nio.transport.TCPNIOConnection;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS of one connection, above the transport: decrypts what is read, encrypts what is written. Grizzly's own filter keeps
 * 33 kB for each connection after its handshake; this one keeps the engine and, while a record is half there, that half,
 * at most one record (16 kB). The same filter may stand in several chains, since its state belongs to the connection.
 *
 * <p>Reading is one thread at a time; writing any. The private key's operation of a handshake runs where it is read: some
 * 0.1 ms with an EC key and 1 ms with RSA of 2,048 bits.
 */
public final class TlsFilter extends BaseFilter {

    private static final Attribute<State> STATE =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(TlsFilter.class.getName());

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private static final Logger log = LoggerFactory.getLogger(TlsFilter.class);

    // A selector's or worker's own, so that connections need none.
    private static final ThreadLocal<ByteBuffer> PLAIN = new ThreadLocal<>();
    private static final ThreadLocal<ByteBuffer> ENCRYPTED = new ThreadLocal<>();

    private static final class State {
        final SSLEngine engine;
        /** A record of which the rest is to come. */
        @Nullable
        ByteBuffer half;

        State(SSLEngine engine) {
            this.engine = engine;
        }
    }

    private final ServerTls tls;

    public TlsFilter(ServerTls tls) {
        this.tls = tls;
    }

    // Reading -------------------------------------------------------------------------------------------------------

    @Override
    public NextAction handleRead(FilterChainContext ctx) {
        Connection<?> connection = ctx.getConnection();
        State state = stateOf(connection);
        Buffer message = ctx.getMessage();
        ByteBuffer input = joined(state.half, message.toByteBuffer());
        state.half = null;
        byte[] read;
        boolean closed;
        try {
            Decrypted decrypted = decrypt(ctx, state, input);
            read = decrypted.bytes;
            closed = decrypted.closed;
        } catch (SSLException e) {
            // No louder: whoever sends nonsense could fill the log.
            log.debug("TLS with {} failed: {}", connection.getPeerAddress(), e.toString());
            sendAlert(ctx, state);
            connection.closeSilently();
            return ctx.getStopAction();
        }
        if (input.hasRemaining() && !closed) {
            state.half = ByteBuffer.allocate(input.remaining()).put(input).flip();
        }
        message.tryDispose();
        if (read.length > 0) {
            ctx.setMessage(Buffers.wrap(connection.getMemoryManager(), read));
            if (closed) {
                connection.closeSilently(); // behind what is written; nothing more will come
            }
            return ctx.getInvokeAction();
        }
        if (closed) {
            connection.closeSilently();
        }
        return ctx.getStopAction();
    }

    private State stateOf(Connection<?> connection) {
        State state = STATE.get(connection);
        if (state == null) {
            state = new State(tls.newEngine());
            STATE.set(connection, state);
        }
        return state;
    }

    private static ByteBuffer joined(@Nullable ByteBuffer half, ByteBuffer more) {
        if (half == null) {
            return more;
        }
        return ByteBuffer.allocate(half.remaining() + more.remaining())
                .put(half)
                .put(more)
                .flip();
    }

    private record Decrypted(byte[] bytes, boolean closed) {}

    private static Decrypted decrypt(FilterChainContext ctx, State state, ByteBuffer input) throws SSLException {
        SSLEngine engine = state.engine;
        byte[] all = new byte[0];
        ByteBuffer out = buffer(PLAIN, engine.getSession().getApplicationBufferSize());
        while (true) {
            SSLEngineResult result = engine.unwrap(input, out);
            if (out.position() > 0) {
                int at = all.length;
                all = java.util.Arrays.copyOf(all, at + out.position());
                out.flip().get(all, at, out.remaining());
                out.clear();
            }
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
                out = buffer(
                        PLAIN, Math.max(out.capacity() * 2, engine.getSession().getApplicationBufferSize()));
                continue;
            }
            boolean advanced = advance(ctx, state);
            if (result.getStatus() == SSLEngineResult.Status.CLOSED || engine.isInboundDone()) {
                return new Decrypted(all, true);
            }
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW
                    || (!input.hasRemaining() && !advanced)
                    || (result.bytesConsumed() == 0 && result.bytesProduced() == 0 && !advanced)) {
                return new Decrypted(all, false);
            }
        }
    }

    /** Does whatever the handshake needs from our side; false when that was nothing. */
    private static boolean advance(FilterChainContext ctx, State state) throws SSLException {
        boolean advanced = false;
        while (true) {
            HandshakeStatus status = state.engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                for (Runnable task = state.engine.getDelegatedTask();
                        task != null;
                        task = state.engine.getDelegatedTask()) {
                    task.run();
                }
            } else if (status == HandshakeStatus.NEED_WRAP) {
                synchronized (state) {
                    byte[] record = encrypt(state.engine, NOTHING.duplicate());
                    if (record.length == 0) {
                        return advanced;
                    }
                    ctx.write(Buffers.wrap(ctx.getMemoryManager(), record));
                }
            } else {
                return advanced;
            }
            advanced = true;
        }
    }

    private static void sendAlert(FilterChainContext ctx, State state) {
        try {
            synchronized (state) {
                byte[] alert = encrypt(state.engine, NOTHING.duplicate());
                if (alert.length > 0) {
                    ctx.write(Buffers.wrap(ctx.getMemoryManager(), alert));
                }
            }
        } catch (SSLException e) {
            log.debug("No alert for {}: {}", ctx.getConnection().getPeerAddress(), e.toString());
        }
    }

    // Writing -------------------------------------------------------------------------------------------------------

    @Override
    @SuppressWarnings("unchecked") // Grizzly's own types are raw here
    public NextAction handleWrite(FilterChainContext ctx) throws IOException {
        State state = stateOf(ctx.getConnection());
        Buffer message = ctx.getMessage();
        // Records must leave in the order in which they were encrypted.
        synchronized (state) {
            byte[] records = encrypt(state.engine, message.toByteBuffer().duplicate());
            FilterChainContext.TransportContext transport = ctx.getTransportContext();
            ctx.write(
                    null,
                    Buffers.wrap(ctx.getMemoryManager(), records),
                    transport.getCompletionHandler(),
                    transport.isBlocking());
        }
        message.tryDispose();
        return ctx.getStopAction();
    }

    private static byte[] encrypt(SSLEngine engine, ByteBuffer input) throws SSLException {
        byte[] all = new byte[0];
        ByteBuffer out = buffer(ENCRYPTED, engine.getSession().getPacketBufferSize());
        do {
            SSLEngineResult result = engine.wrap(input, out);
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
                out = buffer(
                        ENCRYPTED,
                        Math.max(out.capacity() * 2, engine.getSession().getPacketBufferSize()));
                continue;
            }
            int at = all.length;
            all = java.util.Arrays.copyOf(all, at + out.position());
            out.flip().get(all, at, out.remaining());
            out.clear();
            if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                return all;
            }
            if (result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
                if (input.hasRemaining()) {
                    throw new SSLException("nothing can be sent before the handshake is over");
                }
                return all;
            }
        } while (input.hasRemaining());
        return all;
    }

    private static ByteBuffer buffer(ThreadLocal<ByteBuffer> own, int size) {
        ByteBuffer buffer = own.get();
        if (buffer == null || buffer.capacity() < size) {
            buffer = ByteBuffer.allocate(size);
            own.set(buffer);
        }
        return buffer.clear();
    }

    // Ending --------------------------------------------------------------------------------------------------------

    /**
     * Says that nothing more will be sent, so that the peer can tell this end from a cut. For whoever is about to shut
     * the output down; does nothing on a connection without TLS.
     */
    public static void sendCloseNotify(TCPNIOConnection connection) {
        State state = STATE.get(connection);
        if (state == null) {
            return;
        }
        TCPNIOTransport transport = (TCPNIOTransport) connection.getTransport();
        synchronized (state) {
            state.engine.closeOutbound();
            ByteBuffer record = ByteBuffer.allocate(state.engine.getSession().getPacketBufferSize());
            try {
                state.engine.wrap(NOTHING.duplicate(), record);
                transport
                        .getAsyncQueueIO()
                        .getWriter()
                        .write(connection, null, Buffers.wrap(transport.getMemoryManager(), record.flip()), null);
            } catch (IOException e) {
                log.debug("No end of TLS for {}: {}", connection.getPeerAddress(), e.toString());
            }
        }
    }

    /** Whom the client's certificate names; null when it has shown none, or there is no TLS. */
    public static @Nullable String clientName(Connection<?> connection) {
        State state = STATE.get(connection);
        if (state == null) {
            return null;
        }
        try {
            return state.engine.getSession().getPeerPrincipal().getName();
        } catch (SSLPeerUnverifiedException e) {
            return null; // it was not asked for one
        }
    }

    /** Whether a connection speaks TLS. */
    public static boolean isOn(Connection<?> connection) {
        return STATE.get(connection) != null;
    }
}
