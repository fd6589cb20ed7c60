package pushbridge.delivery;

/**
 * What a connection tells the delivery loop. Every method may be called from any thread and none blocks. Reports are
 * coalesced: whatever a client does, at most one event of its session waits in the loop's queue (I5).
 */
public interface SessionReports {

    /** Random and unguessable: whoever knows it can be addressed as {@code connection.<id>}. */
    String id();

    /**
     * The client has the first {@code envelopes} envelopes of this connection; a number below an earlier one changes
     * nothing.
     *
     * @param envelopes counted from 1; never more than have left through the sink
     */
    void confirmed(long envelopes);

    /** The outbox has refused a frame and now has room again. */
    void progressed();

    /**
     * Hands on a request of the client.
     *
     * @return false when too many of this client's requests wait already: it is flooding, close it
     */
    boolean request(ClientRequest request);

    /** The connection is gone, or no longer takes frames; nothing offered to it any more arrives. Idempotent. */
    void closed();
}
