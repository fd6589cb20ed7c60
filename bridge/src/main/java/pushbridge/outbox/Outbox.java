package pushbridge.outbox;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.config.OutboxConfig;

/**
 * The frames that wait for one connection: bounded in frames and bytes, refusing rather than blocking (I5). Any thread
 * offers; one writer at a time {@linkplain #take() takes} a batch, writes it, and {@linkplain #release() releases} it.
 * A batch counts as pending until it is released, so a client that never reads cannot hide bytes in its last write.
 *
 * <p>An idle outbox holds no array: a hundred thousand of them cost next to nothing.
 */
public final class Outbox {

    /** Frames of one batch. */
    public static final int BATCH_FRAMES = 64;

    /** Bytes of one batch; a single frame may be larger. */
    public static final int BATCH_BYTES = 64 * 1024;

    /** Answers that still find room in a full outbox: enough to tell a client what is wrong with it, and no more. */
    static final int REPLY_FRAMES = 16;

    /** Bytes of such answers. */
    static final int REPLY_BYTES = 16 * 1024;

    private static final int FIRST_CAPACITY = 4;

    private final OutboxConfig limits;
    private final OutboxTotals totals;

    // All guarded by this; nothing foreign is called while it is held.
    /** A ring; null while nothing is queued. */
    private Frame @Nullable [] ring;

    private int head;
    private int queued;
    /** Bytes queued and bytes in the batch that is being written. */
    private int bytes;

    private int takenFrames;
    private int takenBytes;
    private boolean refusedSinceRelease;
    private boolean closed;

    /**
     * @param limits how much may wait here
     * @param totals what waits in all outboxes
     */
    public Outbox(OutboxConfig limits, OutboxTotals totals) {
        this.limits = limits;
        this.totals = totals;
    }

    /**
     * Queues a frame. An empty outbox takes any frame, or one larger than the bound could never be delivered.
     *
     * @return false when it is full or closed; then nothing was taken
     */
    public synchronized boolean offer(Frame frame) {
        if (add(frame, limits.maxFrames(), limits.maxBytes())) {
            return true;
        }
        refusedSinceRelease = true;
        return false;
    }

    /**
     * Queues an answer to the client's own doing, for which a small reserve is kept beyond the bound.
     *
     * @return false when the reserve is used up too, or the outbox closed; then nothing was taken
     */
    public synchronized boolean reply(Frame frame) {
        return add(frame, limits.maxFrames() + REPLY_FRAMES, limits.maxBytes() + REPLY_BYTES);
    }

    private boolean add(Frame frame, int maxFrames, int maxBytes) {
        int frames = queued + takenFrames;
        // The subtraction cannot overflow where the sum could.
        if (closed || frames >= maxFrames || (frames > 0 && bytes > maxBytes - frame.size())) {
            return false;
        }
        Frame[] slots = roomForOneMore();
        slots[(head + queued) % slots.length] = frame;
        queued++;
        bytes += frame.size();
        totals.add(frame.size());
        return true;
    }

    private Frame[] roomForOneMore() {
        Frame[] old = ring;
        if (old == null) {
            head = 0;
            old = new Frame[FIRST_CAPACITY];
            ring = old;
            return old;
        }
        if (queued < old.length) {
            return old;
        }
        Frame[] larger = new Frame[old.length * 2];
        int untilEnd = old.length - head;
        System.arraycopy(old, head, larger, 0, untilEnd);
        System.arraycopy(old, 0, larger, untilEnd, head);
        head = 0;
        ring = larger;
        return larger;
    }

    /**
     * Takes the next frames, in order: at most {@link #BATCH_FRAMES} and {@link #BATCH_BYTES}, but one frame always. They
     * stay counted until {@link #release()}, which must come before the next call.
     *
     * @return empty when nothing waits
     */
    public synchronized List<Frame> take() {
        if (takenFrames > 0) {
            throw new IllegalStateException("the last batch was not released yet");
        }
        Frame[] slots = ring;
        if (slots == null) {
            return List.of();
        }
        List<Frame> batch = new ArrayList<>(Math.min(queued, BATCH_FRAMES));
        int size = 0;
        while (queued > 0 && batch.size() < BATCH_FRAMES) {
            Frame next = slots[head];
            if (!batch.isEmpty() && size > BATCH_BYTES - next.size()) {
                break;
            }
            drop(slots);
            batch.add(next);
            size += next.size();
        }
        takenFrames = batch.size();
        takenBytes = size;
        if (queued == 0) {
            ring = null;
        }
        return batch;
    }

    @SuppressWarnings("NullAway") // an empty slot is never read: queued tells which ones are full
    private void drop(Frame[] slots) {
        slots[head] = null;
        head = (head + 1) % slots.length;
        queued--;
    }

    /**
     * The batch taken last has left for the kernel, or is lost. Does nothing when there is none.
     *
     * @return whether a frame was {@linkplain #offer refused} since the last release: whoever offered it may try again
     */
    public synchronized boolean release() {
        bytes -= takenBytes;
        totals.add(-takenBytes);
        takenFrames = 0;
        takenBytes = 0;
        // Set and cleared under one lock: a refusal is followed by a release that sees it, because what made the outbox
        // full is still to be released then. Otherwise the one who was refused would wait for ever.
        boolean refused = refusedSinceRelease;
        refusedSinceRelease = false;
        return refused && !closed;
    }

    /** Drops what is queued and takes nothing any more. A batch that is being written is left to its release. */
    public synchronized void close() {
        closed = true;
        totals.add(takenBytes - bytes);
        bytes = takenBytes;
        queued = 0;
        ring = null;
    }

    /** Whether frames wait to be taken. */
    public synchronized boolean hasQueued() {
        return queued > 0;
    }

    /** Frames queued or being written. */
    public synchronized int pendingFrames() {
        return queued + takenFrames;
    }

    /** Bytes queued or being written. */
    public synchronized int pendingBytes() {
        return bytes;
    }
}
