package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import pushbridge.config.HoldConfig;
import pushbridge.delivery.LaneMessage.Place;
import pushbridge.envelope.Envelope;
import pushbridge.hold.Admission;
import pushbridge.hold.HeldIndex;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.HoldLimits;
import pushbridge.hold.HoldTimes;
import pushbridge.hold.KeepingRules;
import pushbridge.hold.LogKeeper;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;
import pushbridge.outbox.Frame;

/**
 * The loop's side of the held log: numbers what is appended, folds what comes back, and remembers what it has released
 * until the log says so too. The index changes only by what came back, so it is the same after a restart. Loop thread
 * only.
 */
final class Holding {

    /** Entries looked at in one sweep: a million take seconds, and one sweep microseconds. */
    private static final int SWEEP = 1_000;

    /** Messages of which a sweep has copies made at the same time (I5). */
    private static final int MAX_DEPARTING = 256;

    /** A checkpoint before it is due is worth writing after a twentieth of the usual records: a few thousand. */
    private static final int WORTH = 20;

    /** So few records are read as quickly as a checkpoint is found. */
    private static final int FEW = 20;

    /** Messages asked for at the same time: some 300 bytes each, so 30 MB (I5). */
    private static final int MAX_WANTED = 100_000;

    /** Messages that operators look at, at the same time (I5). */
    private static final int MAX_LOOKED_AT = 1_000;

    private final HoldConfig config;
    private final @Nullable HeldLog log;
    private final KeepingRules rules;
    private HeldIndex index = new HeldIndex();
    private HoldTimes times = new HoldTimes();
    private final HoldLimits limits;
    private LogKeeper keeper;

    /** The checkpoint the fold began at, until it has come by; null when there is nothing to be compared with. */
    private LogRecord.@Nullable Checkpoint start;
    /** Whether the fold is of no use, and the log is about to be read anew. */
    private boolean rewinding;
    /** Messages that the log had no more when it was read, not told yet. */
    private long missing;
    /** Whether to write a checkpoint before it is due, because so much was read at the start. */
    private boolean checkpointSoon;

    /** The epoch this process writes under; 0 while it has none. */
    private long epoch;
    /** Starts the names of this process' claims, unlike any other ever made. */
    private final String process = UUID.randomUUID().toString();

    private int claims;
    /** The epoch record of ours that is on its way; null while none is. */
    private LogRecord.@Nullable Epoch claim;
    /** Whether to claim once more if another one was faster. */
    private boolean claimWanted;
    /** Whether another one may write by now: true until a record appended since has come back. */
    private boolean inDoubt;
    /** The number of that record; 0 while it cannot be appended. */
    private long proofOrdinal;

    private long lastOrdinal;
    /** The record that messages are being collected in; null while there is none. It is the last that has an ordinal. */
    private @Nullable RecordBuilder building;

    private long lastId;
    /** Appended and not back yet: it counts against the limits as if it were held. */
    private int appendingMessages;

    private long appendingBytes;
    /** Released here, with the release not back yet: held by the index, but nobody's any more. */
    private final Set<Long> released = new HashSet<>();
    /** To be released with the next record. */
    private long[] releasing = new long[64];

    private int releasingCount;
    /** Messages whose bodies are being read to be delivered, by id. */
    private final Map<Long, LaneMessage> wanted = new HashMap<>();

    private long wantedBytes;

    private long cacheHits;
    private long cacheMisses;
    /** Messages that leave as a copy, because their time is over or an operator wants it: until their release is appended. */
    private final Set<Long> departing = new HashSet<>();
    /** Those of them that are being read. */
    private final Set<Long> departingReads = new HashSet<>();
    /** Messages that an operator looks at and that are being read. */
    private final Map<Long, List<Consumer<@Nullable HeldMessage>>> lookedAt = new HashMap<>();
    /** The latest bodies, the oldest first. */
    private final LinkedHashMap<Long, Frame> cache = new LinkedHashMap<>();

    private long cacheBytes;

    /** Held messages being read to be copied forward; what has been read so far. */
    private final Set<Long> forwarding = new HashSet<>();

    private final Map<String, List<HeldMessage>> forwarded = new TreeMap<>();
    /** Records of ours that only move messages. */
    private final Set<Long> copiedForward = new HashSet<>();
    /** The last record of the step under way that keeps the log short; 0 while none is. */
    private long stepOrdinal;
    /** Where the search for what is over goes on, by id; 0 for the oldest. */
    private long sweptId;

