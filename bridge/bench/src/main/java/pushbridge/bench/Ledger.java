package pushbridge.bench;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Keeps account of what users get from {@link Flood}s: each user's seqs begin at the user's number and go up by the
 * number of users, whatever the connection. Users are told apart by {@link Client#number}.
 */
final class Ledger implements Swarm.Listener {

    private static final long NONE = -1;

    private final int users;
    /** The highest seq of each user. */
    private final AtomicLongArray highest;
    /** The latest seq of each user's present connection. */
    private final AtomicLongArray latest;

    private final LongAdder distinct = new LongAdder();
    private final LongAdder duplicates = new LongAdder();
    private final LongAdder disorder = new LongAdder();
    private final LongAdder gaps = new LongAdder();
    private final LongAdder closed = new LongAdder();
    private final AtomicLong lastNanos = new AtomicLong();
    private volatile String whyClosed = "";

    Ledger(int users) {
        this.users = users;
        highest = new AtomicLongArray(users);
        latest = new AtomicLongArray(users);
        for (int user = 0; user < users; user++) {
            highest.set(user, user - users);
            latest.set(user, NONE);
        }
    }

    @Override
    public void opened(Client client) {
        latest.set(client.number, NONE);
    }

    @Override
    public void message(Client client, ByteBuffer text, int from, int to) {
        int user = client.number;
        long seq = Text.seq(text, from, to);
        long before = latest.getAndSet(user, seq);
        if (before != NONE && seq != before + users) {
            disorder.increment();
        }
        long known = highest.get(user);
        if (seq <= known) {
            duplicates.increment();
        } else {
            gaps.add((seq - known) / users - 1);
            highest.set(user, seq);
            distinct.increment();
            lastNanos.accumulateAndGet(System.nanoTime(), Math::max);
        }
    }

    @Override
    public void closed(Client client, String why) {
        whyClosed = why;
        closed.increment();
    }

    /** Different messages so far. */
    long distinct() {
        return distinct.sum();
    }

    /** Messages that were had before. */
    long duplicates() {
        return duplicates.sum();
    }

    /** Messages that came on one connection without following the one before. */
    long disorder() {
        return disorder.sum();
    }

    /** Messages that were left out when a later one came. */
    long gaps() {
        return gaps.sum();
    }

    /** Connections that the bridge ended, or refused. */
    long closed() {
        return closed.sum();
    }

    /** Why the latest of them was. */
    String whyClosed() {
        return whyClosed;
    }

    /** When the latest new message came, by {@link System#nanoTime}; 0 before the first. */
    long lastNanos() {
        return lastNanos.get();
    }
}
