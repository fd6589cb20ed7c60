package pushbridge.socket;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.glassfish.grizzly.nio.SelectorHandler;
import org.glassfish.grizzly.nio.SelectorRunner;
import pushbridge.outbox.Outbox;

/**
 * The connections of one selector that have something to do: frames to write, or to end. Any thread adds; at most one
 * task waits at the selector however many are added, so the delivery loop pays one wake-up a batch, not one a
 * connection.
 */
final class FlushList implements SelectorHandler.Task {

    private static final int TURNS_PER_TASK = 1024;

    /** A batch, and a ping behind it. */
    private static final int BUFFER_BYTES = Outbox.BATCH_BYTES + 1024;

    private final SelectorHandler handler;
    private final SelectorRunner selector;
    private final Queue<PushConnection> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    /** Outside of the heap, where the kernel reads from it. */
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

    FlushList(SelectorHandler handler, SelectorRunner selector) {
        this.handler = handler;
        this.selector = selector;
    }

    /** Whether the calling thread is the selector's own. */
    boolean isSelectorThread() {
        return Thread.currentThread() == selector.getRunnerThread();
    }

    /**
     * An empty buffer for the bytes of one write, which are the kernel's or copied before the next call. The selector's own
     * thread only.
     */
    ByteBuffer buffer(int bytes) {
        return bytes <= BUFFER_BYTES ? buffer.clear() : ByteBuffer.allocate(bytes);
    }

    /** Adds a connection; the caller sees to it that it is in the list once. */
    void add(PushConnection connection) {
        waiting.add(connection);
        schedule();
    }

    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            // From another thread this puts the task into the pending queue and wakes the selector up.
            handler.enque(selector, this, null);
        }
    }

    @Override
    public boolean run() {
        // Before the queue is read: what is added from here on schedules a task of its own.
        scheduled.set(false);
        for (int turns = 0; turns < TURNS_PER_TASK; turns++) {
            PushConnection next = waiting.poll();
            if (next == null) {
                return true;
            }
            next.runOnSelector();
        }
        schedule(); // what clients have sent meanwhile is read in between
        return true;
    }
}