    /** What stands for a broker channel in instructions that come from the log. */
    private final IntakeChannel channel = new IntakeChannel() {
        @Override
        public long generation() {
            return 0;
        }

        @Override
        public int atMostInHand() {
            throw new IllegalStateException("a held message is bounded by the lane's window, not by a prefetch");
        }

        @Override
        public void ack(long tag, boolean multiple) {
            throw new IllegalStateException("a held message is released, not acknowledged");
        }

        @Override
        public void flush() {
            throw new IllegalStateException("a held message is released, not acknowledged");
        }
    };

    /**
     * @param log null for none: then nothing is held
     * @param rules how the log is kept short
     */
    Holding(HoldConfig config, @Nullable HeldLog log, KeepingRules rules) {
        this.config = config;
        this.log = log;
        this.rules = rules;
        this.keeper = new LogKeeper(index, rules);
        this.limits = new HoldLimits(config.maxMessages(), config.maxPerAddress(), config.maxBytes());
    }

    /** Whether there is a held log at all. */
    boolean isThere() {
        return log != null;
    }

    /** Whether records can be appended now: not while an epoch record is on its way, since they would be void behind it. */
    boolean isOpen() {
        return epoch > 0 && claim == null;
    }

    /** Whether this process is the one that writes, so that the index tells what is held for whom and nobody changes it. */
    boolean isWriter() {
        return epoch > 0;
    }

    HeldIndex index() {
        return index;
    }

    /** The log is read from this checkpoint on, or from the first record there is: what was read before is forgotten. */
    void begins(LogRecord.@Nullable Checkpoint checkpoint) {
        if (isWriter()) {
            throw new IllegalStateException("the owner of the held log cannot read it anew");
        }
        start = checkpoint;
        rewinding = false;
        index = checkpoint == null ? new HeldIndex() : new HeldIndex(checkpoint);
        times = new HoldTimes();
        keeper = new LogKeeper(index, rules);
    }

    /**
     * Claims the log: appends an epoch record above every epoch seen. When that has come back, everything before it has
     * been folded, and nobody else can write any more.
     */
    void claim() {
        LogRecord.Epoch record = new LogRecord.Epoch(Math.max(0, index.epoch()) + 1, 0, process + '-' + ++claims);
        claim = record;
        appendBuilt();
        claimWanted = true;
        log().append(record);
    }

    /** The claim that is on its way, if any, is not repeated if another one was faster. */
    void abandonClaim() {
        claimWanted = false;
    }

    /**
     * This process stood still so long that another one may write by now. Whether it does, only a record appended from
     * now on tells when it comes back.
     */
    void doubt() {
        if (epoch > 0 || claim != null) {
            inDoubt = true;
            proofOrdinal = 0;
            prove();
        }
    }

    /** Whether it is not known that this process is still the one that writes. */
    boolean isInDoubt() {
        return inDoubt;
    }

    private void prove() {
        if (!inDoubt || !isOpen()) {
            return;
        }
        if (index.isResynchronizing()) {
            // No checkpoint belongs here, see #checkpoint; the release of what was never held does nothing.
            long nobody = ++lastId;
            proofOrdinal = append(ordinal -> new LogRecord.Release(epoch, ordinal, new long[] {nobody}));
        } else {
            proofOrdinal = append(index::checkpoint);
        }
    }

    private HeldLog log() {
        if (log == null) {
            throw new IllegalStateException("there is no held log");
        }
        return log;
    }

    private void begin(long newEpoch) {
        epoch = newEpoch;
        claim = null;
        lastOrdinal = 0;
        // Ids grow with the epoch, so those of a new owner stand behind all earlier ones.
        lastId = newEpoch << 40;
        // The checkpoint of the start did not come by as one that counts, or it did: there is none of use any more.
        start = null;
        checkpointSoon = true;
        // What we appended under the epoch before and did not see by now stands behind this one's record: it is void.
        appendingMessages = 0;
        appendingBytes = 0;
        copiedForward.clear();
        stepOrdinal = 0;
        proofOrdinal = 0;
        releasingCount = 0;
        released.removeIf(id -> index.entry(id) == HeldIndex.NONE);
        released.forEach(this::releaseWithTheNextRecord);
        prove();
    }

