package pushbridge.hold;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is held, as a pure fold over the log: the same records at the same offsets make the same index, on the owner, on a
 * standby and after a restart, from the beginning or from any checkpoint. The fold judges records only by what the log
 * says; it never refuses for being full, that is asked beforehand ({@link #admits}).
 *
 * <p>The rules:
 *
 * <ul>
 *   <li>A record with a lower epoch than the highest seen is void: this fences two owners.
 *   <li>Ordinals count up by one within an epoch. One that is not above the last is a repetition, appended again after a
 *       lost confirm, and has no effect. A gap is counted. A writer that sees its record come back as repeated although
 *       it did not take effect before appends the content again under a new ordinal.
 *   <li>A lane is ordered by id, not by offset: ids go up with (epoch, ordinal, position) when they are first used, but a
 *       fold that begins at a checkpoint can meet 7 before a copied-forward 5.
 *   <li>A hold of an id that is held replaces it in every respect, so that it does not matter whether a fold has seen the
 *       earlier one. A hold of an id that was released is a hold like any other, because a fold from a checkpoint cannot
 *       know of the release; the writer never does that.
 *   <li>Releasing an unknown id is harmless.
 * </ul>
 *
 * <p>Memory (I5): about 140 bytes a message when every message has an address of its own, less when they share: columns of
 * primitives in pages, and a byte array for each address. Entries are dense, the last one takes the place of one that goes,
 * so memory shrinks with what is held. Every call is O(1) but where it says otherwise; nothing rehashes or copies as a whole.
 *
 * <p>An entry is a message that is held, given as an {@code int}, as is a lane; either is good until the next
 * {@link #apply}. Keep ids to come back to. {@link #NONE} is no entry. One thread at a time.
 */
public final class HeldIndex {

    /** No entry, no lane. */
    public static final int NONE = -1;

    /** What a record did. */
    public enum Outcome {
        /** It took effect. */
        APPLIED,
        /** Its epoch is over. */
        VOID,
        /** Its ordinal was there before, or a later one of its epoch. */
        REPEATED,
        /** A record before it is missing, because the broker refused that one: both will come again, in order. */
        AHEAD,
        /** Its offset was there before: the log was read again. */
        SEEN
    }

    /** How many states back a checkpoint can be verified: more than are ever under way. A power of two. */
    private static final int REMEMBERED = 4096;

    private static final long SEED = System.nanoTime() * 0x9E3779B97F4A7C15L;

    // Entries. Slots 0 to count-1 are in use.
    private final Pages.Longs ids = new Pages.Longs();
    private final Pages.Longs offsets = new Pages.Longs();
    private final Pages.Longs deadlines = new Pages.Longs();
    private final Pages.Longs hashes = new Pages.Longs();
    private final Pages.Ints sizes = new Pages.Ints();
    private final Pages.Ints bodySizes = new Pages.Ints();
    private final Pages.Chars positions = new Pages.Chars();
    private final Pages.Ints laneOf = new Pages.Ints();
    private final Pages.Ints lanePrevious = new Pages.Ints();
    private final Pages.Ints laneNext = new Pages.Ints();
    private final Pages.Ints older = new Pages.Ints();
    private final Pages.Ints newer = new Pages.Ints();
    private final Chains byId = new Chains(slot -> mix(ids.get(slot)), false);
    private final Chains byContent = new Chains(slot -> mix(hashes.get(slot)), true);
    private int count;
    private int oldest = NONE;
    private int newest = NONE;
    private long bytes;
    private long fingerprint;

    // Lanes. Slots 0 to laneSlots-1 are lanes or, with a count of 0, in the list of free ones.
    private final Pages.Names addresses = new Pages.Names();
    private final Pages.Ints firsts = new Pages.Ints();
    private final Pages.Ints lasts = new Pages.Ints();

    /** Messages in the lane; its complement while the lane waits to be sorted. */
    private final Pages.Ints counts = new Pages.Ints();

    private final Chains byAddress = new Chains(lane -> hash(addresses.get(lane)), false);
    private int lanes;
    private int laneSlots;
    private int freeLane = NONE;

    // Where the fold stands.
    private final long startOffset;
    private final long idsBeforeStart;
    private long firstOffset = -1;
    private long lastOffset;
    private long epoch;
    private long ordinal;
    private long highestId;
    private @Nullable String epochNode;

    // States after the last ordinals of this epoch, to verify a checkpoint with.
    private final long[] pastFingerprints = new long[REMEMBERED];
    private final int[] pastCounts = new int[REMEMBERED];
    private long rememberedFrom;

    private boolean resynchronizing;
    private long ahead;
    private long applied;
    private long voided;
    private long repeated;
    private long skipped;
    private long missingOrdinals;
    private long unknownReleases;
    private long verifiedCheckpoints;
    private long failedCheckpoints;
    private long missingMessages;

    /** A fold of a log from its beginning, or from the beginning of what there still is of it. */
    public HeldIndex() {
        this(0, -1, -1, -1, -1);
    }

    /** A fold that begins at a checkpoint: its first record is the one at {@link LogRecord.Checkpoint#lowestLiveOffset}. */
    public HeldIndex(LogRecord.Checkpoint checkpoint) {
        this(
                checkpoint.lowestLiveOffset(),
                checkpoint.startEpoch(),
                checkpoint.startOrdinal(),
                // Not known as of the start, but as good: the checkpoint itself will be met, and ids only go up.
                checkpoint.highestId(),
                checkpoint.highestId());
    }

    private HeldIndex(long startOffset, long epoch, long ordinal, long highestId, long idsBeforeStart) {
        this.startOffset = startOffset;
        this.lastOffset = startOffset - 1;
        this.epoch = epoch;
        this.ordinal = ordinal;
        this.rememberedFrom = ordinal + 1;
        this.highestId = highestId;
        this.idsBeforeStart = idsBeforeStart;
    }

    // ------------------------------------------------------------------------------------------------ the fold

    /**
     * Applies the record at this offset. Offsets go up; one that is not above the last is ignored.
     *
     * <p>O(messages in the record).
     */
    public Outcome apply(long offset, LogRecord record) {
        if (!advance(offset)) {
            return Outcome.SEEN;
        }
        if (record.epoch() < epoch) {
            voided++;
            return Outcome.VOID;
        }
        if (record.epoch() == epoch && record.ordinal() <= ordinal) {
            repeated++;
            return Outcome.REPEATED;
        }
        if (record.epoch() == epoch && record.ordinal() > ordinal + 1 && !resynchronizing) {
            ahead++;
            return Outcome.AHEAD;
        }
        resynchronizing = false;
        count(record);
        if (record instanceof LogRecord.Hold hold) {
            hold(offset, hold);
        } else if (record instanceof LogRecord.Release release) {
            for (long id : release.ids()) {
                release(id);
            }
        } else if (record instanceof LogRecord.Checkpoint checkpoint) {
            verify(checkpoint);
        }
        remember(ordinal);
        applied++;
        return Outcome.APPLIED;
    }

    /** Records that came ahead of one that was refused. */
    public long ahead() {
        return ahead;
    }

    /** A part of the log is gone: the next record is the next one, whatever its ordinal. */
    public void resynchronize() {
        resynchronizing = true;
    }

    /** Whether a part is gone and no record has followed it yet. */
    public boolean isResynchronizing() {
        return resynchronizing;
    }

    /** There is a record at this offset that cannot be read: foreign or corrupt. */
    public void skip(long offset) {
        if (advance(offset)) {
            skipped++;
        }
    }

    private boolean advance(long offset) {
        if (offset <= lastOffset) {
            return false;
        }
        if (firstOffset < 0) {
            firstOffset = offset;
        }
        lastOffset = offset;
        return true;
    }

    private void count(LogRecord record) {
        if (record.epoch() > epoch) {
            // Without an epoch record only when the log was cut off behind it; a higher epoch is a newer owner anyway.
            epochNode = record instanceof LogRecord.Epoch e ? e.node() : null;
            epoch = record.epoch();
            rememberedFrom = record.ordinal();
        } else if (record.ordinal() > ordinal + 1) {
            missingOrdinals += record.ordinal() - ordinal - 1;
            for (long missing = Math.max(ordinal + 1, record.ordinal() - REMEMBERED);
                    missing < record.ordinal();
                    missing++) {
                remember(missing);
            }
        }
        ordinal = record.ordinal();
    }

    private void remember(long ordinal) {
        int slot = (int) ordinal & (REMEMBERED - 1);
        pastFingerprints[slot] = fingerprint;
        pastCounts[slot] = count;
    }

    private void hold(long offset, LogRecord.Hold record) {
        int position = 0;
        for (LogRecord.Part part : record.parts()) {
            hold(offset, position, part);
            position += part.messages().size();
        }
    }

    private void hold(long offset, int firstPosition, LogRecord.Part part) {
        byte[] address = part.address().getBytes(StandardCharsets.UTF_8);
        int position = firstPosition;
        for (HeldMessage message : part.messages()) {
            int entry = entry(message.id());
            if (entry == NONE) {
                entry = insert(message.id());
            } else {
                account(entry, -1);
                byContent.remove(entry, mix(hashes.get(entry)));
                leaveLog(entry);
                if (!Arrays.equals(addresses.get(laneOf.get(entry)), address)) {
                    leaveLane(entry);
                    laneOf.set(entry, NONE);
                }
            }
            offsets.set(entry, offset);
            positions.set(entry, position++);
            deadlines.set(entry, message.deadlineMillis());
            hashes.set(entry, message.contentHash());
            bodySizes.set(entry, message.body().length);
            sizes.set(entry, (int) Math.min(
                    Integer.MAX_VALUE,
                    RecordCodec.recordBytes(address.length, message.properties().length, message.body().length)));
            byContent.add(entry, mix(message.contentHash()));
            joinLog(entry);
            if (laneOf.get(entry) == NONE) {
                joinLane(entry, laneFor(address));
            }
            account(entry, 1);
        }
    }

    private void release(long id) {
        int entry = entry(id);
        if (entry != NONE) {
            account(entry, -1);
            leaveLane(entry);
            leaveLog(entry);
            byContent.remove(entry, mix(hashes.get(entry)));
            remove(entry);
        } else if (id > idsBeforeStart) {
            unknownReleases++;
        }
    }

    private void verify(LogRecord.Checkpoint checkpoint) {
        highestId = Math.max(highestId, checkpoint.highestId());
        long asOf = checkpoint.asOfOrdinal();
        if (asOf < rememberedFrom || asOf < ordinal - REMEMBERED) {
            return;
        }
        int slot = (int) asOf & (REMEMBERED - 1);
        missingMessages = Math.max(0, checkpoint.messages() - pastCounts[slot]);
        if (Math.max(firstOffset, startOffset) > checkpoint.lowestLiveOffset()) {
            // It counts messages from before this fold began: from an older checkpoint on the way to ours, or lost
            // ones.
            return;
        }
        if (pastFingerprints[slot] == checkpoint.fingerprint() && pastCounts[slot] == checkpoint.messages()) {
            verifiedCheckpoints++;
        } else {
            failedCheckpoints++;
        }
    }

    /**
     * The checkpoint for what has been applied so far.
     *
     * @param ordinal the ordinal it is going to have in the present epoch: above the last applied one, by as many records
     *     as are under way
     */
    public LogRecord.Checkpoint checkpoint(long ordinal) {
        long lowest = lowestLiveOffset();
        boolean anything = oldest != NONE;
        return new LogRecord.Checkpoint(
                Math.max(0, epoch),
                ordinal,
                lowest,
                // The record at the lowest live offset took effect, so it says itself which epoch and ordinal it is at.
                anything ? -1 : epoch,
                anything ? -1 : this.ordinal,
                this.ordinal,
                highestId,
                count,
                bytes,
                fingerprint);
    }

    // ------------------------------------------------------------------------------------------------ what is held

    /** The entry with this id, or {@link #NONE}. */
    public int entry(long id) {
        for (int slot = byId.first(mix(id)); slot != NONE; slot = byId.next(slot)) {
            if (ids.get(slot) == id) {
                return slot;
            }
        }
        return NONE;
    }

    /** The lane of this address, or {@link #NONE} when nothing is held for it. */
    public int lane(String address) {
        return lane(address.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The entry with the lowest id in a lane. O(1), except for the first time after a fold met the lane's messages out of
     * order: then it sorts the lane.
     */
    public int first(int lane) {
        sort(lane);
        return firsts.get(lane);
    }

    /** The entry with the next higher id in the same lane, or {@link #NONE}. Costs like {@link #first}. */
    public int next(int entry) {
        sort(laneOf.get(entry));
        return laneNext.get(entry);
    }

    /**
     * The next lane below this number, or {@link #NONE}; {@link Integer#MAX_VALUE} begins. Who goes downwards, with changes
     * in between, misses no lane that was there all the time, since lanes only ever move down; one that moves may be met
     * twice.
     */
    public int laneBelow(int lane) {
        for (int below = Math.min(lane, laneSlots) - 1; below >= 0; below--) {
            if (counts.get(below) != 0) {
                return below;
            }
        }
        return NONE;
    }

    /** Whom a lane is for; a new string. */
    public String laneAddress(int lane) {
        return new String(addresses.get(lane), StandardCharsets.UTF_8);
    }

    /** How many messages are held for this address. */
    public int count(String address) {
        int lane = lane(address);
        return lane == NONE ? 0 : laneCount(lane);
    }

    /** The entry that was written to the log longest ago, or {@link #NONE}. */
    public int oldest() {
        return oldest;
    }

    /** The entry behind this one in the log, or {@link #NONE}. */
    public int newer(int entry) {
        return newer.get(entry);
    }

    /**
     * A message held for this address with this content, any one if there are several, or {@link #NONE}: what recognises a
     * redelivered instruction.
     *
     * @param contentHash see {@link ContentHash}
     */
    public int find(String address, long contentHash, int bodyBytes) {
        int lane = lane(address);
        if (lane == NONE) {
            return NONE;
        }
        for (int slot = byContent.first(mix(contentHash)); slot != NONE; slot = byContent.next(slot)) {
            if (hashes.get(slot) == contentHash && bodySizes.get(slot) == bodyBytes && laneOf.get(slot) == lane) {
                return slot;
            }
        }
        return NONE;
    }

    /** The id of an entry. */
    public long id(int entry) {
        return ids.get(entry);
    }

    /** The offset of the record an entry stands in. */
    public long offset(int entry) {
        return offsets.get(entry);
    }

    /** The place of an entry within its record, from 0. */
    public int position(int entry) {
        return positions.get(entry);
    }

    /** The bytes of log an entry counts for: those of a record of its own. */
    public int size(int entry) {
        return sizes.get(entry);
    }

    /** The length of the body in bytes. */
    public int bodyBytes(int entry) {
        return bodySizes.get(entry);
    }

    /** When the entry's time is over, in milliseconds since 1970. */
    public long deadlineMillis(int entry) {
        return deadlines.get(entry);
    }

    /** The {@link ContentHash} of an entry. */
    public long contentHash(int entry) {
        return hashes.get(entry);
    }

    /** Whom an entry is for; a new string. */
    public String address(int entry) {
        return new String(addresses.get(laneOf.get(entry)), StandardCharsets.UTF_8);
    }

    /** How many messages are held. */
    public int count() {
        return count;
    }

    /** What is held, in bytes of log: what it takes at most to copy all of it forward. */
    public long bytes() {
        return bytes;
    }

    /** How many addresses have messages. */
    public int lanes() {
        return lanes;
    }

    /** The offset of the oldest entry; the offset after the last record when nothing is held. */
    public long lowestLiveOffset() {
        return oldest == NONE ? lastOffset + 1 : offsets.get(oldest);
    }

    /**
     * Whether there is room.
     *
     * @param messages how many more for this address, with those that are under way to the log
     * @param moreBytes their {@link RecordCodec#recordBytes}, with those that are under way
     */
    public Admission admits(HoldLimits limits, String address, int messages, long moreBytes) {
        if (count(address) > limits.maxPerAddress() - messages) {
            return Admission.ADDRESS_FULL;
        }
        if (count > limits.maxMessages() - messages) {
            return Admission.MESSAGES_FULL;
        }
        return bytes > limits.maxBytes() - moreBytes ? Admission.BYTES_FULL : Admission.ADMITTED;
    }

    // ------------------------------------------------------------------------------------------------ where it stands

    /** The offset of the last record, or one less than where the fold begins. */
    public long lastOffset() {
        return lastOffset;
    }

    /** The highest epoch seen, -1 before the first. */
    public long epoch() {
        return epoch;
    }

    /** Who began the epoch; null when this fold did not see it. */
    public @Nullable String epochNode() {
        return epochNode;
    }

    /** The last ordinal of the epoch, -1 before the first. */
    public long ordinal() {
        return ordinal;
    }

    /** The highest id ever held, -1 before the first; an owner goes on behind it once it has read up to its epoch. */
    public long highestId() {
        return highestId;
    }

    /** Of everything that is held, whatever the order: two folds that agree have the same. */
    public long fingerprint() {
        return fingerprint;
    }

    /** Records that took effect. */
    public long applied() {
        return applied;
    }

    /** Records of an epoch that was over. */
    public long voided() {
        return voided;
    }

    /** Records that were there before. */
    public long repeated() {
        return repeated;
    }

    /** Records that could not be read. */
    public long skipped() {
        return skipped;
    }

    /** Ordinals that never came. */
    public long missingOrdinals() {
        return missingOrdinals;
    }

    /** Releases of ids that are not held and that cannot be from before this fold began. */
    public long unknownReleases() {
        return unknownReleases;
    }

    /** Checkpoints that agreed with this fold. */
    public long verifiedCheckpoints() {
        return verifiedCheckpoints;
    }

    /** Checkpoints that should have agreed with this fold and did not: a bug, or a record that could not be read. */
    public long failedCheckpoints() {
        return failedCheckpoints;
    }

    /**
     * How many messages the latest checkpoint counted that this fold has not, because the log no longer had them. More
     * than none once the fold has caught up is a loss.
     */
    public long missingMessages() {
        return missingMessages;
    }

    /** Heap in use, in bytes, computed for compressed references. */
    public long heapBytes() {
        long entries = ids.heapBytes() + offsets.heapBytes() + deadlines.heapBytes() + hashes.heapBytes();
        entries += sizes.heapBytes() + bodySizes.heapBytes() + positions.heapBytes() + laneOf.heapBytes();
        entries += lanePrevious.heapBytes() + laneNext.heapBytes() + older.heapBytes() + newer.heapBytes();
        long perLane = addresses.heapBytes() + firsts.heapBytes() + lasts.heapBytes() + counts.heapBytes();
        long past = 2L * Pages.ARRAY_HEADER + REMEMBERED * (long) (Long.BYTES + Integer.BYTES);
        return entries + perLane + past + byId.heapBytes() + byContent.heapBytes() + byAddress.heapBytes();
    }

    // ------------------------------------------------------------------------------------------------ entries

    private int insert(long id) {
        int entry = count++;
        fitEntries();
        ids.set(entry, id);
        laneOf.set(entry, NONE);
        byId.add(entry, mix(id));
        highestId = Math.max(highestId, id);
        return entry;
    }

    /** Takes out an entry that has left its lane, the log's order and the table of contents; the last takes its place. */
    private void remove(int entry) {
        byId.remove(entry, mix(ids.get(entry)));
        int last = --count;
        if (entry != last) {
            byId.renumber(last, entry, mix(ids.get(last)));
            byContent.renumber(last, entry, mix(hashes.get(last)));
            move(last, entry);
        }
        fitEntries();
    }

    private void move(int from, int to) {
        ids.set(to, ids.get(from));
        offsets.set(to, offsets.get(from));
        deadlines.set(to, deadlines.get(from));
        hashes.set(to, hashes.get(from));
        sizes.set(to, sizes.get(from));
        bodySizes.set(to, bodySizes.get(from));
        positions.set(to, positions.get(from));
        laneOf.set(to, laneOf.get(from));
        linkLane(laneOf.get(from), lanePrevious.get(from), to);
        linkLane(laneOf.get(from), to, laneNext.get(from));
        linkLog(older.get(from), to);
        linkLog(to, newer.get(from));
    }

    private void fitEntries() {
        ids.fit(count);
        offsets.fit(count);
        deadlines.fit(count);
        hashes.fit(count);
        sizes.fit(count);
        bodySizes.fit(count);
        positions.fit(count);
        laneOf.fit(count);
        lanePrevious.fit(count);
        laneNext.fit(count);
        older.fit(count);
        newer.fit(count);
        byId.fit(count);
        byContent.fit(count);
    }

    /** Adds an entry to the sums, or takes it out again as it was. */
    private void account(int entry, int sign) {
        bytes += (long) sign * sizes.get(entry);
        long hash = mix(ids.get(entry));
        hash = mix(hash + offsets.get(entry));
        hash = mix(hash + ((long) positions.get(entry) << 32 | sizes.get(entry)));
        hash = mix(hash + hashes.get(entry));
        hash = mix(hash + deadlines.get(entry));
        fingerprint += sign * hash;
    }

    /** To the end of the log's order: offsets and positions only go up. */
    private void joinLog(int entry) {
        linkLog(newest, entry);
        linkLog(entry, NONE);
    }

    private void leaveLog(int entry) {
        linkLog(older.get(entry), newer.get(entry));
    }

    private void linkLog(int before, int after) {
        if (before == NONE) {
            oldest = after;
        } else {
            newer.set(before, after);
        }
        if (after == NONE) {
            newest = before;
        } else {
            older.set(after, before);
        }
    }

    // ------------------------------------------------------------------------------------------------ lanes

    private int lane(byte[] address) {
        for (int lane = byAddress.first(hash(address)); lane != NONE; lane = byAddress.next(lane)) {
            if (Arrays.equals(addresses.get(lane), address)) {
                return lane;
            }
        }
        return NONE;
    }

    private int laneFor(byte[] address) {
        int lane = lane(address);
        if (lane != NONE) {
            return lane;
        }
        if (freeLane == NONE) {
            lane = laneSlots++;
            fitLanes();
        } else {
            lane = freeLane;
            unlinkFree(lane);
        }
        addresses.set(lane, address);
        firsts.set(lane, NONE);
        lasts.set(lane, NONE);
        counts.set(lane, 0);
        byAddress.add(lane, hash(address));
        lanes++;
        return lane;
    }

    private void joinLane(int entry, int lane) {
        int last = lasts.get(lane);
        int before = laneCount(lane);
        boolean unsorted = isUnsorted(lane) || (last != NONE && ids.get(last) > ids.get(entry));
        laneOf.set(entry, lane);
        linkLane(lane, last, entry);
        linkLane(lane, entry, NONE);
        counts.set(lane, unsorted ? ~(before + 1) : before + 1);
    }

    private void leaveLane(int entry) {
        int lane = laneOf.get(entry);
        linkLane(lane, lanePrevious.get(entry), laneNext.get(entry));
        int left = laneCount(lane) - 1;
        counts.set(lane, isUnsorted(lane) && left > 1 ? ~left : left);
        if (left == 0) {
            removeLane(lane);
        }
    }

    private void linkLane(int lane, int before, int after) {
        if (before == NONE) {
            firsts.set(lane, after);
        } else {
            laneNext.set(before, after);
        }
        if (after == NONE) {
            lasts.set(lane, before);
        } else {
            lanePrevious.set(after, before);
        }
    }

    private int laneCount(int lane) {
        int value = counts.get(lane);
        return value < 0 ? ~value : value;
    }

    private boolean isUnsorted(int lane) {
        return counts.get(lane) < 0;
    }

    /** Only a fold that is catching up meets ids out of order; one sort a lane is cheaper than to find every place. */
    private void sort(int lane) {
        if (!isUnsorted(lane)) {
            return;
        }
        long[] sorted = new long[laneCount(lane)];
        int entry = firsts.get(lane);
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = ids.get(entry);
            entry = laneNext.get(entry);
        }
        Arrays.sort(sorted);
        int before = NONE;
        for (long id : sorted) {
            int after = entry(id);
            linkLane(lane, before, after);
            before = after;
        }
        linkLane(lane, before, NONE);
        counts.set(lane, sorted.length);
    }

    private void removeLane(int lane) {
        byAddress.remove(lane, hash(addresses.get(lane)));
        addresses.clear(lane);
        linkFree(lane);
        lanes--;
        // A lane moves with a visit to each of its entries, so lanes are not kept dense: only when most slots are free
        // do
        // those at the end move, a few with each lane that goes.
        for (int steps = 4; steps > 0 && laneSlots > 2 * lanes + 1024; steps--) {
            int last = laneSlots - 1;
            if (counts.get(last) == 0) {
                unlinkFree(last);
            } else {
                int to = freeLane;
                unlinkFree(to);
                moveLane(last, to);
            }
            laneSlots--;
            fitLanes();
        }
    }

    private void moveLane(int from, int to) {
        byte[] address = addresses.get(from);
        byAddress.renumber(from, to, hash(address));
        addresses.set(to, address);
        addresses.clear(from);
        firsts.set(to, firsts.get(from));
        lasts.set(to, lasts.get(from));
        counts.set(to, counts.get(from));
        for (int entry = firsts.get(to); entry != NONE; entry = laneNext.get(entry)) {
            laneOf.set(entry, to);
        }
    }

    /** Free lanes are a list through {@code firsts} (next) and {@code lasts} (previous). */
    private void linkFree(int lane) {
        firsts.set(lane, freeLane);
        lasts.set(lane, NONE);
        if (freeLane != NONE) {
            lasts.set(freeLane, lane);
        }
        freeLane = lane;
    }

    private void unlinkFree(int lane) {
        int next = firsts.get(lane);
        int previous = lasts.get(lane);
        if (previous == NONE) {
            freeLane = next;
        } else {
            firsts.set(previous, next);
        }
        if (next != NONE) {
            lasts.set(next, previous);
        }
    }

    private void fitLanes() {
        addresses.fit(laneSlots);
        firsts.fit(laneSlots);
        lasts.fit(laneSlots);
        counts.fit(laneSlots);
        byAddress.fit(laneSlots);
    }

    // ------------------------------------------------------------------------------------------------ hashes

    /** Stafford's variant 13: every bit of the input changes half of the output. */
    private static long mix(long value) {
        long mixed = value;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** Seeded, because who may choose his own user id could otherwise choose a bucket. */
    private static long hash(byte[] address) {
        long hash = SEED ^ address.length;
        long word = 0;
        for (int i = 0; i < address.length; i++) {
            word = word << 8 | (address[i] & 0xFF);
            if ((i & 7) == 7) {
                hash = mix(hash ^ word);
                word = 0;
            }
        }
        return mix(hash ^ word);
    }
}
