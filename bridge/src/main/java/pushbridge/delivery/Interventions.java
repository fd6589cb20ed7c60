package pushbridge.delivery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Happening.Kind;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.hold.HeldIndex;
import pushbridge.hold.HeldMessage;

/**
 * What operators look at and do among the held messages, in bites that the loop has time for: {@link HeldDesk} asks for one
 * after the other. Loop thread only.
 *
 * <p>I1: a message that is dropped is released because somebody said so, and it is called dropped when the release is in
 * the log; one that is dead-lettered is released when its copy is safe. A process that dies in between leaves it held.
 */
final class Interventions {

    /** Addresses of which one message each is being copied to the dead letters (I5). */
    static final int MOST_AT_A_TIME = 256;

    private final Directory directory;
    private final Holding holding;
    private final Lanes lanes;
    private final Copies copies;
    private final DeliveryStats stats;
    private final Clock clock;
    private final Watchers watchers;

    private final Map<String, DeadLettering> deadLettering = new LinkedHashMap<>();
    /** The same by the message that is being copied. */
    private final Map<Long, DeadLettering> copying = new HashMap<>();
    /** What was dropped and is not released in the log yet, in order. */
    private final Deque<Dropped> dropping = new ArrayDeque<>();

    Interventions(
            Directory directory,
            Holding holding,
            Lanes lanes,
            Copies copies,
            DeliveryStats stats,
            Clock clock,
            Watchers watchers) {
        this.directory = directory;
        this.holding = holding;
        this.lanes = lanes;
        this.copies = copies;
        this.stats = stats;
        this.clock = clock;
        this.watchers = watchers;
    }

    // ---- looking -------------------------------------------------------------------------------------------------

    /**
     * A bite of all addresses.
     *
     * @param next where the bite behind it begins; {@link HeldIndex#NONE} behind the last
     * @param highestId of all messages that were held by now
     */
    record Bite(List<HeldAddress> addresses, int next, long highestId) {}

    /**
     * Looks at addresses from one number of {@link HeldIndex#laneBelow} on.
     *
     * @param upToId messages that came later are left out
     * @param looks at how many addresses and messages to look, about
     */
    Bite addresses(int below, HeldFilter filter, long upToId, int looks) {
        List<HeldAddress> found = new ArrayList<>();
        long now = clock.wallMillis();
        int looked = 0;
        int last = below;
        int lane = holding.laneBelow(below);
        for (; lane != HeldIndex.NONE && looked < looks; lane = holding.laneBelow(lane)) {
            last = lane;
            looked++;
            if (filter.fits(holding.index().laneAddress(lane))) {
                HeldAddress held = holding.address(lane, upToId, directory, now);
                if (held != null) {
                    looked += held.messages();
                    if (filter.fits(held)) {
                        found.add(held);
                    }
                }
            }
        }
        return new Bite(
                found,
                lane == HeldIndex.NONE ? HeldIndex.NONE : last,
                holding.index().highestId());
    }

    /** What is held for one address; null when nothing is. */
    @Nullable
    HeldAddress address(String address) {
        int lane = holding.index().lane(address);
        return lane == HeldIndex.NONE ? null : holding.address(lane, Long.MAX_VALUE, directory, clock.wallMillis());
    }

    /**
     * Some of what is held for an address, each message read from the log.
     *
     * @param taker told each message that is being read, and gets it when it is here, or null when it is not held any more
     * @param mostBytes of bodies; the first message comes whatever its size
     * @return whether more follow
     */
    boolean look(String address, long afterId, int most, long mostBytes, Looked taker) {
        HeldIndex index = holding.index();
        long now = clock.wallMillis();
        int offered = lanes.offered(address);
        int before = holding.heldIds(address, 0, afterId, Integer.MAX_VALUE).size();
        long bytes = 0;
        int looked = 0;
        for (long id : holding.heldIds(address, afterId, Long.MAX_VALUE, most + 1)) {
            int entry = index.entry(id);
            bytes += index.bodyBytes(entry);
            if (looked == most || (looked > 0 && bytes > mostBytes)) {
                return true;
            }
            boolean isOffered = before + looked < offered;
            Consumer<@Nullable HeldMessage> reader = taker.at(
                    new HeldPage.Held(id, address, index.deadlineMillis(entry), index.bodyBytes(entry)),
                    holding.heldByMillis(id, now),
                    isOffered);
            if (!holding.look(id, reader)) {
                reader.accept(null);
            }
            looked++;
        }
        return false;
    }

    /** Takes what is known of a message, and says who takes the message itself. */
    @FunctionalInterface
    interface Looked {
        Consumer<@Nullable HeldMessage> at(HeldPage.Held held, long heldMillis, boolean offered);
    }

    /** Whether an address waits until there is room in memory for what is held for it. */
    boolean waitsForRoom(String address) {
        return lanes.queuesForBodies(address);
    }

    // ---- acting --------------------------------------------------------------------------------------------------

