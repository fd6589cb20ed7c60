package pushbridge.socket;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.glassfish.grizzly.EmptyCompletionHandler;
import org.glassfish.grizzly.WriteResult;
import org.glassfish.grizzly.asyncqueue.WritableMessage;
import org.glassfish.grizzly.memory.Buffers;
import org.glassfish.grizzly.nio.transport.TCPNIOConnection;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.glassfish.tyrus.spi.CompletionHandler;
import org.glassfish.tyrus.spi.Connection;
import org.glassfish.tyrus.spi.ReadHandler;
import org.glassfish.tyrus.spi.Writer;
import org.glassfish.tyrus.spi.WriterInfo;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import pushbridge.auth.Credentials;
import pushbridge.config.OutboxConfig;
import pushbridge.config.SocketConfig;
import pushbridge.delivery.ClientRequest;
import pushbridge.delivery.Clock;
import pushbridge.delivery.CloseCode;
import pushbridge.delivery.Confirmation;
import pushbridge.delivery.FrameSink;
import pushbridge.delivery.Newcomer;
import pushbridge.delivery.SessionReports;
import pushbridge.envelope.ClientError;
import pushbridge.envelope.ClientFrame;
import pushbridge.envelope.ClientFrameReader;
import pushbridge.envelope.ServerFrames;
import pushbridge.outbox.Frame;
import pushbridge.outbox.Outbox;
import pushbridge.outbox.OutboxTotals;
import pushbridge.timing.Durations;
import pushbridge.tls.TlsFilter;

/**
 * One WebSocket: what the delivery loop offers goes out through it, what the client sends comes in. Tyrus writes its own
 * frames through it too.
 *
 * <p>Threads: reading, writing and ending happen on the selector that the connection belongs to, so most fields need no
 * lock. Others only put frames into the outbox or set a wish, and then {@linkplain #wake() wake} the selector. At most
 * one write is in flight, of at most one batch: memory is the outbox's bound and nothing besides (I5).
 */
final class PushConnection extends Writer implements FrameSink {

    /** How long a client may take to close its side after our close frame has left. */
    static final Duration LINGER = Duration.ofSeconds(2);

    /** How much is handed to Tyrus at once: it keeps a buffer as large as the largest piece it was ever given. */
    static final int SLICE_BYTES = 1024;

    /** Seconds' worth of frames that may come at once: a page that is back subscribes to all its channels. */
    private static final int FRAME_SECONDS_AT_ONCE = 4;

    /** How many batches a client that reads as fast as frames come may take before it is somebody else's turn. */
    private static final int BATCHES_PER_TURN = 4;

    /** The end of a connection whose client sent a close frame, for the counts. */
    static final String ENDED_BY_CLIENT = "client";
    /** The end of a connection that broke without a close frame. */
    static final String ENDED_GONE = "gone";
    /** The end of a connection whose client no longer answered a ping. */
    static final String ENDED_UNRESPONSIVE = "unresponsive";

    private static final long NEVER = Long.MIN_VALUE;
    private static final long NONE = -1;

    private static final Logger log = LoggerFactory.getLogger(PushConnection.class);

    /** What all connections of a listener share. */
    record Surroundings(
            SocketConfig config,
            OutboxConfig outbox,
            OutboxTotals totals,
            Clock clock,
            Sessions sessions,
            Connections connections,
            HandshakeGate gate,
            ClientFrameReader reader,
            Durations published) {}

    private enum State {
        OPEN,
        /** Ending: a close frame is to be written, or was and the client may still read it. */
        CLOSING,
        /** The TCP connection has ended. */
        GONE
    }

    private final Surroundings around;
    private final TCPNIOConnection tcp;
    private final FlushList flushes;
    private final String id;
    private final String address;
    private final long openedMillis;
    private final HandshakeGate.Admitted who;
    private final @Nullable String resumes;
    private final Outbox outbox;
    /** Null when messages are not compressed. */
    private final @Nullable Inflation inflation;

    private final FrameGuard guard;
    private final Allowance frames;
    private final Written onWritten = new Written();

    // Any thread.
    /** Whether it is in the flush list already. */
    private final AtomicBoolean inFlushList = new AtomicBoolean();

    private final AtomicBoolean closedReported = new AtomicBoolean();
    /** Changed under this. */
    private volatile State state = State.OPEN;
    /** Null until the session is open. */
    private volatile @Nullable SessionReports session;
    /** The close frame; null when the connection ends without one. Set before the state. */
    private volatile @Nullable Frame goodbye;

