package pushbridge.amqp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Decides in which order the wanted records of a log are read, by several readers at once. Each reader has a run: it
 * begins at a wanted record and goes upwards, past records nobody wants, for as long as the next wanted one is so near that
 * reading on costs less than beginning anew. What is asked for in front of it meanwhile is served in passing.
 *
 * <p>Two orders. A <em>scan</em> takes what comes next upwards from where the last scan was begun, and from the bottom
 * again after the top, so that everything is reached within one round, however much is asked for. The <em>newest</em>
 * order takes the latest request first and only a short run, so that a single reader who returns in the middle of
 * thousands waits for none of them; those it overtakes are the scans' anyway. Runs keep out of each other's way.
 *
 * <p>Thread-safe; the lock is a leaf, held for microseconds, or for some hundred where a long scan begins among dense
 * demands. Whoever asks bounds how much is outstanding (I5).
 */
final class Elevator {

    /** No offset. */
    static final long NONE = -1;

    /**
     * To begin a read takes the broker about 3 ms (consume, deliver, cancel: three round trips and a seek). In that time
     * it sends about this many bytes.
     */
    private static final int BEGINNING_BYTES = 1 << 20;

    /** What a record costs beside its own bytes: 250-byte records come at 100,000/s, large ones at hundreds of MB/s. */
    private static final int RECORD_BYTES = 4 << 10;

    /** A scan claims so many gaps at most, so that others can go on behind it; its beginning is then 3 % of it. */
    private static final int SCAN_GAPS = 32;

    /** Records that make the average size; a few dozen follow a change of traffic, and one large record does not. */
    private static final int AVERAGED = 64;

    private final TreeMap<Long, Demand> outstanding = new TreeMap<>(); // guarded by this, as all below
    private final TreeSet<Demand> newest = new TreeSet<>(
            Comparator.comparingLong((Demand demand) -> -demand.batch).thenComparingLong(demand -> demand.offset));
    private final List<Run> runs = new ArrayList<>();
    private int ids;
    private long batch;
    /** Whether something was added in this batch. */
    private boolean added;

    private long hand;
    private long averageBytes;

    /** One wanted record and for which messages it is wanted. */
    static final class Demand {
        private final long offset;
        private long batch;
        private long[] wanted = new long[1];
        private int count;

        private Demand(long offset) {
            this.offset = offset;
        }

        long offset() {
            return offset;
        }

        /** What it is wanted for; an id can be there twice. */
        long[] ids() {
            return Arrays.copyOf(wanted, count);
        }
    }

    /** What one reader is at; belongs to its thread, but for the elevator's look at its bounds. */
    static final class Run {
        private final boolean scan;
        /** Everything below was read; guarded by the elevator, as all below. */
        private long position;
        /** The last wanted record that is this run's. */
        private long last;
        /** Whether there is more within reach behind {@link #last}, left to others. */
        private boolean cut;

        private boolean begun;

        private Run(boolean scan, long first) {
            this.scan = scan;
            this.position = first;
        }
    }

    /** Wants a record for one more message; {@link #go} lets readers have it. */
    synchronized void add(long id, long offset) {
        Demand demand = outstanding.get(offset);
        if (demand == null) {
            demand = new Demand(offset);
            outstanding.put(offset, demand);
        } else {
            newest.remove(demand);
            if (demand.count == demand.wanted.length) {
                demand.wanted = Arrays.copyOf(demand.wanted, demand.count * 2);
            }
        }
        demand.wanted[demand.count++] = id;
        demand.batch = batch;
        newest.add(demand);
        ids++;
        added = true;
    }

    /** What was added since the last call is one request, as old as this call. */
    synchronized void go() {
        if (added) {
            added = false;
            batch++;
            notifyAll();
        }
    }

