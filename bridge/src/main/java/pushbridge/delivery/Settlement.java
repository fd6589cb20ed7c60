package pushbridge.delivery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The instructions of one generation that are not acknowledged yet, in the order of their delivery tags. Acknowledges
 * everything below the contiguous watermark in one go, and singly what is settled beyond it, so that one lagging delivery
 * neither holds back the rest nor exhausts the prefetch (I4). Lives and dies with its channel (I6). Loop thread only.
 */
final class Settlement {

    private final IntakeChannel channel;

    /**
     * Taken and not acknowledged: as many as the prefetch at most (I5), also when one of them lags for days while
     * millions pass by. The watermark is the tag of the first.
     */
    private final ArrayDeque<Instruction> unacknowledged = new ArrayDeque<>();

    /** The tag taken last; 0 before the first instruction. */
    private long lastTag;
    /** Instructions taken and not settled. */
    private int unsettled;
    /** Settled instructions that no acknowledgement was sent for. */
    private int settledWaiting;

    Settlement(IntakeChannel channel) {
        this.channel = channel;
    }

    IntakeChannel channel() {
        return channel;
    }

    int unsettled() {
        return unsettled;
    }

    /** The one taken first of those that are not settled, or just were; null when there is none. */
    @Nullable
    Instruction oldest() {
        return unsettled == 0 ? null : unacknowledged.peek();
    }

    /** Takes the next delivery; tags of a channel with one consumer grow by one. */
    void take(Instruction instruction) {
        long tag = instruction.tag();
        if (lastTag != 0 && tag != lastTag + 1) {
            throw new IllegalStateException("delivery tag " + tag + " on generation " + channel.generation() + " after "
                    + lastTag + ": another consumer shares the channel");
        }
        lastTag = tag;
        unacknowledged.add(instruction);
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
     * @param all also acknowledges singly what waits behind a lagging delivery, however little it is
     */
    void flush(boolean all) {
        if (settledWaiting == 0) {
            return;
        }
        long highest = 0;
        int covered = 0;
        for (Instruction first = unacknowledged.peek(); first != null && isSettled(first); ) {
            unacknowledged.remove();
            highest = first.tag();
            covered++;
            first = unacknowledged.peek();
        }
        if (covered > 0) {
            // Whatever lies between is acknowledged already; the tag itself never is, or the broker would refuse it.
            channel.ack(highest, covered > 1);
            settledWaiting -= covered;
        }
        // So many beyond the watermark do not wait for the next tick.
        int eagerSingles = Math.max(1, channel.atMostInHand() / 16);
        if (settledWaiting >= eagerSingles || (all && settledWaiting > 0)) {
            acknowledgeSingly();
        }
        channel.flush();
    }

    /**
     * The instructions that have waited in a lane since before a point in time, oldest first.
     *
     * @param takenBefore in nanoseconds of the loop's clock
     */
    List<Instruction> stale(long takenBefore) {
        // Instructions that wait for their copies do not end the search: with a whole prefetch of them that is a few
        // thousand looks a tick.
        List<Instruction> stale = new ArrayList<>();
        for (Instruction instruction : unacknowledged) {
            if (instruction.state == Instruction.State.IN_LANE) {
                if (instruction.takenAtNanos - takenBefore > 0) {
                    break;
                }
                stale.add(instruction);
            }
        }
        return stale;
    }

    private void acknowledgeSingly() {
        unacknowledged.removeIf(instruction -> {
            if (!isSettled(instruction)) {
                return false;
            }
            channel.ack(instruction.tag(), false);
            return true;
        });
        settledWaiting = 0;
    }

    private static boolean isSettled(Instruction instruction) {
        return instruction.state == Instruction.State.SETTLED;
    }
}
