package pushbridge.hold;

import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A hash table of slots, with the keys elsewhere. It is a linear hash table: it grows and shrinks by one bucket at a time,
 * so its memory follows what is in it and no single call ever rehashes everything.
 */
final class Chains {

    static final int NONE = -1;

    private static final int MIN_BUCKETS = 16;

    private final IntToLongFunction hashOf;
    private final Pages.Ints heads = new Pages.Ints();
    private final Pages.Ints next = new Pages.Ints();

    /** Null when keys are unique: then chains are short, and finding the one before is cheap. */
    private final Pages.@Nullable Ints previous;

    private int buckets = MIN_BUCKETS;
    private int size;

    /**
     * @param hashOf the well mixed hash of a slot that is in the table
     * @param manyAlike whether many slots may have the same key
     */
    Chains(IntToLongFunction hashOf, boolean manyAlike) {
        this.hashOf = hashOf;
        this.previous = manyAlike ? new Pages.Ints() : null;
        heads.fit(buckets);
        for (int i = 0; i < buckets; i++) {
            heads.set(i, NONE);
        }
    }

    /** Makes room for slots below this number; those beyond must be out of the table. */
    void fit(int slots) {
        next.fit(slots);
        if (previous != null) {
            previous.fit(slots);
        }
    }

    /** The first slot that may have this hash, or {@link #NONE}. */
    int first(long hash) {
        return heads.get(bucket(hash));
    }

    /** The next slot that may have the same hash, or {@link #NONE}. */
    int next(int slot) {
        return next.get(slot);
    }

    void add(int slot, long hash) {
        push(bucket(hash), slot);
        size++;
        if (size > buckets) {
            split();
        }
    }

    void remove(int slot, long hash) {
        int after = next.get(slot);
        link(bucket(hash), before(slot, hash), after);
        size--;
        while (buckets > MIN_BUCKETS && size < buckets / 2) {
            merge();
        }
    }

    /** The slot gets another number; the table's keys need not know yet. */
    void renumber(int from, int to, long hash) {
        int before = before(from, hash);
        int after = next.get(from);
        link(bucket(hash), before, to);
        next.set(to, after);
        if (previous != null) {
            previous.set(to, before);
            if (after != NONE) {
                previous.set(after, to);
            }
        }
    }

    long heapBytes() {
        return heads.heapBytes() + next.heapBytes() + (previous == null ? 0 : previous.heapBytes());
    }

    private int before(int slot, long hash) {
        if (previous != null) {
            return previous.get(slot);
        }
        int before = NONE;
        for (int at = first(hash); at != slot; at = next.get(at)) {
            before = at;
        }
        return before;
    }

    private void link(int bucket, int before, int after) {
        if (before == NONE) {
            heads.set(bucket, after);
        } else {
            next.set(before, after);
        }
        if (previous != null && after != NONE) {
            previous.set(after, before);
        }
    }

    private void push(int bucket, int slot) {
        int head = heads.get(bucket);
        next.set(slot, head);
        if (previous != null) {
            previous.set(slot, NONE);
            if (head != NONE) {
                previous.set(head, slot);
            }
        }
        heads.set(bucket, slot);
    }

    /** With buckets between two powers of two, those from the lower one on are halves that were split off already. */
    private int bucket(long hash) {
        int half = Integer.highestOneBit(buckets);
        int bucket = (int) hash & (2 * half - 1);
        return bucket < buckets ? bucket : bucket & (half - 1);
    }

    private void split() {
        int created = buckets;
        int source = created & (Integer.highestOneBit(created) - 1);
        buckets++;
        heads.fit(buckets);
        heads.set(created, NONE);
        int slot = heads.get(source);
        heads.set(source, NONE);
        while (slot != NONE) {
            int after = next.get(slot);
            push(bucket(hashOf.applyAsLong(slot)), slot);
            slot = after;
        }
    }

    private void merge() {
        int removed = buckets - 1;
        int target = removed & (Integer.highestOneBit(removed) - 1);
        int slot = heads.get(removed);
        buckets--;
        heads.fit(buckets);
        while (slot != NONE) {
            int after = next.get(slot);
            push(target, slot);
            slot = after;
        }
    }
}