    /** Another process writes now: what this one had in mind means nothing any more. */
    private void end() {
        epoch = 0;
        building = null; // it would be void, like everything of ours that is on its way
        inDoubt = false;
        checkpointSoon = false;
        released.clear();
        releasingCount = 0;
        wanted.clear();
        wantedBytes = 0;
        departing.clear();
        departingReads.clear();
        List<List<Consumer<@Nullable HeldMessage>>> lookers = List.copyOf(lookedAt.values());
        lookedAt.clear();
        lookers.forEach(waiting -> waiting.forEach(looker -> looker.accept(null)));
        forwarding.clear();
        forwarded.clear();
        copiedForward.clear();
        stepOrdinal = 0;
        appendingMessages = 0;
        appendingBytes = 0;
    }

    /** Whether one more message fits beside what is held and what is on its way for this address. */
    boolean admits(String address, int onTheWay, int bytes) {
        return index.count() + appendingMessages < config.maxMessages()
                && index.admits(limits, address, onTheWay + 1, appendingBytes + bytes) == Admission.ADMITTED;
    }

    /** Puts messages of a lane into the next record, all into one; it is appended when it is full, or with the batch. */
    void append(Lane lane, List<LaneMessage> messages, long nowMillis) {
        List<HeldMessage> part = new ArrayList<>(messages.size());
        int addressBytes = utf8Length(lane.address());
        long bytes = 0;
        long latest = nowMillis + config.ttl().toMillis();
        for (LaneMessage message : messages) {
            Instruction instruction = message.requireInstruction();
            message.id = ++lastId;
            message.contentHash = instruction.contentHash();
            lane.moved(message, Place.APPENDING);
            HeldMessage held = new HeldMessage(
                    message.id,
                    Math.min(message.deadlineMillis, latest),
                    message.contentHash,
                    instruction.original().serialized(),
                    ((Envelope) instruction.reading()).body());
            part.add(held);
            bytes += size(addressBytes, held);
        }
        RecordBuilder record = building(messages.size(), bytes);
        for (HeldMessage held : part) {
            record.add(lane.address(), held, size(addressBytes, held));
        }
        appendingMessages += messages.size();
        appendingBytes += bytes;
        lane.appending(messages, record.ordinal());
    }

    private static long size(int addressBytes, HeldMessage message) {
        return RecordCodec.recordBytes(addressBytes, message.properties().length, message.body().length);
    }

    /** Without encoding it: that would be a copy of every address, only to throw it away. */
    private static int utf8Length(String address) {
        int bytes = address.length();
        for (int i = 0; i < address.length(); i++) {
            char c = address.charAt(i);
            if (c >= 0x80) {
                bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
            }
        }
        return bytes;
    }

    /** The record under construction, if so much fits, else the next one. */
    private RecordBuilder building(int messages, long bytes) {
        RecordBuilder current = building;
        if (current == null || !current.hasRoomFor(messages, bytes)) {
            appendBuilt();
            current = new RecordBuilder(++lastOrdinal);
            building = current;
        }
        return current;
    }

    private void appendBuilt() {
        if (building != null) {
            log().append(building.build(epoch));
            building = null;
        }
    }

    /** Appends anything else that has an ordinal, and returns that: what is under construction has a lower one. */
    private long append(LongFunction<LogRecord> record) {
        appendBuilt();
        long ordinal = ++lastOrdinal;
        log().append(record.apply(ordinal));
        return ordinal;
    }

    /** A held message is delivered, or safe elsewhere (I1). */
    void release(long id) {
        released.add(id);
        departing.remove(id);
        departingReads.remove(id);
        drop(id);
        releaseWithTheNextRecord(id);
    }

    private void releaseWithTheNextRecord(long id) {
        if (releasingCount == releasing.length) {
            releasing = Arrays.copyOf(releasing, 2 * releasingCount);
        }
        releasing[releasingCount++] = id;
    }

    /** Appends what was collected and released in this batch. */
    void flush() {
        appendBuilt();
        if (log != null) {
            log.flush();
        }
        if (releasingCount == 0 || !isOpen()) {
            return;
        }
        long[] ids = Arrays.copyOf(releasing, releasingCount);
        releasingCount = 0;
        append(ordinal -> new LogRecord.Release(epoch, ordinal, ids));
    }

