package pushbridge.delivery;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The instructions of one generation that are not acknowledged yet, by delivery tag. Acknowledges everything below the
 * contiguous watermark in one go, and singly what is settled beyond it, so that one lagging delivery neither holds back
 * the rest nor exhausts the prefetch (I4). Lives and dies with its channel (I6). Loop thread only.
 */
final class Settlement {

    private final IntakeChannel channel;
    /** Settled instructions beyond the watermark that are acknowledged singly at once instead of at the next tick. */
    private final int eagerSingles;

    /** A ring by tag. Null where acknowledged singly already, or not delivered yet. */
    private @Nullable Instruction[] ring = new Instruction[64];
    /** The lowest tag below which everything is acknowledged: the watermark. 0 before the first instruction. */
    private long head;
    /** The tag after the last one taken. */
    private long tail;
    /** Instructions taken and not settled. */
    private int unsettled;
    /** Settled instructions that no acknowledgement was sent for. */
    private int settledWaiting;
    /** Where {@link #firstStale} goes on. */
    private long scanned;

    Settlement(IntakeChannel channel, int prefetch) {
        this.channel = channel;
        this.eagerSingles = Math.max(1, prefetch / 16);
    }

    IntakeChannel channel() {
        return channel;
    }

    int unsettled() {
        return unsettled;
    }

    /** Takes the next delivery; tags of a channel with one consumer grow by one. */
    void take(Instruction instruction) {
        long tag = instruction.tag();
        if (head == 0) {
            head = tag;
            tail = tag;
            scanned = tag;
        }
        if (tag != tail) {
            throw new IllegalStateException("delivery tag " + tag + " on generation " + channel.generation() + " after "
                    + (tail - 1) + ": another consumer shares the channel");
        }
        if (tail - head == ring.length) {
            grow();
        }
        ring[slot(tag)] = instruction;
        tail++;
        unsettled++;
    }

    /** Marks an instruction as settled (I1: the caller knows that it is delivered, dropped, or its copy is safe). */
    void settle(Instruction instruction) {
        if (instruction.channel() != channel || instruction.state == Instruction.State.SETTLED) { // I6
            throw new IllegalStateException("tag " + instruction.tag() + " of generation "
                    + instruction.channel().generation() + " cannot be settled on generation " + channel.generation());
        }
        instruction.state = Instruction.State.SETTLED;
        unsettled--;
        settledWaiting++;
    }

    /**
     * Sends the acknowledgements that are due.
     *
     * @param tick also acknowledges singly what waits behind a lagging delivery, however little it is
     */
    void flush(boolean tick) {
        if (settledWaiting == 0) {
            return;
        }
        long highest = 0;
        int covered = 0;
        while (head < tail && isDone(ring[slot(head)])) {
            if (ring[slot(head)] != null) {
                // The broker refuses a multiple acknowledgement whose own tag is acknowledged already.
                highest = head;
                covered++;
                ring[slot(head)] = null;
            }
            head++;
        }
        if (highest > 0) {
            channel.ack(highest, covered > 1);
            settledWaiting -= covered;
        }
        if (settledWaiting >= eagerSingles || (tick && settledWaiting > 0)) {
            acknowledgeSingly();
        }
        channel.flush();
    }

    /**
     * The oldest instruction that has waited in a lane since before a point in time, or null. Each is returned once.
     *
     * @param takenBefore in nanoseconds of the loop's clock
     */
    @Nullable
    Instruction firstStale(long takenBefore) {
        scanned = Math.max(scanned, head);
        for (; scanned < tail; scanned++) {
            Instruction instruction = ring[slot(scanned)];
            if (instruction != null && instruction.state == Instruction.State.IN_LANE) {
                if (instruction.takenAtNanos - takenBefore > 0) {
                    return null;
                }
                scanned++;
                return instruction;
            }
        }
        return null;
    }

    private void acknowledgeSingly() {
        for (long tag = head; tag < tail && settledWaiting > 0; tag++) {
            Instruction instruction = ring[slot(tag)];
            if (instruction != null && instruction.state == Instruction.State.SETTLED) {
                channel.ack(tag, false);
                ring[slot(tag)] = null;
                settledWaiting--;
            }
        }
    }

    /** Whether the slot of a tag below tail needs no settling any more. */
    private static boolean isDone(@Nullable Instruction instruction) {
        return instruction == null || instruction.state == Instruction.State.SETTLED;
    }

    private int slot(long tag) {
        return (int) (tag & (ring.length - 1));
    }

    private void grow() {
        @Nullable Instruction[] larger = Arrays.copyOf(ring, ring.length * 2);
        Arrays.fill(larger, null);
        for (long tag = head; tag < tail; tag++) {
            larger[(int) (tag & (larger.length - 1))] = ring[slot(tag)];
        }
        ring = larger;
    }
}