    /** What is said before the close frame; null when there is nothing, or it was said. */
    private volatile @Nullable Frame farewell;

    private volatile boolean terminateWanted;
    /** Throws away what the kernel still holds, for a peer that does not read. */
    private volatile boolean abortive;

    private volatile boolean pingWanted;
    private volatile long closeDeadlineNanos;

    // Written by the selector, read by any thread.
    private volatile Credentials credentials;
    private volatile Confirmation confirmation = Confirmation.WRITTEN;
    private volatile boolean v1;
    private volatile long written;
    private volatile long lastReadNanos;
    private volatile long pingSentNanos;
    private volatile boolean writing;
    private volatile long progressNanos;
    /** Since when the ping that is to confirm envelopes waits for its pong; or {@link #NEVER}. */
    private volatile long unansweredSinceNanos = NEVER;
    /** Since when the envelopes up to {@link #ackMark} wait for their acknowledgement; or {@link #NEVER}. */
    private volatile long unackedSinceNanos = NEVER;

    // Selector thread only.
    private @Nullable Connection tyrus;
    private long renewalTriedNanos = NEVER;
    private boolean draining;
    private int envelopesInFlight;
    /** When the first envelope of the batch that is being written was published; 0 when that is not known. */
    private long publishedInFlight;

    private boolean pingInFlight;
    private boolean goodbyeInFlight;
    private boolean goodbyeSent;
    /** Frames of the client that it owes us, since they confirm what we sent. */
    private int expectedFrames;

    /** The number of the newest envelope that somebody waits for. */
    private long confirmableUpTo;
    /** The envelopes that the client is known to have. */
    private long confirmed;
    /** The number in the ping whose pong is to come; or {@link #NONE}. */
    private long pingOutstanding = NONE;

    private long ackMark;

    // Sweep thread only.
    private int queuedAtLastSweep;

    private long progressAtLastSweep;
    private long partialProgressNanos;

    PushConnection(
            Surroundings around,
            TCPNIOConnection tcp,
            FlushList flushes,
            String id,
            String address,
            HandshakeGate.Admitted who,
            @Nullable String resumes,
            boolean compresses) {
        this.around = around;
        this.tcp = tcp;
        this.flushes = flushes;
        this.id = id;
        this.address = address;
        this.openedMillis = around.clock().wallMillis();
        this.who = who;
        this.credentials = who.credentials();
        this.resumes = resumes;
        this.outbox = new Outbox(around.outbox(), around.totals());
        this.inflation = compresses ? new Inflation(around.config().maxFrameBytes()) : null;
        this.guard = new FrameGuard(around.config().maxFrameBytes());
        long now = around.clock().nanoTime();
        this.frames = new Allowance(around.config().limits().maxFramesPerSecond(), FRAME_SECONDS_AT_ONCE, now);
        this.lastReadNanos = now;
        this.pingSentNanos = now;
        this.progressNanos = now;
        this.partialProgressNanos = now;
        this.progressAtLastSweep = now;
    }

    /** Random and unguessable. */
    String id() {
        return id;
    }

    /** Who it is; null for an anonymous client. */
    @Nullable
    String user() {
        return who.user();
    }

    long openedMillis() {
        return openedMillis;
    }

    /** What operators see of it now. */
    OpenConnection shown() {
        return new OpenConnection(
                id,
                who.user(),
                address,
                v1 ? PushEndpoint.V1 : "plain",
                openedMillis,
                credentials.expiresAt(),
                written,
                outbox.pendingBytes(),
                writing);
    }

    // Opening -------------------------------------------------------------------------------------------------------

    /** Tyrus has made its side of the connection. */
    void attach(Connection tyrusConnection) {
        this.tyrus = tyrusConnection;
    }

    /** The WebSocket is open; the subprotocol is empty when none was agreed on. */
    void onOpen(String subprotocol) {
        v1 = subprotocol.equals(PushEndpoint.V1);
        if (v1) {
            confirmation = Confirmation.ACK;
        } else {
            confirmation = switch (around.config().plainConfirm()) {
                case PONG -> Confirmation.PONG;
                case WRITTEN -> Confirmation.WRITTEN;
            };
        }
        SessionReports opened = around.sessions()
                .open(
                        new Newcomer(id, who.user(), who.channels(), who.refused(), credentials.expiresAt(), resumes),
                        confirmation,
                        this);
        session = opened;
        if (state != State.OPEN) {
            reportClosed();
        }
        drain();
    }

