package pushbridge.delivery;

import pushbridge.envelope.DeadLetterReason;

/**
 * Publishes safe copies of instructions that cannot be delivered. Each call ends, possibly much later, in
 * {@link DeliveryLoop#copySafe}, once the broker has confirmed the copy; or never, when the generation of the
 * instruction ended before (the broker then redelivers it). Nothing here blocks.
 */
public interface Copies {

    /**
     * Copies to the dead-letter queue.
     *
     * @param detail one sentence on what was wrong
     */
    void dead(Instruction instruction, DeadLetterReason reason, String detail);

    /** Copies to the queue of expired instructions. */
    void expired(Instruction instruction);
}
