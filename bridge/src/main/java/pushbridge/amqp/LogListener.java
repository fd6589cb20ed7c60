package pushbridge.amqp;

/** Told what is in the held log, in order, by the thread of a {@link LogTail}. */
public interface LogListener {

    /**
     * The next record. Offsets grow but are not contiguous: the broker uses some itself. The listener may block, and
     * so pushes back: then the broker soon sends no more. It must not throw; when it does, {@link #failed} follows.
     *
     * @param writtenMillis when its writer sent it, in milliseconds since 1970; 0 when it does not say
     */
    void record(long offset, byte[] record, long writtenMillis);

    /** Records were deleted by the broker before they were read: they are lost. The next record follows. */
    void truncated(TruncatedFrom gap);

    /**
     * Everything that was in the log when that was asked has been handed over: after each (re)connect, and after {@link
     * LogTail#askEnd}. "In the log" is as the connected node knows it, and it may lag behind the others; who must
     * be certain appends a record of its own and waits for that.
     *
     * @param end the offset of what was then the last record; -1 when the log was empty
     */
    void caughtUp(long end);

    /**
     * The stream is another one now: it was deleted and declared again, or the broker lost its end. Nothing more
     * follows from this tail, since offsets mean something else from here on; whoever goes on starts anew with a new
     * tail at the first offset.
     *
     * @param sentence what was found, for an operator
     */
    void replaced(String sentence);

    /**
     * This listener has thrown, so it may lack a record, and nothing more follows from this tail: to go on would hide that.
     */
    void failed(RuntimeException cause);

    /**
     * A part of the log that the broker has deleted.
     *
     * @param asked the offset that should have come
     * @param got the first offset there was
     */
    record TruncatedFrom(long asked, long got) {}
}
