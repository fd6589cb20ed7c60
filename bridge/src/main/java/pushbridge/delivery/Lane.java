package pushbridge.delivery;

import org.jspecify.annotations.Nullable;

/**
 * The unsettled messages of one address, {@code user.<id>} or {@code connection.<id>}, in publish order. Exists only
 * while there are any: everyone else costs nothing.
 *
 * <p>An index names a message's place; it grows by one a message and is never used again, not even by a later lane of
 * the same address, so that a connection's cursor needs no reset. Loop thread only.
 */
final class Lane {

    private final String address;
    private final boolean ofUser;

    /** A ring: the message with index i is at i modulo the length; null once it has left the lane. */
    private @Nullable Instruction[] ring = new Instruction[4];
    /** Index of the first message that is still in the lane. */
    private long head;
    /** Index after the last. */
    private long tail;
    /** Index after the last message that was offered to any connection: the window's far edge. */
    private long offeredEnd;
    /** Bytes of the messages from head to offeredEnd that are still in the lane. */
    private long offeredBytes;

    /**
     * @param firstIndex above every index used before, anywhere
     */
    Lane(String address, boolean ofUser, long firstIndex) {
        this.address = address;
        this.ofUser = ofUser;
        this.head = firstIndex;
        this.tail = firstIndex;
        this.offeredEnd = firstIndex;
    }

    String address() {
        return address;
    }

    boolean isOfUser() {
        return ofUser;
    }

    long head() {
        return head;
    }

    long tail() {
        return tail;
    }

    boolean isEmpty() {
        return head == tail;
    }

    void append(Instruction instruction) {
        if (tail - head == ring.length) {
            grow();
        }
        instruction.laneIndex = tail;
        instruction.lane = this;
        instruction.state = Instruction.State.IN_LANE;
        ring[slot(tail)] = instruction;
        tail++;
    }

    /** The message with this index, or null when it has left the lane (settled, expired, copied elsewhere). */
    @Nullable
    Instruction get(long index) {
        return ring[slot(index)];
    }

    /** Whether a message may be in flight now: it already is to another connection, or the window has room. */
    boolean windowAdmits(long index, int maxMessages, int maxBytes) {
        if (index < offeredEnd) {
            return true;
        }
        Instruction instruction = ring[slot(index)];
        int size = instruction == null ? 0 : instruction.frame().size();
        return index - head < maxMessages && (offeredBytes == 0 || offeredBytes + size <= maxBytes);
    }

    /** Notes that a message was offered to a connection. */
    void offered(Instruction instruction) {
        if (instruction.laneIndex >= offeredEnd) {
            offeredEnd = instruction.laneIndex + 1;
            offeredBytes += instruction.frame().size();
        }
    }

    /** Whether any connection was offered the message. */
    boolean isOffered(Instruction instruction) {
        return instruction.laneIndex < offeredEnd;
    }

    /** Takes a message out; what follows it stays where it is. */
    void remove(Instruction instruction) {
        if (isOffered(instruction)) {
            offeredBytes -= instruction.frame().size();
        }
        ring[slot(instruction.laneIndex)] = null;
        instruction.lane = null;
        while (head < tail && ring[slot(head)] == null) {
            head++;
        }
        // The window cannot end before the lane begins.
        offeredEnd = Math.max(offeredEnd, head);
    }

    /** Lets go of every message: its generation has ended, and a late confirmation of it means nothing (I6). */
    void abandon() {
        for (long index = head; index < tail; index++) {
            Instruction instruction = ring[slot(index)];
            if (instruction != null) {
                instruction.lane = null;
            }
        }
        head = tail;
    }

    private int slot(long index) {
        return (int) (index & (ring.length - 1));
    }

    private void grow() {
        @Nullable Instruction[] larger = new Instruction[ring.length * 2];
        for (long i = head; i < tail; i++) {
            larger[(int) (i & (larger.length - 1))] = ring[slot(i)];
        }
        ring = larger;
    }
}