    /** What a record that came back means for this process. */
    enum Meaning {
        /** Nothing beyond the index: another's, an old one, or a repeated one. */
        FOLDED,
        /** Its own. */
        OWN,
        /** Its claim holds, and it did not write before: what others held is known now. */
        BEGUN,
        /** Its claim holds, and nobody else has written since it last did. */
        RENEWED,
        /** Another one writes from here on. */
        FENCED
    }

    /** Folds what has come back. */
    Meaning logged(long offset, LogRecord record, int bytes, long writtenMillis) {
        if (rewinding) {
            return Meaning.FOLDED; // it comes again
        }
        long highest = index.epoch();
        long failed = index.failedCheckpoints();
        boolean counts = index.apply(offset, record) == HeldIndex.Outcome.APPLIED;
        keeper.saw(offset, bytes, writtenMillis, counts && record instanceof LogRecord.Checkpoint);
        if (counts && record instanceof LogRecord.Hold hold) {
            noteTime(hold, writtenMillis);
        }
        if (start != null && counts && record instanceof LogRecord.Checkpoint checkpoint) {
            judge(start, checkpoint, index.failedCheckpoints() > failed);
            return Meaning.FOLDED;
        }
        if (record instanceof LogRecord.Epoch begun) {
            return epochLogged(begun, counts && begun.epoch() > highest);
        }
        if (!counts || record.epoch() != epoch) {
            return Meaning.FOLDED;
        }
        if (record.ordinal() == stepOrdinal) {
            stepOrdinal = 0; // the step is done, the next one may follow
        }
        if (proofOrdinal != 0 && record.ordinal() >= proofOrdinal) {
            inDoubt = false;
            proofOrdinal = 0;
        }
        if (copiedForward.remove(record.ordinal())) {
            return Meaning.FOLDED;
        }
        if (record instanceof LogRecord.Hold hold) {
            for (LogRecord.Part part : hold.parts()) {
                int addressBytes = utf8Length(part.address());
                for (HeldMessage message : part.messages()) {
                    appendingMessages--;
                    appendingBytes -= size(addressBytes, message);
                }
            }
        } else if (record instanceof LogRecord.Release release) {
            for (long id : release.ids()) {
                released.remove(id);
            }
        }
        return Meaning.OWN;
    }

    private void noteTime(LogRecord.Hold record, long writtenMillis) {
        List<HeldMessage> last = record.parts().get(record.parts().size() - 1).messages();
        times.saw(last.get(last.size() - 1).id(), writtenMillis);
    }

    /**
     * A checkpoint has come by while it is not known whether the one that the fold began at is right. That one was in the
     * log before this process could claim it, and counts only before that, so nobody has acted on the fold yet.
     */
    private void judge(LogRecord.Checkpoint began, LogRecord.Checkpoint checkpoint, boolean isWrong) {
        if (isWrong) {
            start = null;
            rewinding = true;
            log().rewind(began);
        } else if (checkpoint.equals(began)) {
            start = null;
            missing = index.missingMessages();
        }
    }

    /** Messages that the log should have had and had no more when it was read; told once. */
    long takeMissing() {
        long taken = missing;
        missing = 0;
        return taken;
    }

    private Meaning epochLogged(LogRecord.Epoch record, boolean counts) {
        boolean ours = claim != null && record.node().equals(claim.node());
        if (counts && ours) {
            boolean wrote = epoch > 0;
            begin(record.epoch());
            return wrote ? Meaning.RENEWED : Meaning.BEGUN;
        }
        // An earlier claim of ours, overtaken by the one that is on its way, is no other's.
        boolean fenced = counts && epoch > 0 && !record.node().startsWith(process);
        if (fenced) {
            end();
        }
        if (claim != null && claim.epoch() <= index.epoch()) {
            claim = null; // somebody was faster
            if (claimWanted) {
                claim(); // once more, above that one
            } else {
                inDoubt = false; // it is known now who writes
            }
        }
        return fenced ? Meaning.FENCED : Meaning.FOLDED;
    }

    /** Keeps the body of what is held now, as long as there is room: who was away for a moment needs no cold read. */
    void remember(long id, Frame frame) {
        cache.put(id, frame);
        cacheBytes += frame.size();
        while (cacheBytes > config.cacheBytes()) { // I5
            drop(cache.keySet().iterator().next());
        }
    }