    /** The message is not waited for any more; nothing happens when it was read meanwhile. */
    synchronized void forget(long id, long offset) {
        Demand demand = outstanding.get(offset);
        if (demand == null) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < demand.count; i++) {
            if (demand.wanted[i] != id) {
                demand.wanted[kept++] = demand.wanted[i];
            }
        }
        ids -= demand.count - kept;
        demand.count = kept;
        if (kept == 0) {
            outstanding.remove(offset);
            newest.remove(demand);
        }
    }

    /** Messages asked for and not read, those asked for twice counted twice. */
    synchronized int waiting() {
        return ids;
    }

    /** Waits until there is something for a reader to do. */
    synchronized Run await(boolean scan) throws InterruptedException {
        Run run = claim(scan);
        while (run == null) {
            wait();
            run = claim(scan);
        }
        return run;
    }

    /** A run from now on, or null when whatever is wanted is in the way of others already. */
    synchronized @Nullable Run claim(boolean scan) {
        long first = scan ? nextFree(hand) : newestFree();
        if (scan && first == NONE) {
            first = nextFree(0);
        }
        if (first == NONE) {
            return null;
        }
        Run run = new Run(scan, first);
        extend(run, first);
        if (scan) {
            hand = run.last + 1;
        }
        runs.add(run);
        return run;
    }

    /** The reader is through with it, or cannot go on: what is left of it is anybody's. */
    synchronized void release(Run run) {
        runs.remove(run);
        if (!outstanding.isEmpty()) {
            notifyAll();
        }
    }

    /**
     * The record to begin with, or to read on to; {@link #NONE} when the run is over.
     */
    synchronized long target(Run run) {
        Long next = outstanding.ceilingKey(run.position);
        if (next == null) {
            return NONE;
        }
        if (!run.begun) {
            // Reading begins exactly there: what somebody asks for between here and there from now on is not in its
            // way.
            run.position = next;
        } else if (next - run.position >= gap()) {
            return NONE; // the others between were served or forgotten
        }
        if (next > run.last) {
            if (!run.scan || !run.begun || next >= frontier(run, run.position)) {
                return NONE;
            }
            extend(run, next);
        }
        return next;
    }

    /** Whether the run has more than the record it is to begin with. */
    synchronized boolean isWide(Run run) {
        return run.last > run.position;
    }

    /** The run is to begin once more: what it has read stays read. */
    synchronized void beginAgain(Run run) {
        run.begun = false;
    }

    /**
     * A record has come to a run. Returns what is answered by that: the one wanted at this offset, and before it the one that
     * reading began at, if that has not come, since the log has it no more. Nobody else is given them. Nothing else is ever
     * taken for gone: it would be lost, so somebody begins to read right there first.
     */
    synchronized List<Demand> arrived(Run run, long offset, int bytes) {
        averageBytes += (bytes - averageBytes) / AVERAGED;
        List<Demand> answered = List.of();
        for (Long next = outstanding.ceilingKey(run.position);
                next != null && next <= offset;
                next = outstanding.higherKey(next)) {
            if (next == offset || (!run.begun && next == run.position)) {
                if (answered.isEmpty()) {
                    answered = new ArrayList<>(1);
                }
                answered.add(take(next));
            }
        }
        run.position = Math.max(run.position, offset + 1);
        run.begun = true;
        return answered;
    }

    /** Records further apart than this are not read in one go. */
    synchronized long gap() {
        return Math.max(1, BEGINNING_BYTES / (RECORD_BYTES + averageBytes));
    }

    private Demand take(long offset) {
        Demand demand = outstanding.remove(offset);
        if (demand == null) {
            throw new IllegalStateException("nobody wants offset " + offset);
        }
        newest.remove(demand);
        ids -= demand.count;
        return demand;
    }

    /** Claims what can be read in one go from a wanted record on. */
    private void extend(Run run, long first) {
        long gap = gap();
        long end = first + (run.scan ? SCAN_GAPS * gap : gap);
        long frontier = frontier(run, first);
        run.last = first;
        run.cut = false;
        for (long next : outstanding.tailMap(first, false).keySet()) {
            if (next - run.last > gap || next >= frontier) {
                return;
            }
            if (next > end) {
                run.cut = true;
                return;
            }
            run.last = next;
        }
    }

    /** Where the next run of another one begins. */
    private long frontier(Run own, long from) {
        long frontier = Long.MAX_VALUE;
        for (Run run : runs) {
            if (run != own && run.position >= from) {
                frontier = Math.min(frontier, run.position);
            }
        }
        return frontier;
    }

    /** The first wanted record from there on that is in no run's way. */
    private long nextFree(long from) {
        Long next = outstanding.ceilingKey(from);
        while (next != null) {
            Run owner = null;
            for (Run run : runs) {
                if (run.position <= next && next <= reach(run)) {
                    owner = run;
                }
            }
            if (owner == null) {
                return next;
            }
            next = outstanding.higherKey(reach(owner));
        }
        return NONE;
    }

    /** The newest that no run is about to come to. */
    private long newestFree() {
        for (Demand demand : newest) {
            boolean soon = false;
            for (Run run : runs) {
                soon |= run.position <= demand.offset && demand.offset <= Math.min(reach(run), run.position + gap());
            }
            if (!soon) {
                return demand.offset;
            }
        }
        return NONE;
    }

    /** So far a run goes, or would if something were wanted there. */
    private long reach(Run run) {
        return run.scan && !run.cut ? run.last + gap() : run.last;
    }
}
