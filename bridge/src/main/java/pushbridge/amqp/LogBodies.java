package pushbridge.amqp;

/**
 * Takes what a {@link LogReader} has read. Called by the reader's threads, for one request by several of them at the same
 * time. It may block, which holds up that read only; it must not throw.
 */
public interface LogBodies {

    /** One record. */
    void body(long offset, byte[] record);

    /**
     * The log has no record at this offset: the broker has deleted it.
     *
     * @param offset the one asked for; for a sweep its first one, which stands for all that are gone
     */
    void missing(long offset);

    /** Everything asked for was handed over or is missing; the last call. */
    void done();
}