    private void drop(long id) {
        Frame frame = cache.remove(id);
        if (frame != null) {
            cacheBytes -= frame.size();
        }
    }

    /** Whether an instruction that is delivered again is held already. */
    boolean isHeld(String address, long contentHash, int bodyBytes) {
        return index.find(address, contentHash, bodyBytes) != HeldIndex.NONE;
    }

    /** What is held for an address and not released, in order. */
    List<LaneMessage> heldFor(String address) {
        List<LaneMessage> messages = new ArrayList<>();
        int lane = index.lane(address);
        if (lane == HeldIndex.NONE) {
            return messages;
        }
        for (int entry = index.first(lane); entry != HeldIndex.NONE; entry = index.next(entry)) {
            long id = index.id(entry);
            if (!released.contains(id) && !departing.contains(id)) {
                messages.add(LaneMessage.held(id, index.deadlineMillis(entry), index.bodyBytes(entry)));
            }
        }
        return messages;
    }

    /** Whether there is room for the body of one more held message that is to be delivered. */
    boolean hasRoom() {
        return wantedBytes < config.cacheBytes() && wanted.size() < MAX_WANTED; // I5
    }

    /** Gets the body of a held message, at once from memory or later from the log; the second time it does nothing. */
    void want(LaneMessage message) {
        if (message.wanted) {
            return;
        }
        message.wanted = true;
        count(message, 1);
        message.frame = cache.get(message.id);
        if (message.frame != null) {
            cacheHits++;
            message.asked = message.frame.asked();
            return;
        }
        cacheMisses++;
        wanted.put(message.id, message);
        message.offset = read(message.id);
    }

    /** The body of a held message is not needed in its lane any more, or not yet. */
    void unwant(LaneMessage message) {
        if (!message.wanted) {
            return;
        }
        message.wanted = false;
        count(message, -1);
        message.frame = null;
        if (wanted.remove(message.id, message)
                && !departingReads.contains(message.id)
                && !lookedAt.containsKey(message.id)
                && !forwarding.contains(message.id)) {
            log().forget(message.id, message.offset);
        }
    }

    private void count(LaneMessage message, int sign) {
        wantedBytes += (long) sign * message.size;
        if (message.lane != null) {
            message.lane.bodies += sign;
        }
    }

    /** What the bodies of messages in lanes take, those being read included. */
    long wantedBytes() {
        return wantedBytes;
    }

    long cacheHits() {
        return cacheHits;
    }

    long cacheMisses() {
        return cacheMisses;
    }

    /** A held message is to leave as a copy: asks for it; false, and nothing else, when it leaves already. */
    boolean depart(long id) {
        if (released.contains(id) || !departing.add(id)) {
            return false;
        }
        departingReads.add(id);
        read(id);
        return true;
    }

    private long read(long id) {
        int entry = index.entry(id);
        if (entry == HeldIndex.NONE) { // it was released meanwhile, and nobody waits for it any more
            return -1;
        }
        log().read(id, index.offset(entry));
        return index.offset(entry);
    }

    // ---- keeping the log short -----------------------------------------------------------------------------------

    /** How long ago the oldest record that is needed was written, in milliseconds; 0 when nothing is held. */
    long oldestAgeMillis(long nowMillis) {
        long oldest = keeper.oldestMillis();
        return oldest == Long.MAX_VALUE ? 0 : Math.max(0, nowMillis - oldest);
    }

    long spanBytes() {
        return keeper.spanBytes();
    }

    /** Does the next thing that keeps the log proportional to what is held, unless the last one is still under way. */
    void keep(long nowMillis) {
        if (!isOpen() || stepOrdinal != 0 || !forwarding.isEmpty()) {
            return;
        }
        if (checkpointSoon) {
            checkpointSoon = false;
            if (isWorthACheckpoint()) {
                checkpoint();
                return;
            }
        }
        LogKeeper.Step step = keeper.next(nowMillis);
        switch (step.task()) {
            case NOTHING -> {}
            case CHECKPOINT -> checkpoint();
            case COPY_FORWARD -> {
                int entry = index.oldest();
                for (int i = 0; i < step.messages() && entry != HeldIndex.NONE; i++) {
                    if (!released.contains(index.id(entry))) {
                        forwarding.add(index.id(entry));
                        log().read(index.id(entry), index.offset(entry));
                    }
                    entry = index.newer(entry);
                }
            }
        }
    }