    /** Why nothing can be done now; null when something can. */
    @Nullable
    String hindrance() {
        if (!holding.isWriter()) {
            return "This bridge does not own the held log: ask the owner, or wait until this one is it.";
        }
        return holding.isInDoubt() ? "It is being found out whether this bridge still is the owner; try again." : null;
    }

    /** Offers an address what waits for it once more, from the head; whether anybody is there. */
    boolean offerAgain(String address) {
        boolean there = lanes.offerAgain(address);
        if (there) {
            stats.countReleased();
            if (watchers.any()) {
                watchers.tell(Kind.RELEASED, address, null, 1, "an operator has all of it offered again");
            }
        }
        return there;
    }

    private record Dropped(CompletableFuture<Integer> done, int messages, long lastId) {}

    /**
     * Drops what is held for an address.
     *
     * @param most at a time
     * @param done completed with how many those were when their release is in the log; less than {@code most} for the last
     */
    void drop(String address, long upToId, int most, CompletableFuture<Integer> done) {
        List<Long> ids = holding.heldIds(address, 0, upToId, most);
        if (ids.isEmpty()) {
            done.complete(0);
            return;
        }
        if (watchers.any()) {
            ids.forEach(id -> watchers.held(Kind.DROPPED, address, id, "an operator has said so"));
        }
        ids.forEach(holding::release); // I1: an operator says that they may be forgotten
        lanes.takeOut(address, new HashSet<>(ids));
        dropping.add(new Dropped(done, ids.size(), ids.get(ids.size() - 1)));
    }

    /** Looks whose releases are in the log by now. */
    void endBatch() {
        for (Dropped first = dropping.peek();
                first != null && !holding.isReleasing(first.lastId);
                first = dropping.peek()) {
            dropping.remove();
            stats.countHeldDropped(first.messages);
            first.done.complete(first.messages);
        }
    }

    /** An address whose held messages go to the dead letters one after the other, so that they stand there in order. */
    private static final class DeadLettering {
        private final String address;
        private final long upToId;
        private final String detail;
        private final List<CompletableFuture<Integer>> done = new ArrayList<>(1);
        private long lastId;
        private int copied;
        private boolean cancelled;

        DeadLettering(String address, long upToId, String detail) {
            this.address = address;
            this.upToId = upToId;
            this.detail = detail;
        }
    }

    /**
     * Moves what is held for an address to the dead letters.
     *
     * @param detail one sentence on who wants that
     * @param done completed with the number of messages; exceptionally when the log is another's by then, or too many
     *     addresses are being moved
     */
    void deadLetter(String address, long upToId, String detail, CompletableFuture<Integer> done) {
        DeadLettering going = deadLettering.get(address);
        if (going == null) {
            if (deadLettering.size() >= MOST_AT_A_TIME) {
                // Those of an action that was given up stay until RabbitMQ has taken their copies.
                done.completeExceptionally(
                        new IllegalStateException("RabbitMQ has not taken the copies of an earlier action yet"));
                return;
            }
            going = new DeadLettering(address, upToId, detail);
            deadLettering.put(address, going);
            going.done.add(done);
            next(going);
        } else {
            going.cancelled = false; // it goes on where somebody else gave up
            going.done.add(done);
        }
    }

    private void next(DeadLettering going) {
        List<Long> ids = going.cancelled ? List.of() : holding.heldIds(going.address, going.lastId, going.upToId, 1);
        if (ids.isEmpty()) {
            deadLettering.remove(going.address);
            going.done.forEach(done -> done.complete(going.copied));
            return;
        }
        going.lastId = ids.get(0);
        copying.put(going.lastId, going);
        holding.depart(going.lastId);
        lanes.takeOut(going.address, new HashSet<>(ids));
    }

    /** A message that departs has been read: copies it to the dead letters if it is one of those. */
    boolean copy(Instruction restored) {
        DeadLettering going = copying.get(restored.tag());
        if (going == null) {
            return false;
        }
        restored.deadReason = DeadLetterReason.OFFLINE;
        restored.deadDetail = going.detail;
        copies.dead(restored, DeadLetterReason.OFFLINE, going.detail);
        return true;
    }

    /** The copy of a held message among the dead letters is safe, and the message released. */
    void copied(long id) {
        stats.countHeldDead();
        DeadLettering going = copying.remove(id);
        if (going != null) {
            going.copied++;
            next(going);
        }
    }

    /** A held message is lost. */
    void lost(long id) {
        DeadLettering going = copying.remove(id);
        if (going != null) {
            next(going);
        }
    }

    /** Copies only those that are on their way, and no more. */
    void cancel() {
        deadLettering.values().forEach(going -> going.cancelled = true);
    }

    /** Another bridge owns the log now. */
    void fenced() {
        IllegalStateException why = new IllegalStateException("the held log is another bridge's");
        List<DeadLettering> going = List.copyOf(deadLettering.values());
        deadLettering.clear();
        copying.clear();
        going.forEach(one -> one.done.forEach(done -> done.completeExceptionally(why)));
        List<Dropped> dropped = List.copyOf(dropping);
        dropping.clear();
        dropped.forEach(one -> one.done.completeExceptionally(why));
    }
}
