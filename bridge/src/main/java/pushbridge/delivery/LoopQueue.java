package pushbridge.delivery;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What waits for the delivery loop: events, and the intake's instructions beside them, because the loop may leave those
 * waiting (to pace a fan-out) while it goes on with everything else.
 *
 * <p>Bounded by what feeds it (I5): one event a session, one a copy being published, some thousand of
 * operators at work, a few of the process; as many
 * instructions as the prefetch lets the broker send. So nobody ever blocks here.
 */
final class LoopQueue {

    private final ConcurrentLinkedQueue<LoopEvent> events = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Instruction> instructions = new ConcurrentLinkedQueue<>();
    /** The loop's thread while it sleeps or is about to, else null. */
    private volatile @Nullable Thread sleeper;

    /** Any thread. */
    void post(LoopEvent event) {
        events.add(event);
        wake();
    }

    /** Any thread; the calls of one channel in the order of its deliveries. */
    void take(Instruction instruction) {
        instructions.add(instruction);
        wake();
    }

    private void wake() {
        Thread thread = sleeper;
        if (thread != null) {
            sleeper = null;
            LockSupport.unpark(thread);
        }
    }

    // Loop thread only, from here on.

    @Nullable
    LoopEvent nextEvent() {
        return events.poll();
    }

    @Nullable
    Instruction nextInstruction() {
        return instructions.poll();
    }

    /** Takes out the instructions of an ended generation, which come before those of any later one. */
    void discardUpTo(long generation) {
        for (Instruction first = instructions.peek();
                first != null && first.channel().generation() <= generation;
                first = instructions.peek()) {
            instructions.poll();
        }
    }

    /** Sleeps for about so long, whatever is posted: nobody pays for waking the loop up. */
    static void nap(long nanos) {
        LockSupport.parkNanos(nanos);
    }

    /** Sleeps until something is posted, the time is over or the thread is interrupted. */
    void await(boolean withInstructions, long nanos) {
        sleeper = Thread.currentThread();
        if (events.isEmpty() && !(withInstructions && !instructions.isEmpty())) {
            LockSupport.parkNanos(this, nanos);
        }
        sleeper = null;
    }
}
