package pushbridge.amqp;

/**
 * Takes what a {@link LogReader} has read. Called by the reader's threads, several at the same time. It may block, and so
 * pushes back: then the broker soon sends no more. It must not throw anything else.
 */
public interface LogBodies {

    /**
     * A record that was asked for.
     *
     * @param ids what it was asked for, at least one; one can be there twice
     */
    void body(long offset, long[] ids, byte[] record) throws InterruptedException;

    /** The log has no record at this offset: the broker has deleted it. */
    void missing(long offset, long[] ids) throws InterruptedException;
}
