package pushbridge.bench;

import java.util.Collection;

/** A server that sends what it is given to all its clients: the bridge, or one to compare it with. */
interface Peer extends AutoCloseable {

    String name();

    int port();

    Dialect dialect();

    /** Whose processor time counts. */
    Collection<Long> pids();

    /** Gives it a message; returns before it is sent. */
    void send(byte[] envelope) throws BenchException;

    @Override
    void close() throws BenchException;
}
