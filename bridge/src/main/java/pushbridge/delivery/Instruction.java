package pushbridge.delivery;

import org.jspecify.annotations.Nullable;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;
import pushbridge.hold.ContentHash;
import pushbridge.outbox.Frame;

/**
 * One push-instruction in hand: delivered by the broker, read and checked, and not settled yet. Made by the intake;
 * the mutable part belongs to the delivery loop's thread.
 */
public final class Instruction {

    /** {@link #expiresAtMillis()} of an instruction that waits as long as it has to. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Where an instruction stands. It ends in SETTLED or LEFT, or with its generation. */
    enum State {
        /** Not looked at by the loop. */
        NEW,
        /** In a lane: offered, or waiting for the window. */
        IN_LANE,
        /** On its way into the outboxes of many. */
        FANNING_OUT,
        /** Its copy is being published. */
        COPYING,
        /** Left to the broker, because the bridge is leaving. */
        LEFT,
        /** One outcome is certain; the acknowledgement is sent or on its way. */
        SETTLED
    }

    private final IntakeChannel channel;
    private final long tag;
    private final Original original;
    private final Reading reading;
    private final OfflinePolicy policy;
    private final long expiresAtMillis;
    private final @Nullable Frame frame;

    // Loop thread only, from here on.
    State state = State.NEW;
    /** When the loop took it, in nanoseconds of its clock. */
    long takenAtNanos;
    /** Its message in a lane; null outside {@link State#IN_LANE}. */
    @Nullable
    LaneMessage laneMessage;
    /** Why it is being dead-lettered; null when it is not, or is copied because it expired. */
    @Nullable
    DeadLetterReason deadReason;
    /** One sentence on that. */
    @Nullable
    String deadDetail;

    /**
     * @param channel the generation it came from
     * @param tag its delivery tag there
     * @param reading the envelope, or why it is refused
     * @param policy what happens when nobody is there; not looked at for a refusal
     * @param expiresAtMillis wall time after which it is not to be delivered any more, or {@link #NEVER}
     */
    public Instruction(
            IntakeChannel channel,
            long tag,
            Original original,
            Reading reading,
            OfflinePolicy policy,
            long expiresAtMillis) {
        this.channel = channel;
        this.tag = tag;
        this.original = original;
        this.reading = reading;
        this.policy = policy;
        this.expiresAtMillis = expiresAtMillis;
        // Encoded by the intake's thread: the loop never touches bodies.
        this.frame = reading instanceof Envelope envelope
                ? Frame.envelope(
                        envelope.body(),
                        switch (envelope.to().kind()) {
                            case USER, CONNECTION -> true;
                            case CHANNEL, ALL -> false;
                        },
                        original.publishedMillis(),
                        original.askedReceipt())
                : null;
    }

    /** The only channel it may be settled on (I6). */
    public IntakeChannel channel() {
        return channel;
    }

    /** The delivery tag, unique within its {@link #channel()}. */
    public long tag() {
        return tag;
    }

    /** What was published. */
    public Original original() {
        return original;
    }

    /** The envelope, or why it is refused. */
    public Reading reading() {
        return reading;
    }

    /** What happens when nobody is there. */
    public OfflinePolicy policy() {
        return policy;
    }

    /** Wall time in milliseconds after which it is not to be delivered any more, or {@link #NEVER}. */
    public long expiresAtMillis() {
        return expiresAtMillis;
    }

    /** The address as far as it is known; null when the instruction is refused for having none. */
    public @Nullable String address() {
        if (reading instanceof Envelope envelope) {
            return envelope.to().text();
        }
        return ((Reading.Refusal) reading).address();
    }

    /** Whether it may have been delivered to a bridge before. */
    public boolean isRedelivered() {
        return original.redelivered();
    }

    /** Recognises it in the held log when it is delivered again. */
    long contentHash() {
        String address = address();
        return ContentHash.of(address == null ? "" : address, original.messageId(), original.body());
    }

    Frame frame() {
        if (frame == null) {
            throw new IllegalStateException("a refused instruction has no frame");
        }
        return frame;
    }
}
