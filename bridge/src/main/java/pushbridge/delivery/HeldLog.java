package pushbridge.delivery;

import pushbridge.hold.LogRecord;

/**
 * The held log as the loop uses it: what is appended comes back, in order, as {@link DeliveryLoop#logged}. Nothing here
 * blocks.
 */
public interface HeldLog {

    /** Appends a record behind all earlier ones. */
    void append(LogRecord record);

    /**
     * Asks for a held message; answered by {@link DeliveryLoop#heldRead} or {@link DeliveryLoop#heldMissing}.
     *
     * @param offset of the record that holds it
     */
    void read(long id, long offset);

    /**
     * A message that was asked for is not needed any more. It may be answered all the same.
     *
     * @param offset the one it was asked for with
     */
    void forget(long id, long offset);

    /** Lets what was asked for go out; called once per batch. */
    void flush();

    /**
     * The fold that began at this checkpoint did not arrive at what it says: {@link DeliveryLoop#logBegins} follows with
     * none, then every record there is.
     */
    void rewind(LogRecord.Checkpoint wrong);

    /** Makes the original of a held message again, for a copy of it or to be looked at. Any thread. */
    Original restore(byte[] properties, byte[] body);
}
