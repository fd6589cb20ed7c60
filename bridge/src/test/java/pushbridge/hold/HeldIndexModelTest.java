package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random logs, with everything that two owners, lost confirms and a careless writer can do to one, against a reference
 * made of maps; and every fold from a checkpoint must arrive where the fold from the beginning does.
 */
final class HeldIndexModelTest {

    private static final int RUNS = 20;
    private static final int STEPS = 100_000;

    @Test
    void randomLogsFoldAsTheReferenceDoesFromWhereverTheyBegin() {
        long base = Long.getLong("pushbridge.seed", 20_261_121L);
        for (int run = 0; run < RUNS; run++) {
            long seed = base + run;
            try {
                new Run(seed).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        "seed " + seed + " (-Dpushbridge.seed=" + seed + " repeats it): " + e.getMessage(), e);
            }
        }
    }

    /** A message that is held, with its place. */
    private record Held(String address, long offset, int position, HeldMessage message) {
        long size() {
            return RecordCodec.recordBytes(address.length(), message.properties().length, message.body().length);
        }
    }

    private record Appended(long offset, @Nullable LogRecord record) {}

    private static final class Run {
        private final Random random;
        private final int addresses;
        private final byte[][] bodies = new byte[16][];

        private final HeldIndex index = new HeldIndex();
        private final List<Appended> log = new ArrayList<>();
        private long offset = -1;

        // The writer.
        private long epoch = -1;
        private long ordinal = -1;
        private long nextId;
        private LogRecord.@Nullable Checkpoint underWay;

        // The reference.
        private final Map<Long, Held> held = new TreeMap<>();
        private final Map<String, TreeMap<Long, Held>> lanes = new HashMap<>();
        private final TreeMap<Long, TreeMap<Integer, Long>> places = new TreeMap<>();
        private long bytes;
        private long seenEpoch = -1;
        private long seenOrdinal = -1;
        private final List<LogRecord.Checkpoint> checkpoints = new ArrayList<>();

        Run(long seed) {
            this.random = new Random(seed);
            // From everybody in a few lanes to nearly everybody in a lane of his own.
            this.addresses = 1 << Math.floorMod(seed * 5, 16);
            for (int i = 0; i < bodies.length; i++) {
                bodies[i] = new byte[i];
            }
        }

        void play() {
            epoch = 0;
            ordinal = 0;
            append(new LogRecord.Epoch(0, 0, "node-0"));
            boolean growing = true;
            int peak = 1_000 + random.nextInt(15_000);
            for (int step = 0; step < STEPS; step++) {
                growing = growing ? held.size() < peak : held.size() < peak / 50;
                step(growing);
                look();
                if (step % 50_000 == 49_999) {
                    compare(index);
                    foldFromACheckpoint();
                }
            }
            assertThat(index.failedCheckpoints()).as("checkpoints that failed").isZero();
            assertThat(index.verifiedCheckpoints()).as("checkpoints verified").isPositive();
            releaseEverything();
            compare(index);
            assertThat(index.heapBytes()).as("heap when nothing is held").isLessThan(1_500_000);
        }

        private void step(boolean growing) {
            int dice = random.nextInt(1000);
            if (dice < 880) {
                if (random.nextInt(10) < (growing ? 8 : 2)) {
                    hold();
                } else {
                    release();
                }
            } else if (dice < 940) {
                copyForward();
            } else if (dice < 950) {
                checkpoint();
            } else if (dice < 965) {
                int back = random.nextInt(random.nextInt(10) == 0 ? log.size() : 20);
                append(log.get(Math.max(0, log.size() - 1 - back)).record());
            } else if (dice < 975) {
                append(null);
            } else if (dice < 978) {
                // What came behind a record that the broker refused; both are going to be appended again.
                append(new LogRecord.Release(epoch, ordinal + 2 + random.nextInt(3), new long[] {anyId()}));
            } else if (dice < 980) {
                // The owner before this one does not know yet; what it writes would do damage.
                append(new LogRecord.Release(Math.max(0, epoch - 1), 1L << 40, new long[] {anyId()}));
            } else if (dice < 981) {
                epoch++;
                ordinal = random.nextInt(2);
                append(new LogRecord.Epoch(epoch, ordinal, "node-" + epoch));
            } else if (dice < 983) {
                // A contender that comes second.
                append(new LogRecord.Epoch(epoch, 0, "late"));
            } else if (dice < 985) {
                // A careless writer: an id that was released, or one for another address.
                hold(List.of(random.nextBoolean() ? anyId() : random.nextLong(nextId + 1)));
            } else if (dice < 987) {
                assertThat(index.apply(
                                random.nextLong(offset + 1), new LogRecord.Release(epoch, 1L << 41, new long[] {1})))
                        .isEqualTo(HeldIndex.Outcome.SEEN);
            } else {
                release();
            }
            if (underWay != null && (underWay.epoch() != epoch || ordinal >= underWay.ordinal())) {
                underWay = null;
            } else if (underWay != null && ordinal + 1 == underWay.ordinal()) {
                ordinal++;
                append(underWay);
                underWay = null;
            }
        }

        /** Made now, appended behind what is under way. */
        private void checkpoint() {
            if (underWay == null && index.epoch() == epoch && index.ordinal() == ordinal) {
                underWay = index.checkpoint(ordinal + 1 + random.nextInt(5));
            }
        }

        private void hold() {
            List<Long> ids = new ArrayList<>();
            for (int n = 1 + random.nextInt(random.nextInt(20) == 0 ? 40 : 4); n > 0; n--) {
                ids.add(nextId++);
            }
            hold(ids);
        }

        /** In parts as it comes, also several for one address. */
        private void hold(List<Long> ids) {
            List<LogRecord.Part> parts = new ArrayList<>();
            List<HeldMessage> messages = new ArrayList<>();
            for (long id : ids) {
                // Few contents, so that many are alike.
                messages.add(new HeldMessage(
                        id,
                        random.nextInt(1_000_000),
                        random.nextInt(3) == 0 ? 5 : random.nextLong(),
                        bodies[random.nextInt(4)],
                        bodies[random.nextInt(16)]));
                if (random.nextBoolean()) {
                    parts.add(new LogRecord.Part("user." + random.nextInt(addresses), messages));
                    messages.clear();
                }
            }
            if (!messages.isEmpty()) {
                parts.add(new LogRecord.Part("user." + random.nextInt(addresses), messages));
            }
            append(new LogRecord.Hold(epoch, ++ordinal, parts));
        }

        private void release() {
            long[] ids = new long[1 + random.nextInt(6)];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = random.nextInt(50) == 0 ? random.nextLong(nextId + 10) : anyId();
            }
            append(new LogRecord.Release(epoch, ++ordinal, ids));
        }

        private void releaseEverything() {
            while (!held.isEmpty()) {
                long[] ids = held.keySet().stream()
                        .limit(1000)
                        .mapToLong(Long::longValue)
                        .toArray();
                append(new LogRecord.Release(epoch, ++ordinal, ids));
            }
        }

        /** The oldest, now and then others; those of one address together, some addresses in one record. */
        private void copyForward() {
            Map<String, List<HeldMessage>> copies = new TreeMap<>();
            int wanted = 1 + random.nextInt(40);
            for (TreeMap<Integer, Long> record : places.values()) {
                for (long id : record.values()) {
                    if (wanted-- > 0) {
                        Held one = found(id);
                        copies.computeIfAbsent(one.address, a -> new ArrayList<>())
                                .add(one.message);
                    }
                }
                if (wanted <= 0) {
                    break;
                }
            }
            List<LogRecord.Part> parts = new ArrayList<>();
            copies.forEach((address, messages) -> {
                messages.sort(Comparator.comparingLong(HeldMessage::id));
                parts.add(new LogRecord.Part(address, messages));
                if (random.nextInt(4) == 0) {
                    append(new LogRecord.Hold(epoch, ++ordinal, parts));
                    parts.clear();
                }
            });
            if (!parts.isEmpty()) {
                append(new LogRecord.Hold(epoch, ++ordinal, parts));
            }
        }

        /** An id that is held, if one is found quickly. */
        private long anyId() {
            if (places.isEmpty()) {
                return 0;
            }
            // Mostly what came first, as in life.
            long at =
                    random.nextBoolean() ? places.firstKey() : random.nextLong(places.firstKey(), places.lastKey() + 1);
            return places.ceilingEntry(at).getValue().firstEntry().getValue();
        }

        private void append(@Nullable LogRecord record) {
            offset += random.nextInt(200) == 0 ? 2 : 1;
            log.add(new Appended(offset, record));
            if (record == null) {
                index.skip(offset);
                return;
            }
            HeldIndex.Outcome expected = applyToReference(offset, record);
            check(index.apply(offset, record) == expected, "the outcome, expected " + expected);
            if (record instanceof LogRecord.Checkpoint made && expected == HeldIndex.Outcome.APPLIED) {
                checkpoints.add(made);
            }
        }

        private HeldIndex.Outcome applyToReference(long at, LogRecord record) {
            if (record.epoch() < seenEpoch) {
                return HeldIndex.Outcome.VOID;
            }
            if (record.epoch() == seenEpoch && record.ordinal() <= seenOrdinal) {
                return HeldIndex.Outcome.REPEATED;
            }
            if (record.epoch() == seenEpoch && record.ordinal() > seenOrdinal + 1) {
                return HeldIndex.Outcome.AHEAD;
            }
            seenEpoch = record.epoch();
            seenOrdinal = record.ordinal();
            if (record instanceof LogRecord.Hold hold) {
                int position = 0;
                for (LogRecord.Part part : hold.parts()) {
                    for (HeldMessage message : part.messages()) {
                        forget(message.id());
                        Held one = new Held(part.address(), at, position, message);
                        held.put(message.id(), one);
                        lanes.computeIfAbsent(part.address(), a -> new TreeMap<>())
                                .put(message.id(), one);
                        places.computeIfAbsent(at, o -> new TreeMap<>()).put(position, message.id());
                        bytes += one.size();
                        position++;
                    }
                }
            } else if (record instanceof LogRecord.Release release) {
                for (long id : release.ids()) {
                    forget(id);
                }
            }
            return HeldIndex.Outcome.APPLIED;
        }

        private void forget(long id) {
            Held one = held.remove(id);
            if (one != null) {
                lane(one.address).remove(id);
                if (lane(one.address).isEmpty()) {
                    lanes.remove(one.address);
                }
                TreeMap<Integer, Long> record = places.get(one.offset);
                if (record != null) {
                    record.remove(one.position);
                    if (record.isEmpty()) {
                        places.remove(one.offset);
                    }
                }
                bytes -= one.size();
            }
        }

        private NavigableMap<Long, Held> lane(String address) {
            return lanes.getOrDefault(address, new TreeMap<>());
        }

        private Held found(long id) {
            return Objects.requireNonNull(held.get(id), "nothing is held with id " + id);
        }

        private long lowest() {
            return places.isEmpty() ? offset + 1 : places.firstKey();
        }

        /** What can be compared after every step. */
        private void look() {
            if (index.count() != held.size()
                    || index.bytes() != bytes
                    || index.lanes() != lanes.size()
                    || index.lowestLiveOffset() != lowest()
                    || index.epoch() != seenEpoch
                    || index.ordinal() != seenOrdinal) {
                throw new AssertionError("at offset " + offset + ": " + index.count() + " held instead of "
                        + held.size() + ", " + index.bytes() + " bytes instead of " + bytes + ", " + index.lanes()
                        + " lanes instead of " + lanes.size() + ", lowest " + index.lowestLiveOffset() + " instead of "
                        + lowest());
            }
            long id = anyId();
            Held one = held.get(id);
            int entry = index.entry(id);
            check((entry == HeldIndex.NONE) == (one == null), "whether an id is held");
            if (one != null) {
                compareEntry(index, entry, one);
                NavigableMap<Long, Held> lane = lane(one.address);
                check(index.count(one.address) == lane.size(), "messages of an address");
                check(index.id(index.first(index.lane(one.address))) == lane.firstKey(), "the first of a lane");
                long hash = one.message.contentHash();
                int match = index.find(one.address, hash, one.message.body().length);
                check(match != HeldIndex.NONE, "a match");
                Held matched = found(index.id(match));
                check(
                        matched.address.equals(one.address)
                                && matched.message.contentHash() == hash
                                && matched.message.body().length == one.message.body().length,
                        "what matches");
                if (offset % 100 == 0) {
                    // It looks at all that are alike.
                    check(index.find(one.address, hash, 17) == HeldIndex.NONE, "no match of another size");
                }
            }
        }

        /** Cheaper than an assertion with a sentence, millions of times. */
        private void check(boolean holds, String what) {
            if (!holds) {
                throw new AssertionError("at offset " + offset + ": wrong is " + what);
            }
        }

        private void compare(HeldIndex fold) {
            assertThat(fold.count()).isEqualTo(held.size());
            assertThat(fold.bytes()).isEqualTo(bytes);
            assertThat(fold.lanes()).isEqualTo(lanes.size());
            assertThat(fold.lowestLiveOffset()).isEqualTo(lowest());
            lanes.forEach((address, lane) -> {
                int entry = fold.first(fold.lane(address));
                for (Held one : lane.values()) {
                    compareEntry(fold, entry, one);
                    entry = fold.next(entry);
                }
                assertThat(entry).as("what follows the last of %s", address).isEqualTo(HeldIndex.NONE);
            });
            int entry = fold.oldest();
            for (TreeMap<Integer, Long> record : places.values()) {
                for (long id : record.values()) {
                    assertThat(fold.id(entry)).isEqualTo(id);
                    entry = fold.newer(entry);
                }
            }
            assertThat(entry).as("what follows the newest").isEqualTo(HeldIndex.NONE);
        }

        private static void compareEntry(HeldIndex fold, int entry, Held one) {
            if (fold.id(entry) != one.message.id()
                    || fold.offset(entry) != one.offset
                    || fold.position(entry) != one.position
                    || fold.size(entry) != one.size()
                    || fold.bodyBytes(entry) != one.message.body().length
                    || fold.deadlineMillis(entry) != one.message.deadlineMillis()
                    || fold.contentHash(entry) != one.message.contentHash()
                    || !fold.address(entry).equals(one.address)) {
                throw new AssertionError("entry " + fold.id(entry) + " of " + fold.address(entry) + " at "
                        + fold.offset(entry) + "/" + fold.position(entry) + " is not " + one);
            }
        }

        private void foldFromACheckpoint() {
            for (int pick = 0; pick < 2 && !checkpoints.isEmpty(); pick++) {
                LogRecord.Checkpoint checkpoint = checkpoints.get(random.nextInt(checkpoints.size()));
                HeldIndex fold = new HeldIndex(checkpoint);
                for (Appended appended : log) {
                    if (appended.offset < checkpoint.lowestLiveOffset()) {
                        continue;
                    }
                    if (appended.record == null) {
                        fold.skip(appended.offset);
                    } else {
                        fold.apply(appended.offset, appended.record);
                    }
                }
                compare(fold);
                assertThat(fold.fingerprint()).isEqualTo(index.fingerprint());
                assertThat(fold.epoch()).isEqualTo(index.epoch());
                assertThat(fold.ordinal()).isEqualTo(index.ordinal());
                assertThat(fold.highestId()).isEqualTo(index.highestId());
                assertThat(fold.lastOffset()).isEqualTo(index.lastOffset());
                assertThat(fold.failedCheckpoints()).isZero();
                assertThat(fold.verifiedCheckpoints()).isPositive();
                assertThat(fold.missingMessages()).isZero();
                assertThat(fold.checkpoint(ordinal + 1)).isEqualTo(index.checkpoint(ordinal + 1));
            }
        }
    }
}
