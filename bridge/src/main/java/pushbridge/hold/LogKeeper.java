package pushbridge.hold;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Decides what keeps the log proportional to what is held: when to write a checkpoint and when to copy the oldest live
 * messages forward. It is told of every record as the index is, in the same order, also while catching up; the owner then
 * asks for the next step, does it, and asks again when what it appended has come back.
 *
 * <p>Why the copying is bounded: it only begins when more than {@code spanFactor - 1} times of what is held lies dead in
 * the span, and to copy all that is held frees all of that. Same thread as the index.
 */
public final class LogKeeper {

    /** What to do next. */
    public enum Task {
        /** Nothing is due. */
        NOTHING,
        /** Append {@link HeldIndex#checkpoint}. */
        CHECKPOINT,
        /** Append the oldest messages again with the same ids, deadlines and hashes, from {@link HeldIndex#oldest}. */
        COPY_FORWARD
    }

    /**
     * The next step.
     *
     * @param messages how many messages to copy forward; 0 for everything else
     */
    public record Step(Task task, int messages) {
        private static final Step NOTHING = new Step(Task.NOTHING, 0);
        private static final Step CHECKPOINT = new Step(Task.CHECKPOINT, 0);
    }

    /** Up to here, the log had so many bytes, and what follows was written at this time or later. */
    private record Mark(long offset, long bytesBefore, long writtenMillis) {}

    private final HeldIndex index;
    private final KeepingRules rules;
    private final Deque<Mark> marks = new ArrayDeque<>();
    private long bytes;
    private long latestMillis = Long.MIN_VALUE;
    private long recordsSinceCheckpoint;
    private long bytesSinceCheckpoint;

    /** A keeper of the log that this index folds. */
    public LogKeeper(HeldIndex index, KeepingRules rules) {
        this.index = index;
        this.rules = rules;
    }

    /**
     * A record has come back; the index has it already.
     *
     * @param recordBytes what it takes in the log
     * @param writtenMillis when it was written, in milliseconds since 1970, as far as that is known
     * @param isCheckpoint whether it is a checkpoint that took effect
     */
    public void saw(long offset, int recordBytes, long writtenMillis, boolean isCheckpoint) {
        // The clocks of two owners may differ; what is older must not look younger than what is before it.
        latestMillis = Math.max(latestMillis, writtenMillis);
        Mark last = marks.peekLast();
        if (last == null
                || bytes - last.bytesBefore >= rules.markBytes()
                || latestMillis - last.writtenMillis >= rules.markMillis()) {
            marks.addLast(new Mark(offset, bytes, latestMillis));
        }
        bytes += recordBytes;
        recordsSinceCheckpoint++;
        bytesSinceCheckpoint += recordBytes;
        if (isCheckpoint) {
            recordsSinceCheckpoint = 0;
            bytesSinceCheckpoint = 0;
        }
        forget();
    }

    /** What to do next. Costs no more than the step that it asks for. */
    public Step next(long nowMillis) {
        if (recordsSinceCheckpoint >= rules.checkpointRecords() || bytesSinceCheckpoint >= rules.checkpointBytes()) {
            return Step.CHECKPOINT;
        }
        if (index.oldest() == HeldIndex.NONE || !(isLong() || oldestMillis() <= nowMillis - copyAgeMillis())) {
            return Step.NOTHING;
        }
        return new Step(Task.COPY_FORWARD, oldestMessages());
    }

    /** The bytes from the lowest live offset to the end of the log, up to one sixty-fourth of the floor too many. */
    public long spanBytes() {
        forget();
        Mark first = marks.peekFirst();
        return index.oldest() == HeldIndex.NONE || first == null ? 0 : bytes - first.bytesBefore;
    }

    /** When the oldest held message was written, at the earliest; {@link Long#MAX_VALUE} when nothing is held. */
    public long oldestMillis() {
        forget();
        Mark first = marks.peekFirst();
        return index.oldest() == HeldIndex.NONE || first == null ? Long.MAX_VALUE : first.writtenMillis;
    }

    /** Records since the last checkpoint. */
    public long recordsSinceCheckpoint() {
        return recordsSinceCheckpoint;
    }

    private boolean isLong() {
        return spanBytes() > rules.spanFactor() * index.bytes() + rules.floorBytes();
    }

    private long copyAgeMillis() {
        return rules.copyAge().toMillis();
    }

    private int oldestMessages() {
        int messages = 0;
        long size = 0;
        for (int entry = index.oldest();
                entry != HeldIndex.NONE && messages < rules.stepMessages();
                entry = index.newer(entry)) {
            size += index.size(entry);
            if (messages > 0 && size > rules.stepBytes()) {
                break;
            }
            messages++;
        }
        return messages;
    }

    /** Keeps the last mark that is not above the lowest live offset, and what follows it. */
    private void forget() {
        long lowest = index.lowestLiveOffset();
        while (marks.size() > 1) {
            Mark first = marks.removeFirst();
            if (marks.getFirst().offset > lowest) {
                marks.addFirst(first);
                return;
            }
        }
    }
}
