package pushbridge.delivery;

import org.jspecify.annotations.Nullable;
import pushbridge.envelope.AskedReceipt;
import pushbridge.outbox.Frame;

/** One message in a lane, wherever its safe copy lives. Loop thread only. */
final class LaneMessage {

    /** Where the copy lives that outlives this process. */
    enum Place {
        /** In the broker's queue, unsettled. */
        IN_HAND,
        /** On its way into the held log; the record has not come back yet. */
        APPENDING,
        /** In the held log. */
        HELD
    }

    Place place;
    /** The delivery to settle; null once it is settled, or its generation has ended. */
    @Nullable
    Instruction instruction;
    /** What goes to the client; a held message has it only from when its body is here until everybody was offered it. */
    @Nullable
    Frame frame;
    /** What its publisher wants to be told; known from when its body was here for the first time. */
    @Nullable
    AskedReceipt asked;
    /** Whether a client has had it while its record was on the way. */
    boolean delivered;
    /** What recognises it when the broker delivers it again; only from {@link Place#APPENDING} on. */
    long contentHash;
    /** Whether the body of a held message is here or was asked for: then it counts against what may be in memory. */
    boolean wanted;

    /** Its name in the held log; 0 while it has none. */
    long id;
    /** Where the held log was asked for it; only while it is wanted. */
    long offset;
    /** Wall time in milliseconds after which it is not to be delivered any more. */
    final long deadlineMillis;
    /** Bytes it takes in a window. */
    final int size;

    /** When it was published, in milliseconds since 1970; 0 when that is not known, or it came from the held log. */
    final long publishedMillis;

    /** Its place in the order of its lane. */
    long laneIndex;
    /** Null once it has left. */
    @Nullable
    Lane lane;

    private LaneMessage(Place place, long deadlineMillis, int size, long publishedMillis) {
        this.place = place;
        this.deadlineMillis = deadlineMillis;
        this.size = size;
        this.publishedMillis = publishedMillis;
    }

    static LaneMessage inHand(Instruction instruction) {
        Frame frame = instruction.frame();
        LaneMessage message =
                new LaneMessage(Place.IN_HAND, instruction.expiresAtMillis(), frame.size(), frame.publishedMillis());
        message.instruction = instruction;
        message.frame = frame;
        message.asked = frame.asked();
        return message;
    }

    Instruction requireInstruction() {
        if (instruction == null) {
            throw new IllegalStateException("message " + id + " is settled already");
        }
        return instruction;
    }

    static LaneMessage held(long id, long deadlineMillis, int size) {
        LaneMessage message = new LaneMessage(Place.HELD, deadlineMillis, size, 0);
        message.id = id;
        return message;
    }

    /** The same message for another place in its lane; this one is not used any more. */
    LaneMessage again() {
        LaneMessage again = new LaneMessage(place, deadlineMillis, size, publishedMillis);
        again.id = id;
        again.contentHash = contentHash;
        again.frame = place == Place.HELD ? null : frame;
        again.instruction = instruction;
        if (instruction != null) {
            instruction.laneMessage = again;
        }
        return again;
    }
}