    // Outgoing: any thread ------------------------------------------------------------------------------------------

    @Override
    public boolean offer(Frame frame) {
        return outbox.offer(frame);
    }

    @Override
    public boolean reply(Frame frame) {
        return outbox.reply(frame);
    }

    @Override
    public void flush() {
        wake();
    }

    @Override
    public long pendingBytes() {
        return outbox.pendingBytes();
    }

    @Override
    public long written() {
        return written;
    }

    @Override
    public boolean isBlocked() {
        return writing;
    }

    @Override
    public void close(CloseCode code) {
        if (code == CloseCode.STALLED) {
            // A close frame cannot get past what the client does not read.
            abandon(code.slug());
        } else {
            end(code.slug(), Frame.close(code.number(), code.slug()));
        }
    }

    /** Tells a {@code pushbridge.v1} client to come back elsewhere after a while; others learn it from the close. */
    void announceGoingAway(Duration comeBackAfter) {
        if (v1) {
            // Not into the outbox: what waits there is dropped by the close that may follow at once.
            farewell = Frame.text(ServerFrames.goingAway(comeBackAfter));
            wake();
        }
    }

    private void wake() {
        if (flushes.isSelectorThread() && session != null) {
            drain();
        } else {
            takeATurn();
        }
    }

    /** Has {@link #runOnSelector} called, once however often this is asked for meanwhile. */
    private void takeATurn() {
        if (inFlushList.compareAndSet(false, true)) {
            flushes.add(this);
        }
    }

    /** The turn of this connection in its flush list. */
    void runOnSelector() {
        // First, so that what is wished for from here on gets a turn of its own.
        inFlushList.set(false);
        try {
            if (terminateWanted) {
                terminate();
            } else {
                drain();
            }
        } catch (RuntimeException e) {
            // The next connection in the list must not suffer from it.
            log.error("Connection {} is ended: writing to it failed", id, e);
            tcp.terminateSilently();
        }
    }

    // Outgoing: selector thread -------------------------------------------------------------------------------------

