package pushbridge.delivery;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.LaneMessage.Place;

/**
 * The messages of one address, {@code user.<id>} or {@code connection.<id>}, that its clients do not have yet, in publish
 * order. Exists while some are unsettled, or held and somebody is there to take them: everyone else costs nothing.
 *
 * <p>An index names a message's place; it grows by one a message and is never used again, not even by a later lane of
 * the same address, so that a connection's cursor needs no reset. Loop thread only.
 */
final class Lane {

    private final String address;
    private final boolean ofUser;

    /** A ring: the message with index i is at i modulo the length; null once it has left the lane. */
    private @Nullable LaneMessage[] ring = new LaneMessage[4];
    /** Index of the first message that is still in the lane. */
    private long head;
    /** Index after the last. */
    private long tail;
    /** Index after the last message that was offered to any connection: the window's far edge. */
    private long offeredEnd;
    /** Bytes of the messages from head to offeredEnd that are still in the lane. */
    private long offeredBytes;
    /** Messages here that are in the held log. */
    private int held;
    /** Messages here that are only in the broker's queue. */
    private int inHand;
    /** What the one unconfirmed record of this lane holds, also what has left the ring since; null while there is none. */
    private @Nullable List<LaneMessage> appending;
    /** The number of that record. */
    private long appendingOrdinal;
    /**
     * Since when the lane is held although somebody is connected, in milliseconds since 1970; 0 when that is not so, or it
     * was held when they came.
     */
    long heldSinceMillis;
    /** Bodies of held messages that are here or were asked for. */
    int bodies;
    /** Whether it stands in the queue of those whose bodies wait for room in memory. */
    boolean queuesForBodies;

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

    /** Nothing to deliver and nothing to hear of. */
    boolean isEmpty() {
        return head == tail && appending == null;
    }

    /** Whether later messages have to follow earlier ones into the held log (I3). */
    boolean isHeld() {
        return held > 0 || appending != null;
    }

    int inHand() {
        return inHand;
    }

    /** Messages at the end that no connection was offered. */
    long waiting() {
        return tail - Math.max(head, offeredEnd);
    }

    void append(LaneMessage message) {
        if (tail - head == ring.length) {
            grow();
        }
        message.laneIndex = tail;
        message.lane = this;
        count(message.place, 1);
        ring[slot(tail)] = message;
        tail++;
    }

    /** The message with this index, or null when it has left the lane (settled, expired, copied elsewhere). */
    @Nullable
    LaneMessage get(long index) {
        return ring[slot(index)];
    }

    /** Whether a message may be in flight now: it already is to another connection, or the window has room (I5). */
    boolean windowAdmits(LaneMessage message, int maxMessages, int maxBytes) {
        return isOffered(message)
                || (message.laneIndex - head < maxMessages
                        && (offeredBytes == 0 || offeredBytes + message.size <= maxBytes));
    }

    /** Notes that a message was offered to a connection. */
    void offered(LaneMessage message) {
        if (!isOffered(message)) {
            offeredEnd = message.laneIndex + 1;
            offeredBytes += message.size;
        }
    }

    /** Whether any connection was offered the message. */
    boolean isOffered(LaneMessage message) {
        return message.laneIndex < offeredEnd;
    }

    /** Takes a message out; what follows it stays where it is. */
    void remove(LaneMessage message) {
        if (isOffered(message)) {
            offeredBytes -= message.size;
        }
        ring[slot(message.laneIndex)] = null;
        message.lane = null;
        count(message.place, -1);
        while (head < tail && ring[slot(head)] == null) {
            head++;
        }
        // The window cannot end before the lane begins.
        offeredEnd = Math.max(offeredEnd, head);
    }

    /** A message's safe copy has moved. */
    void moved(LaneMessage message, Place to) {
        if (message.lane == this) {
            count(message.place, -1);
            count(to, 1);
        }
        message.place = to;
    }

    private void count(Place place, int difference) {
        switch (place) {
            case IN_HAND -> inHand += difference;
            case APPENDING -> {}
            case HELD -> held += difference;
        }
    }

    /** Its one unconfirmed record is on its way. */
    void appending(List<LaneMessage> messages, long ordinal) {
        if (appending != null) {
            throw new IllegalStateException("two unconfirmed records for " + address);
        }
        appending = messages;
        appendingOrdinal = ordinal;
    }

    /** What the unconfirmed record holds; empty while there is none. */
    List<LaneMessage> appending() {
        return appending == null ? List.of() : appending;
    }

    /** Whether this is the number of the unconfirmed record. */
    boolean isAppending(long ordinal) {
        return appending != null && appendingOrdinal == ordinal;
    }

    /** The record has come back. */
    List<LaneMessage> appended() {
        List<LaneMessage> messages = appending();
        appending = null;
        return messages;
    }

    /**
     * Goes on for a lane that it replaces.
     *
     * @param replaced what stands in the ring for messages of the old one, if it is not they themselves
     */
    void takeAppendingOf(Lane old, Map<LaneMessage, LaneMessage> replaced) {
        List<LaneMessage> olds = old.appending;
        if (olds != null) {
            List<LaneMessage> news = new ArrayList<>(olds.size());
            olds.forEach(message -> news.add(replaced.getOrDefault(message, message)));
            appending = news;
        }
        appendingOrdinal = old.appendingOrdinal;
    }

    private int slot(long index) {
        return (int) (index & (ring.length - 1));
    }

    private void grow() {
        @Nullable LaneMessage[] larger = new LaneMessage[ring.length * 2];
        for (long i = head; i < tail; i++) {
            larger[(int) (i & (larger.length - 1))] = ring[slot(i)];
        }
        ring = larger;
    }
}
