package pushbridge.delivery;

/** What a connection tells the delivery loop. Any thread; nothing here blocks. */
public interface SessionReports {

    /** Random and unguessable: whoever knows it can be addressed as {@code connection.<id>}. */
    String id();

    /**
     * The client has the first {@code envelopes} envelopes of this connection. A number below an earlier one changes
     * nothing.
     *
     * @param envelopes counted from 1
     */
    void confirmed(long envelopes);

    /** A frame was refused before; now the outbox has room again. */
    void progressed();

    /**
     * Hands on a request.
     *
     * @return false when too many of this client's requests wait already: it is flooding, close it
     */
    boolean request(ClientRequest request);

    /** The connection is gone; nothing offered to it any more arrives. Idempotent. */
    void closed();
}
