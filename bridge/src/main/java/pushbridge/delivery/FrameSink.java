package pushbridge.delivery;

import pushbridge.outbox.Frame;

/**
 * The delivery loop's way to one client: the seam to the sockets. Nothing here blocks, makes a system call on the
 * calling thread or assumes that the connection ends in this process.
 */
public interface FrameSink {

    /**
     * Puts a frame into the connection's outbox. It goes out at the next {@link #flush()}.
     *
     * @return false when the outbox is full or the connection is closing; then nothing was taken
     */
    boolean offer(Frame frame);

    /**
     * Puts an answer to the client's own request into the outbox, for which there is a small reserve, so that a client
     * that reads is answered even while its messages fill the outbox.
     *
     * @return false when the reserve is used up too; then nothing was taken
     */
    boolean reply(Frame frame);

    /** Lets the frames offered so far go out; called once per batch by the delivery loop. */
    void flush();

    /**
     * Envelopes that have left for the kernel since the connection opened. Grows while the client reads, so it tells a
     * slow client from one that has stopped.
     */
    long written();

    /**
     * Whether what was written last still waits for the client to read: the kernel did not take all of it. Otherwise what
     * is pending waits for this process alone, which is nothing to blame the client for.
     */
    boolean isBlocked();

    /** Bytes that were offered and that the kernel has not taken yet. */
    long pendingBytes();

    /** Closes with a close frame when the client still reads, else by force. Does nothing the second time. */
    void close(CloseCode code);
}
