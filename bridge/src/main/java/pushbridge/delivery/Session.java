package pushbridge.delivery;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import pushbridge.outbox.Frame;

/**
 * One connected client. The upper half takes the reports of the socket's threads; the lower half is the loop's view of
 * the client and belongs to the loop's thread.
 */
final class Session implements SessionReports, LoopEvent {

    private static final AtomicIntegerFieldUpdater<Session> QUEUED =
            AtomicIntegerFieldUpdater.newUpdater(Session.class, "queued");
    private static final AtomicLongFieldUpdater<Session> CONFIRMED =
            AtomicLongFieldUpdater.newUpdater(Session.class, "confirmed");

    private final String id;
    private final @Nullable String user;
    private final Confirmation confirmation;
    private final FrameSink sink;
    private final LoopQueue queue;
    private final int maxRequests;

    // Written by any thread.
    private volatile int queued;
    private volatile long confirmed;
    private volatile boolean progressed;
    private volatile boolean closed;
    /** Null while none waits; guarded by this. */
    private @Nullable ArrayDeque<ClientRequest> requests;

    // Loop thread only, from here on.
    /** Whether the directory knows it. */
    boolean present;
    /** Whether a flush is due at the end of the batch. */
    boolean touched;
    /** Whether the sink refused a frame of a lane; cleared when it has room again. */
    boolean full;
    /** Envelopes offered since the connection opened: the number the next one is confirmed by is one more. */
    private long offered;
    /** Index of the last message of the user's lane that was offered here; it never skips one. */
    private long userCursor = -1;
    /** The same for the lane of {@code connection.<id>}. */
    private long connectionCursor = -1;
    /** Highest index of the user's lane confirmed here while a {@code pushbridge.v1} connection has the say. */
    long confirmedIndex = -1;
    /** What was offered and waits to be confirmed, in order; null while nothing does. */
    private @Nullable ArrayDeque<InFlight> inFlight;
    /** Channels subscribed to; null while none. */
    private @Nullable Set<String> channels;

    /** The connection that the page says it had before; null when it says nothing. Until the loop has opened this one. */
    @Nullable
    String resumes;
    /** That connection, if it is remembered. */
    Departures.@Nullable Departure departure;
    /** Whether a message for many, or one that another connection settled, was not offered here. */
    boolean skipped;
    /** The number of the last message that was settled elsewhere while it waited to be confirmed here. */
    private long settledElsewhere;

    private record InFlight(long number, LaneMessage message) {}

    Session(
            String id,
            @Nullable String user,
            Confirmation confirmation,
            FrameSink sink,
            LoopQueue queue,
            int maxRequests) {
        this.id = id;
        this.user = user;
        this.confirmation = confirmation;
        this.sink = sink;
        this.queue = queue;
        this.maxRequests = maxRequests;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public void confirmed(long envelopes) {
        if (CONFIRMED.getAndAccumulate(this, envelopes, Math::max) < envelopes) {
            signal();
        }
    }

    @Override
    public void progressed() {
        progressed = true;
        signal();
    }

    @Override
    public boolean request(ClientRequest request) {
        synchronized (this) {
            if (requests == null) {
                requests = new ArrayDeque<>(4);
            }
            if (requests.size() >= maxRequests) { // I5: at most K pending events a connection
                return false;
            }
            requests.add(request);
        }
        signal();
        return true;
    }

    @Override
    public void closed() {
        closed = true;
        signal();
    }

    /** Queues this session's event unless it waits already. */
    void signal() {
        if (queued == 0 && QUEUED.compareAndSet(this, 0, 1)) {
            queue.post(this);
        }
    }

    @Override
    public void run(DeliveryCore core) {
        // First, so that a report made from here on queues the event again.
        queued = 0;
        core.report(this);
    }

    // Loop thread only, from here on.

    @Nullable
    String user() {
        return user;
    }

    Confirmation confirmation() {
        return confirmation;
    }

    FrameSink sink() {
        return sink;
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether {@link #progressed()} was reported since the last call. */
    boolean takeProgressed() {
        if (!progressed) {
            return false;
        }
        progressed = false;
        return true;
    }

    /** The oldest request that waits, or null. */
    @Nullable
    ClientRequest takeRequest() {
        synchronized (this) {
            if (requests == null) {
                return null;
            }
            ClientRequest request = requests.poll();
            if (request == null) {
                requests = null;
            }
            return request;
        }
    }

    /** Offers a frame that nobody waits for. */
    boolean offer(Frame frame) {
        if (!sink.offer(frame)) {
            return false;
        }
        if (frame.isEnvelope()) {
            offered++;
        }
        return true;
    }

    /** Offers a message of a lane and remembers that it waits to be confirmed. */
    boolean offer(LaneMessage message) {
        if (message.frame == null || !offer(message.frame)) {
            return false;
        }
        if (inFlight == null) {
            inFlight = new ArrayDeque<>(4);
        }
        forgetSettled(inFlight);
        inFlight.add(new InFlight(offered, message));
        return true;
    }

    /**
     * I5: what another connection has settled, or has gone elsewhere, means nothing here any more, and a client that
     * reads but never confirms would keep all of it.
     */
    private void forgetSettled(ArrayDeque<InFlight> waiting) {
        for (InFlight oldest = waiting.peek(); oldest != null && oldest.message.lane == null; oldest = waiting.peek()) {
            settledElsewhere = oldest.number;
            waiting.remove();
        }
    }

    /** Whether the client has confirmed every envelope it was offered, and was offered all there were. */
    boolean hasAll() {
        return offered == confirmed && !skipped;
    }

    /**
     * Whether something for the user went elsewhere, as far as is known before the client had it. What waits in its lane, or
     * in the held log, will be offered again.
     */
    boolean hasMissed() {
        if (inFlight != null) {
            for (InFlight waiting : inFlight) {
                if (waiting.message.lane == null) {
                    settledElsewhere = waiting.number;
                }
            }
        }
        return skipped || settledElsewhere > confirmed;
    }

    /** The oldest message in flight here that the client has by now, or null. */
    @Nullable
    LaneMessage takeConfirmed() {
        if (inFlight == null) {
            return null;
        }
        InFlight oldest = inFlight.peek();
        if (oldest == null || oldest.number > confirmed) {
            if (oldest == null) {
                inFlight = null;
            }
            return null;
        }
        inFlight.poll();
        return oldest.message;
    }

    /** How many messages of lanes are remembered as offered here. */
    int inFlight() {
        return inFlight == null ? 0 : inFlight.size();
    }

    /** For who looks on. */
    Standing.Connection standing() {
        return new Standing.Connection(id, confirmation, offered, confirmed, full);
    }

    long cursor(Lane lane) {
        return lane.isOfUser() ? userCursor : connectionCursor;
    }

    void moveCursor(Lane lane, long index) {
        if (lane.isOfUser()) {
            userCursor = index;
        } else {
            connectionCursor = index;
        }
    }

    /** The channels subscribed to; for reading. */
    Set<String> channels() {
        return channels == null ? Set.of() : channels;
    }

    boolean addChannel(String channel) {
        if (channels == null) {
            channels = new HashSet<>(4);
        }
        return channels.add(channel);
    }

    boolean removeChannel(String channel) {
        return channels != null && channels.remove(channel);
    }
}