    /** This process goes: a checkpoint spares the next one reading what has been written since the last. */
    void leave() {
        if (isOpen() && isWorthACheckpoint()) {
            checkpoint();
        }
    }

    private boolean isWorthACheckpoint() {
        return keeper.recordsSinceCheckpoint() > Math.max(FEW, rules.checkpointRecords() / WORTH);
    }

    private void checkpoint() {
        // Behind a record that nobody can read, the next ordinal is not the one that a fold from here would expect.
        if (!index.isResynchronizing()) {
            stepOrdinal = append(index::checkpoint);
        }
    }

    /** Takes a message that was read to be copied forward; with the last of them all are appended. */
    void forward(String address, HeldMessage message) {
        if (forwarding.remove(message.id())) {
            forwarded.computeIfAbsent(address, a -> new ArrayList<>()).add(message);
            appendForwarded();
        }
    }

    private void appendForwarded() {
        if (!forwarding.isEmpty() || !isOpen()) {
            return;
        }
        appendBuilt(); // what only moves has records of its own
        forwarded.forEach((address, messages) -> {
            // What was released meanwhile must not come back to life.
            messages.removeIf(
                    message -> released.contains(message.id()) || index.entry(message.id()) == HeldIndex.NONE);
            messages.sort(Comparator.comparingLong(HeldMessage::id));
            int addressBytes = utf8Length(address);
            for (HeldMessage message : messages) {
                long bytes = size(addressBytes, message);
                RecordBuilder record = building(1, bytes);
                record.add(address, message, bytes);
                stepOrdinal = record.ordinal();
                copiedForward.add(stepOrdinal);
            }
        });
        appendBuilt();
        forwarded.clear();
    }

    /**
     * Looks through a part of what is held for messages whose time is over.
     *
     * @param skip addresses whose lanes look after themselves
     */
    void sweep(long nowMillis, Predicate<String> skip) {
        if (!isOpen()) {
            return;
        }
        int entry = sweptId == 0 ? index.oldest() : index.entry(sweptId);
        sweptId = 0;
        for (int looked = 0; entry != HeldIndex.NONE && departing.size() < MAX_DEPARTING; looked++) {
            if (looked == SWEEP) {
                sweptId = index.id(entry);
                return;
            }
            if (index.deadlineMillis(entry) <= nowMillis && !skip.test(index.address(entry))) {
                depart(index.id(entry));
            }
            entry = index.newer(entry);
        }
    }

    /** What is held behind a message, or from the oldest on; null when that message is not held any more. */
    @Nullable
    HeldPage page(long afterId, int most) {
        int entry = index.oldest();
        if (afterId != 0) {
            int last = index.entry(afterId);
            if (last == HeldIndex.NONE) {
                return null;
            }
            entry = index.newer(last);
        }
        List<HeldPage.Held> messages = new ArrayList<>();
        for (; entry != HeldIndex.NONE && messages.size() < most; entry = index.newer(entry)) {
            messages.add(new HeldPage.Held(
                    index.id(entry), index.address(entry), index.deadlineMillis(entry), index.bodyBytes(entry)));
        }
        return new HeldPage(messages, entry != HeldIndex.NONE);
    }

    // ---- for operators --------------------------------------------------------------------------------------------

    /** Whether a message that is held leaves already: nobody is offered it any more. */
    private boolean isLeaving(long id) {
        return released.contains(id) || departing.contains(id);
    }

    /** Whether a release is not in the log yet. */
    boolean isReleasing(long id) {
        return released.contains(id);
    }

    /** The next lane of the index below this number that has messages nobody takes away already; see {@link HeldIndex}. */
    int laneBelow(int lane) {
        return index.laneBelow(lane);
    }

