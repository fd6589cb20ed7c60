package pushbridge.delivery;

import org.jspecify.annotations.Nullable;

/**
 * One connected client, as the loop and its socket see it. The socket's threads report what happened; reports are
 * coalesced, so that at most one event a session waits in the loop's queue whatever the client does (I5).
 */
@SuppressWarnings({"DoNotCallSuggester", "UnusedVariable"}) // a stub until the loop is written
public final class Session implements SessionReports {

    private final String id;
    private final @Nullable String user;
    private final Confirmation confirmation;
    private final FrameSink sink;

    Session(String id, @Nullable String user, Confirmation confirmation, FrameSink sink) {
        this.id = id;
        this.user = user;
        this.confirmation = confirmation;
        this.sink = sink;
    }

    /** Random and unguessable: whoever knows it can be addressed as {@code connection.<id>}. */
    @Override
    public String id() {
        return id;
    }

    /** Who is connected; null for an anonymous client. */
    public @Nullable String user() {
        return user;
    }

    /** What counts as "the browser has it" here. */
    public Confirmation confirmation() {
        return confirmation;
    }

    /** The way to the client. */
    public FrameSink sink() {
        return sink;
    }

    /**
     * The client has the first {@code envelopes} envelopes of this connection. Any thread; a number below an earlier one
     * changes nothing.
     *
     * @param envelopes counted from 1
     */
    @Override
    public void confirmed(long envelopes) {
        throw new UnsupportedOperationException();
    }

    /** The outbox has room again, or was written to while the loop waits for that. Any thread. */
    @Override
    public void progressed() {
        throw new UnsupportedOperationException();
    }

    /**
     * Hands on a request. Any thread.
     *
     * @return false when too many of this client's requests wait already: it is flooding, close it
     */
    @Override
    public boolean request(ClientRequest request) {
        throw new UnsupportedOperationException();
    }

    /** The connection is gone; nothing offered to it any more arrives. Any thread, idempotent. */
    @Override
    public void closed() {
        throw new UnsupportedOperationException();
    }
}
