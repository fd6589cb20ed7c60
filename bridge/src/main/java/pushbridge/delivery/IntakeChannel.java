package pushbridge.delivery;

/**
 * One generation of the intake: a broker channel from its opening to its end. Delivery tags mean something only on the
 * generation they came from (I6), so the loop settles an instruction on {@link Instruction#channel()} and nowhere else.
 */
public interface IntakeChannel {

    /** Counts the generations of this process, from 1. */
    long generation();

    /** How many of its instructions may be unsettled at a time, as things are now: 1 up to the prefetch. */
    int atMostInHand();

    /**
     * Queues an acknowledgement; never blocks and makes no system call. After the channel has ended it does nothing:
     * the broker redelivers what was not acknowledged.
     *
     * @param multiple also everything unacknowledged below the tag; the tag itself must not be acknowledged yet
     */
    void ack(long tag, boolean multiple);

    /** Lets the acknowledgements queued so far go out; called once per batch. */
    void flush();
}
