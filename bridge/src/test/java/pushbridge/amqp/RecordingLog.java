package pushbridge.amqp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import pushbridge.testing.Broker;

/** Remembers what a tail or reader hands over; can hold it up. Records carry a number and padding. */
final class RecordingLog implements LogListener, LogBodies {

    /** One record as it came. */
    record Seen(long offset, long number) {}

    private final List<Seen> seen = new ArrayList<>(); // guarded by this, as all below
    private final List<TruncatedFrom> gaps = new ArrayList<>();
    private final List<Long> ends = new ArrayList<>();
    private final List<Long> missing = new ArrayList<>();
    private @Nullable String replaced;
    private @Nullable RuntimeException failure;
    private final List<Long> answered = new ArrayList<>();
    private volatile @Nullable Semaphore gate;
    private volatile long failAt = -1;

    static byte[] encode(long number, int size) {
        return ByteBuffer.allocate(Math.max(8, size)).putLong(number).array();
    }

    /** From now on each record needs a permit. */
    Semaphore close() {
        Semaphore closed = new Semaphore(0);
        gate = closed;
        return closed;
    }

    /** The record with this number is not taken but answered by an exception. */
    void failAt(long number) {
        failAt = number;
    }

    @Override
    public void record(long offset, byte[] record, long writtenMillis) {
        Semaphore closed = gate;
        if (closed != null) {
            closed.acquireUninterruptibly();
        }
        if (ByteBuffer.wrap(record).getLong() == failAt) {
            throw new IllegalStateException("this one is not wanted");
        }
        synchronized (this) {
            seen.add(new Seen(offset, ByteBuffer.wrap(record).getLong()));
        }
    }

    @Override
    public void body(long offset, long[] ids, byte[] record) {
        record(offset, record, 0);
        answered(ids);
    }

    private synchronized void answered(long[] ids) {
        for (long id : ids) {
            answered.add(id);
        }
    }

    @Override
    public synchronized void truncated(TruncatedFrom gap) {
        gaps.add(gap);
    }

    @Override
    public synchronized void caughtUp(long end) {
        ends.add(end);
    }

    @Override
    public synchronized void replaced(String sentence) {
        replaced = sentence;
    }

    @Override
    public synchronized void failed(RuntimeException cause) {
        failure = cause;
    }

    @Override
    public synchronized void missing(long offset, long[] ids) {
        missing.add(offset);
        answered(ids);
    }

    synchronized List<Seen> seen() {
        return List.copyOf(seen);
    }

    synchronized int count() {
        return seen.size();
    }

    synchronized List<Long> numbers() {
        return seen.stream().map(Seen::number).toList();
    }

    synchronized List<Long> offsets() {
        return seen.stream().map(Seen::offset).toList();
    }

    synchronized List<TruncatedFrom> gaps() {
        return List.copyOf(gaps);
    }

    synchronized List<Long> ends() {
        return List.copyOf(ends);
    }

    synchronized List<Long> missing() {
        return List.copyOf(missing);
    }

    synchronized @Nullable String replaced() {
        return replaced;
    }

    /** What the tail was told by an exception of this listener. */
    synchronized @Nullable RuntimeException failure() {
        return failure;
    }

    /** The ids that were answered, by a body or as missing, in that order. */
    synchronized List<Long> answered() {
        return List.copyOf(answered);
    }

    /** Waits until a record with this number has come. */
    void await(long number) {
        Broker.await("record " + number, () -> contains(number));
    }

    private synchronized boolean contains(long number) {
        return seen.stream().anyMatch(record -> record.number() == number);
    }

    /** What a reader keeps that accepts only the next number: see {@link LogAppender}. */
    List<Long> accepted() {
        List<Long> accepted = new ArrayList<>();
        for (long number : numbers()) {
            if (number == accepted.size()) {
                accepted.add(number);
            }
        }
        return accepted;
    }
}