    /**
     * What a lane of the index holds; null when all of it leaves already.
     *
     * @param upToId what came later is left out
     */
    @Nullable
    HeldAddress address(int lane, long upToId, Directory directory, long nowMillis) {
        int messages = 0;
        long bytes = 0;
        long oldestId = 0;
        long expires = Long.MAX_VALUE;
        for (int entry = index.first(lane);
                entry != HeldIndex.NONE && index.id(entry) <= upToId;
                entry = index.next(entry)) {
            long id = index.id(entry);
            if (isLeaving(id)) {
                continue;
            }
            if (messages++ == 0) {
                oldestId = id;
            }
            bytes += index.size(entry);
            expires = Math.min(expires, index.deadlineMillis(entry));
        }
        if (messages == 0) {
            return null;
        }
        String address = index.laneAddress(lane); // only user. is ever held
        int connections =
                directory.ofUser(address.substring(address.indexOf('.') + 1)).size();
        return new HeldAddress(address, messages, bytes, times.heldBy(oldestId, nowMillis), expires, connections);
    }

    /** Ids of what is held for an address and does not leave already, behind one id and up to another, in order. */
    List<Long> heldIds(String address, long afterId, long upToId, int most) {
        List<Long> ids = new ArrayList<>();
        int lane = index.lane(address);
        if (lane == HeldIndex.NONE) {
            return ids;
        }
        for (int entry = index.first(lane);
                entry != HeldIndex.NONE && index.id(entry) <= upToId && ids.size() < most;
                entry = index.next(entry)) {
            long id = index.id(entry);
            if (id > afterId && !isLeaving(id)) {
                ids.add(id);
            }
        }
        return ids;
    }

    /** Whether a message is held, and nobody has released it. */
    boolean isHeld(long id) {
        return index.entry(id) != HeldIndex.NONE && !released.contains(id);
    }

    /** When it was held at the latest, in milliseconds since 1970. */
    long heldByMillis(long id, long nowMillis) {
        return times.heldBy(id, nowMillis);
    }

    /**
     * Reads a held message only to look at it.
     *
     * @param looker gets it, or null when it is not held any more; called once
     * @return whether there is room to look at one more
     */
    boolean look(long id, Consumer<@Nullable HeldMessage> looker) {
        if (lookedAt.size() >= MAX_LOOKED_AT) { // I5
            return false;
        }
        lookedAt.computeIfAbsent(id, same -> new ArrayList<>(1)).add(looker);
        read(id);
        return true;
    }

    /** A message has been read, or is not held any more: whoever looks at it gets that. */
    void looked(long id, @Nullable HeldMessage message) {
        List<Consumer<@Nullable HeldMessage>> lookers = lookedAt.remove(id);
        if (lookers != null) {
            lookers.forEach(looker -> looker.accept(message));
        }
    }

    /** Whom a message that is held is for. */
    String addressOf(long id) {
        return index.address(index.entry(id));
    }

    /** Whether a held message that is not where it was looked for is nowhere; else it is looked for again, if need be. */
    boolean isLost(long id, long offset) {
        int entry = index.entry(id);
        if (entry == HeldIndex.NONE || released.contains(id)) {
            return false;
        }
        if (index.offset(entry) == offset) {
            return true;
        }
        LaneMessage message = wanted.get(id);
        long moved = read(id); // copied forward while it was being read
        if (message != null) {
            message.offset = moved;
        }
        return false;
    }

    /** A held message is lost: returns the one that waited for it, or null when none did. */
    @Nullable
    LaneMessage missing(long id) {
        release(id);
        if (forwarding.remove(id)) {
            appendForwarded();
        }
        return wanted.remove(id);
    }

    /** Whether a copy is to be made of the message that was read; asked once for each. */
    boolean takeDeparting(long id) {
        return departingReads.remove(id);
    }

    /** An instruction for the copy of a held message; it is settled by {@link #release}. */
    Instruction restored(HeldMessage message, Envelope envelope) {
        return new Instruction(
                channel,
                message.id(),
                log().restore(message.properties(), message.body()),
                envelope,
                OfflinePolicy.HOLD,
                message.deadlineMillis());
    }

    /** Whether an instruction was made by {@link #restored}. */
    boolean isRestored(Instruction instruction) {
        return instruction.channel() == channel;
    }

    /** A held message has been read: returns the one that waited for it to be delivered, or null when none does. */
    @Nullable
    LaneMessage read(HeldMessage read) {
        LaneMessage message = wanted.remove(read.id());
        if (message == null) {
            return null;
        }
        message.asked = log().restore(read.properties(), read.body()).askedReceipt();
        message.frame = Frame.envelope(read.body(), true, 0, message.asked);
        return message;
    }
}