    /** Writes for as long as the kernel takes whole batches at once; the completion of a write goes on from there. */
    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        try {
            boolean more = true;
            for (int batches = 0; more && !writing; batches++) {
                if (batches == BATCHES_PER_TURN) {
                    takeATurn(); // behind the others of this selector, who wait meanwhile
                    return;
                }
                more = writeNext();
            }
        } finally {
            draining = false;
        }
    }

    private boolean writeNext() {
        return switch (state) {
            case OPEN -> writeBatch();
            case CLOSING -> writeGoodbye();
            case GONE -> false;
        };
    }

    private boolean writeBatch() {
        List<Frame> batch = outbox.take();
        int bytes = 0;
        int envelopes = 0;
        long published = 0;
        for (Frame frame : batch) {
            bytes += frame.size();
            if (published == 0) {
                published = frame.publishedMillis();
            }
            if (frame.isEnvelope()) {
                envelopes++;
                if (frame.wantsConfirmation()) {
                    confirmableUpTo = written + envelopes;
                }
            }
        }
        Frame news = farewell;
        farewell = null;
        Frame ping = nextPing(written + envelopes);
        if (batch.isEmpty() && news == null && ping == null) {
            return false;
        }
        envelopesInFlight = envelopes;
        publishedInFlight = published;
        pingInFlight = ping != null;
        write(gather(batch, news, ping, bytes));
        return true;
    }

    /** The ping to send behind a batch that ends with this envelope; null when there is no reason for one. */
    private @Nullable Frame nextPing(long lastEnvelope) {
        boolean toConfirm = confirmation == Confirmation.PONG && pingOutstanding == NONE && confirmableUpTo > confirmed;
        if (!toConfirm && !pingWanted) {
            return null;
        }
        pingWanted = false;
        if (pingOutstanding == NONE) {
            pingOutstanding = lastEnvelope;
        }
        return Frame.ping(pingOutstanding);
    }

    /** Whether a frame goes out compressed, as far as that makes it shorter. */
    private boolean isCompressed(Frame frame) {
        return inflation != null && frame.size() > around.config().compressAbove();
    }

    /** @param batchBytes what the batch takes uncompressed */
    private ByteBuffer gather(List<Frame> batch, @Nullable Frame news, @Nullable Frame ping, int batchBytes) {
        int bytes = batchBytes + sizeOf(news) + sizeOf(ping);
        ByteBuffer gathered = TlsFilter.isOn(tcp) ? ByteBuffer.allocate(bytes) : flushes.buffer(bytes);
        for (Frame frame : batch) {
            if (isCompressed(frame)) {
                gathered.put(frame.compressed());
            } else {
                frame.copyTo(gathered);
            }
        }
        if (news != null) {
            news.copyTo(gathered);
        }
        if (ping != null) {
            ping.copyTo(gathered);
        }
        return gathered.flip();
    }

    private static int sizeOf(@Nullable Frame frame) {
        return frame == null ? 0 : frame.size();
    }

    private boolean writeGoodbye() {
        Frame last = goodbye;
        if (goodbyeSent || last == null) {
            return false;
        }
        goodbyeSent = true;
        goodbyeInFlight = true;
        Frame news = farewell;
        write(gather(news == null ? List.of(last) : List.of(news, last), null, null, sizeOf(news) + last.size()));
        return true;
    }

    private void write(ByteBuffer bytes) {
        progressNanos = around.clock().nanoTime();
        writing = true;
        TCPNIOTransport transport = (TCPNIOTransport) tcp.getTransport();
        if (TlsFilter.isOn(tcp)) {
            tcp.write((WritableMessage) Buffers.wrap(transport.getMemoryManager(), bytes), onWritten);
            return;
        }
        // Past the filters and past Grizzly's queue, which is empty: at most one write is in flight, and what came
        // before
        // all of them, the answer to the handshake, is the first thing on its connection and fits into any socket's
        // buffer.
        try {
            ((SocketChannel) tcp.getChannel()).write(bytes);
        } catch (IOException e) {
            log.debug("Connection {} broke while it was written to", id, e);
            onWritten.lost();
            tcp.terminateSilently();
            return;
        }
        if (!bytes.hasRemaining()) {
            onWritten();
            return;
        }
        // The kernel's buffer is full. Grizzly waits until it is not; a copy, because the next connection of this
        // selector
        // gathers into the same buffer.
        ByteBuffer rest = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
        transport
                .getAsyncQueueIO()
                .getWriter()
                .write(tcp, null, Buffers.wrap(transport.getMemoryManager(), rest), onWritten);
    }

    /** The end of the one write in flight: when the kernel has taken its last byte, or never will. */
    private final class Written extends EmptyCompletionHandler<WriteResult<WritableMessage, SocketAddress>> {

        @Override
        public void completed(WriteResult<WritableMessage, SocketAddress> result) {
            onWritten();
        }

        @Override
        public void failed(Throwable cause) {
            lost();
        }

        @Override
        public void cancelled() {
            lost();
        }

        private void lost() {
            // Grizzly ends the connection; onGone does the rest.
            writing = false;
            envelopesInFlight = 0;
            outbox.release();
        }
    }

    private void onWritten() {
        long now = around.clock().nanoTime();
        progressNanos = now;
        boolean roomAgain = outbox.release();
        SessionReports reports = session;
        if (pingInFlight) {
            pingInFlight = false;
            pingSentNanos = now;
            if (pingOutstanding != NONE && unansweredSinceNanos == NEVER) {
                unansweredSinceNanos = now;
            }
        }
        if (envelopesInFlight > 0) {
            long total = written + envelopesInFlight; // the selector is the only one that writes it
            written = total;
            envelopesInFlight = 0;
            if (publishedInFlight != 0) {
                around.published().record(around.clock().wallMillis() - publishedInFlight);
            }
            if (confirmation == Confirmation.WRITTEN && reports != null) {
                reports.confirmed(written);
            } else if (confirmation == Confirmation.ACK && unackedSinceNanos == NEVER && written > confirmed) {
                ackMark = written;
                unackedSinceNanos = now;
            }
        }
        writing = false;
        if (roomAgain && reports != null) {
            reports.progressed();
        }
        if (goodbyeInFlight) {
            goodbyeInFlight = false;
            closeOutput();
        }
        drain();
    }

    /** Tyrus writes only what it decides by itself: pongs, and the close frame. */
    @Override
    public void write(ByteBuffer bytes, CompletionHandler<ByteBuffer> handler, WriterInfo info) {
        if (info.getMessageType() == WriterInfo.MessageType.CLOSE) {
            onTyrusCloses(bytes);
            handler.completed(bytes);
        } else if (outbox.reply(Frame.encoded(bytes))) {
            handler.completed(bytes);
            wake();
        } else {
            // A client that pings and does not read needs no answer to every ping (RFC 6455 section 5.5.3).
            handler.failed(new IOException("the outbox is full"));
        }
    }

    @Override
    public void write(ByteBuffer bytes, CompletionHandler<ByteBuffer> handler) {
        write(bytes, handler, new WriterInfo(WriterInfo.MessageType.TEXT, WriterInfo.RemoteEndpointType.SUPER));
    }

    /** Tyrus is done with the connection; the close frame went before. */
    @Override
    public void close() {
        if (state == State.OPEN) {
            close(CloseCode.INTERNAL_ERROR);
        }
    }

    private void onTyrusCloses(ByteBuffer frame) {
        if (guard.closeSeen()) {
            end(ENDED_BY_CLIENT, Frame.encoded(frame.duplicate()));
            return;
        }
        // Header of two bytes, then the code.
        int number = frame.remaining() >= 4 ? frame.getShort(frame.position() + 2) & 0xFFFF : 0;
        close(
                number == CloseCode.BAD_DATA.number()
                        ? CloseCode.BAD_DATA
                        : number == CloseCode.PROTOCOL_ERROR.number()
                                ? CloseCode.PROTOCOL_ERROR
                                : CloseCode.INTERNAL_ERROR);
    }

    // Incoming: selector thread -------------------------------------------------------------------------------------

    void onRead(ByteBuffer read) {
        lastReadNanos = around.clock().nanoTime();
        Connection engine = tyrus;
        if (state != State.OPEN || engine == null) {
            return; // lingering: read so that the close frame is not lost to a reset, and discarded
        }
        ReadHandler handler = engine.getReadHandler();
        ByteBuffer bytes = inflation == null ? read : inflation.plain(read);
        int at = bytes.position();
        int end = at + guard.scan(bytes);
        while (at < end && state == State.OPEN) {
            int next = Math.min(end, at + SLICE_BYTES);
            handler.handle(bytes.duplicate().position(at).limit(next));
            at = next;
        }
        // What was read at once has been handled, which is not much; the next read will not be.
        int unexpected = guard.framesSince() + (inflation == null ? 0 : inflation.framesSince()) - expectedFrames;
        expectedFrames = 0;
        if (unexpected > 0 && !frames.take(unexpected, lastReadNanos)) {
            log.debug("Connection {} is closed: it sends too many frames", id);
            close(CloseCode.TOO_MANY);
        }
        CloseCode violation = guard.violation();
        if (violation == null && inflation != null) {
            violation = inflation.violation();
        }
        if (violation != null) {
            // No louder: a hostile client would fill the log.
            log.debug("Connection {} is closed: {}", id, violation.meaning());
            close(violation);
        }
    }

    void onPong(ByteBuffer payload) {
        long number = Frame.pongNumber(payload);
        // Only the very number that was sent: a pong nobody asked for proves nothing.
        if (pingOutstanding == NONE || number != pingOutstanding || number > written) {
            return;
        }
        pingOutstanding = NONE;
        expectedFrames++;
        unansweredSinceNanos = NEVER;
        SessionReports reports = session;
        if (confirmation == Confirmation.PONG && number > confirmed) {
            confirmed = number;
            if (reports != null) {
                reports.confirmed(number);
            }
        }
        drain(); // envelopes written meanwhile want a ping of their own
    }

    void onText(String text) {
        SessionReports reports = session;
        if (reports == null || state != State.OPEN) {
            return;
        }
        ClientFrame frame = around.reader().read(text);
        if (frame instanceof ClientFrame.Ack ack) {
            onAck(ack, reports);
        } else if (frame instanceof ClientFrame.Ping ping) {
            answer(ServerFrames.pong(ping.seq()));
        } else if (frame instanceof ClientFrame.Subscribe subscribe) {
            if (credentials.channels().allow(subscribe.channel())) {
                request(new ClientRequest.Subscribe(subscribe.channel(), subscribe.seq()), reports);
            } else {
                answer(ServerFrames.forbidden(subscribe.channel(), subscribe.seq()));
            }
        } else if (frame instanceof ClientFrame.Unsubscribe unsubscribe) {
            request(new ClientRequest.Unsubscribe(unsubscribe.channel(), unsubscribe.seq()), reports);
        } else if (frame instanceof ClientFrame.Auth auth) {
            onAuth(auth, reports);
        } else if (frame instanceof ClientFrame.Invalid invalid) {
            answer(ServerFrames.error(invalid.code(), invalid.detail(), invalid.seq()));
        }
    }

    private void onAck(ClientFrame.Ack ack, SessionReports reports) {
        // The kernel may have taken only a part of a batch, which the page has handled before the rest can follow.
        long sent = written + envelopesInFlight;
        if (confirmation != Confirmation.ACK) {
            answer(ServerFrames.error(
                    ClientError.SCHEMA_INVALID,
                    "An ack is understood only with the subprotocol " + PushEndpoint.V1 + ".",
                    0));
        } else if (ack.count() > sent) {
            answer(ServerFrames.error(
                    ClientError.SCHEMA_INVALID,
                    "The ack counts " + ack.count() + " envelopes, but only " + sent + " were sent.",
                    0));
        } else if (ack.count() > confirmed) {
            confirmed = ack.count();
            expectedFrames++;
            if (confirmed >= ackMark) {
                ackMark = written;
                unackedSinceNanos = written > confirmed ? around.clock().nanoTime() : NEVER;
            }
            reports.confirmed(confirmed);
        }
    }

    private void onAuth(ClientFrame.Auth auth, SessionReports reports) {
        long now = around.clock().nanoTime();
        Duration sinceLast = renewalTriedNanos == NEVER ? null : Duration.ofNanos(now - renewalTriedNanos);
        HandshakeGate.Renewal renewal = around.gate().renew(credentials, sinceLast, auth.token());
        if (renewal instanceof HandshakeGate.Renewed renewed) {
            renewalTriedNanos = now;
            // Before the loop leaves what is no longer granted: nothing that is asked for from here on can slip
            // through.
            credentials = renewed.credentials();
            request(
                    new ClientRequest.Renew(
                            renewed.credentials().channels()::allow,
                            renewed.credentials().expiresAt(),
                            auth.seq()),
                    reports);
        } else if (renewal instanceof HandshakeGate.NotRenewed not) {
            if (not.code() != ClientError.TRY_LATER) {
                renewalTriedNanos = now;
            }
            answer(ServerFrames.error(not.code(), not.detail(), auth.seq()));
        }
    }

    private void request(ClientRequest request, SessionReports reports) {
        if (!reports.request(request)) {
            close(CloseCode.TOO_MANY);
        }
    }

    private void answer(String json) {
        if (outbox.reply(Frame.text(json))) {
            drain();
        } else {
            close(CloseCode.SLOW); // it asks and asks, and does not read the answers
        }
    }

    // Ending --------------------------------------------------------------------------------------------------------

    /** Ends the connection behind a close frame. Any thread. */
    private void end(String how, Frame closeFrame) {
        synchronized (this) {
            if (state != State.OPEN) {
                return;
            }
            goodbye = closeFrame;
            closeDeadlineNanos =
                    around.clock().nanoTime() + around.config().stallAfter().toNanos();
            state = State.CLOSING;
        }
        ended(how);
    }

    /** Ends the connection without a close frame and without waiting for the peer. Any thread. */
    private void abandon(String how) {
        boolean first;
        synchronized (this) {
            first = state == State.OPEN;
            if (state == State.GONE) {
                return;
            }
            state = State.CLOSING;
        }
        abortive = true;
        terminateWanted = true;
        if (first) {
            ended(how);
        } else {
            takeATurn();
        }
    }

    private void ended(String how) {
        around.connections().countEnd(how);
        tellEnd(how);
        // What waits is dropped: nothing may look delivered that the client will not see. (I1)
        outbox.close();
        reportClosed();
        takeATurn(); // never here and now: the caller may be in the middle of reading
    }

    /** Clients come and go; what is worth a line to everybody is a client that the bridge itself sends away. */
    private void tellEnd(String how) {
        boolean routine = how.equals(ENDED_BY_CLIENT)
                || how.equals(ENDED_GONE)
                || how.equals(CloseCode.SERVICE_RESTART.slug())
                || how.equals(CloseCode.TOKEN_EXPIRED.slug());
        log.atLevel(routine ? Level.DEBUG : Level.INFO)
                .addKeyValue("session", id)
                .addKeyValue("user", who.user())
                .addKeyValue("how", how)
                .log("Connection {} of user {} ends: {}", id, who.user(), how);
    }

    private void reportClosed() {
        SessionReports reports = session;
        if (reports != null && closedReported.compareAndSet(false, true)) {
            reports.closed();
        }
    }

    /** The close frame is out: nothing follows, and the client gets a moment to read it and close its side. */
    private void closeOutput() {
        closeDeadlineNanos = around.clock().nanoTime() + LINGER.toNanos();
        try {
            TlsFilter.sendCloseNotify(tcp);
            ((SocketChannel) tcp.getChannel()).shutdownOutput();
        } catch (IOException e) {
            log.debug("Connection {} broke while it was being closed", id, e);
            terminate();
        }
    }

    private void terminate() {
        if (abortive) {
            try {
                // Reset rather than leave it to the kernel to hold and resend for minutes what nobody reads.
                ((SocketChannel) tcp.getChannel()).setOption(StandardSocketOptions.SO_LINGER, 0);
            } catch (IOException e) {
                log.debug("Connection {} was gone before it could be reset", id, e);
            }
        }
        tcp.terminateSilently();
    }

    /** The TCP connection has ended, whoever ended it. Selector thread, once. */
    void onGone() {
        boolean unexpected;
        synchronized (this) {
            unexpected = state == State.OPEN;
            state = State.GONE;
        }
        if (unexpected) {
            around.connections().countEnd(ENDED_GONE);
            tellEnd(ENDED_GONE);
        }
        outbox.close();
        outbox.release();
        reportClosed();
        around.connections().remove(this, who.user());
        Connection engine = tyrus;
        if (engine != null) {
            // Tyrus keeps the session in a map until it hears of the end.
            engine.close(new jakarta.websocket.CloseReason(
                    jakarta.websocket.CloseReason.CloseCodes.CLOSED_ABNORMALLY, ENDED_GONE));
        }
    }

    // Deadlines: sweep thread ---------------------------------------------------------------------------------------

    /** Looks at every deadline of this connection; about once a second. */
    void sweep(long now) {
        switch (state) {
            case GONE -> {}
            case CLOSING -> {
                if (now - closeDeadlineNanos > 0) {
                    abortive = writing; // what has not left by now is not read either
                    terminateWanted = true;
                    takeATurn();
                }
            }
            case OPEN -> sweepOpen(now);
        }
    }

    private void sweepOpen(long now) {
        SocketConfig config = around.config();
        if (around.gate().isOver(credentials)) {
            close(CloseCode.TOKEN_EXPIRED);
            return;
        }
        if (writing) {
            long progress = progressNanos;
            int queued = tcp.getAsyncWriteQueue().spaceInBytes();
            if (progress != progressAtLastSweep) {
                partialProgressNanos = progress; // a write was begun or finished since
            } else if (queued < queuedAtLastSweep) {
                partialProgressNanos = now; // part of the same write
            }
            progressAtLastSweep = progress;
            queuedAtLastSweep = queued;
            long idle = now - partialProgressNanos;
            if (idle > config.stallAfter().toNanos()) {
                close(CloseCode.STALLED);
                return;
            }
        } else if (outbox.hasQueued()) {
            wake(); // offered without a flush yet; nothing is stalled before it was written
        }
        long unackedSince = unackedSinceNanos;
        if (unackedSince != NEVER && now - unackedSince > config.ackTimeout().toNanos()) {
            close(CloseCode.ACK_TIMEOUT);
            return;
        }
        long unansweredSince = unansweredSinceNanos;
        if (confirmation == Confirmation.PONG
                && unansweredSince != NEVER
                && now - unansweredSince > config.ackTimeout().toNanos()) {
            // It sends, or it would have been found silent before, but it never says that it has anything.
            close(CloseCode.ACK_TIMEOUT);
            return;
        }
        if (now - lastReadNanos > config.pingInterval().toNanos() && !pingWanted) {
            if (pingSentNanos - lastReadNanos <= 0) {
                pingWanted = true;
                wake();
            } else if (now - pingSentNanos > config.pongTimeout().toNanos()) {
                abandon(ENDED_UNRESPONSIVE);
            }
        }
    }
}
