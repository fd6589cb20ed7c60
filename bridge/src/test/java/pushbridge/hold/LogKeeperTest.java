package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The log stays proportional to what is held, and the broker, which cuts off the oldest segments by size and by age,
 * never cuts off what is live.
 */
final class LogKeeperTest {

    private static final int KIB = 1024;
    private static final KeepingRules RULES =
            new KeepingRules(500, 64 * KIB, 4, 64 * KIB, Duration.ofHours(1), 64, 16 * KIB);

    @Test
    void nothingIsDueInAShortLog() {
        Stream stream = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        stream.hold("user.a", 100);
        assertThat(stream.keeper.next(stream.now).task()).isEqualTo(LogKeeper.Task.NOTHING);
        assertThat(stream.keeper.spanBytes())
                .isBetween(stream.index.bytes(), stream.index.bytes() + RULES.floorBytes() / 64);
    }

    @Test
    void aCheckpointIsDueAfterSoManyRecordsOrBytes() {
        Stream few = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        for (int i = 1; i < 500; i++) {
            assertThat(few.keeper.next(few.now).task()).isEqualTo(LogKeeper.Task.NOTHING);
            few.hold("user.a", 0);
        }
        assertThat(few.keeper.next(few.now).task()).isEqualTo(LogKeeper.Task.CHECKPOINT);
        few.keep();
        assertThat(few.keeper.recordsSinceCheckpoint()).isZero();

        Stream large = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        large.hold("user.a", 64 * KIB);
        assertThat(large.keeper.next(large.now).task()).isEqualTo(LogKeeper.Task.CHECKPOINT);
    }

    @Test
    void whatIsDeadInTheSpanIsLeftBehindByCopyingTheOldest() {
        Stream stream = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        long early = stream.hold("user.early", 100);
        for (int i = 0; i < 200; i++) {
            stream.release(stream.hold("user.b", 1000));
        }
        assertThat(stream.keeper.spanBytes()).isGreaterThan(RULES.floorBytes());
        stream.keepUntilNothingIsDue();
        assertThat(stream.keeper.spanBytes()).isLessThan(RULES.floorBytes());
        assertThat(stream.index.entry(early)).isNotEqualTo(HeldIndex.NONE);
        assertThat(stream.copiedMessages).isEqualTo(1);
    }

    @Test
    void aStepIsBoundedInMessagesAndBytes() {
        Stream small = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        Stream large = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        for (int i = 0; i < 500; i++) {
            small.hold("user." + i, 0);
            large.hold("user." + i, 3 * KIB);
        }
        small.now += Duration.ofHours(2).toMillis();
        large.now += Duration.ofHours(2).toMillis();
        small.keepWhile(LogKeeper.Task.CHECKPOINT);
        large.keepWhile(LogKeeper.Task.CHECKPOINT);
        assertThat(small.keeper.next(small.now)).isEqualTo(new LogKeeper.Step(LogKeeper.Task.COPY_FORWARD, 64));
        assertThat(large.keeper.next(large.now)).isEqualTo(new LogKeeper.Step(LogKeeper.Task.COPY_FORWARD, 5));
    }

    @Test
    void aMessageLargerThanAStepIsCopiedAllTheSame() {
        Stream stream = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        stream.hold("user.a", 40 * KIB);
        stream.now += Duration.ofHours(2).toMillis();
        assertThat(stream.keeper.next(stream.now)).isEqualTo(new LogKeeper.Step(LogKeeper.Task.COPY_FORWARD, 1));
    }

    @Test
    void whatGetsOldIsCopiedOnceAndNotAgainUntilItIsOldAgain() {
        Stream stream = new Stream(RULES, Long.MAX_VALUE, Long.MAX_VALUE, 1);
        stream.now += Duration.ofHours(10).toMillis();
        stream.hold("user.a", 100);
        assertThat(stream.keeper.next(stream.now).task())
                .as("the time before it was written does not count")
                .isEqualTo(LogKeeper.Task.NOTHING);
        stream.now += RULES.copyAge().toMillis();
        stream.keepUntilNothingIsDue();
        assertThat(stream.copiedMessages).isEqualTo(1);
        stream.now += RULES.copyAge().toMillis() - 2 * RULES.markMillis();
        stream.keepUntilNothingIsDue();
        assertThat(stream.copiedMessages).isEqualTo(1);
    }

    @Test
    void randomTrafficLeavesASpanInProportionToWhatIsHeldAndCopiesInProportionToWhatIsAppended() {
        long base = Long.getLong("pushbridge.seed", 20_261_121L);
        for (int run = 0; run < 12; run++) {
            long seed = base + run;
            int factor = 3 + run % 3;
            KeepingRules rules = new KeepingRules(500, 64 * KIB, factor, 64 * KIB, Duration.ofDays(1000), 64, 16 * KIB);
            Stream stream = new Stream(rules, Long.MAX_VALUE, Long.MAX_VALUE, seed);
            long mostHeld = 0;
            for (int step = 0; step < 60_000; step++) {
                stream.traffic(1_000_000, 0.5 + 0.45 * Math.sin(step / 5_000.0));
                stream.keep();
                mostHeld = Math.max(mostHeld, stream.index.bytes());
                assertThat(stream.span())
                        .as("seed %d, step %d: span", seed, step)
                        .isLessThanOrEqualTo(rules.longestSpanBytes(mostHeld));
                if (step % 1000 == 0) {
                    stream.keepUntilNothingIsDue();
                    assertThat(stream.span())
                            .as("seed %d, step %d: span when nothing is due", seed, step)
                            .isLessThanOrEqualTo(factor * stream.index.bytes() + rules.floorBytes());
                }
            }
            assertThat(stream.copiedBytes)
                    .as("seed %d: copied of %d appended", seed, stream.appendedBytes)
                    .isLessThanOrEqualTo(stream.appendedBytes / (factor - 2));
            assertThat(stream.copiedMessages).as("seed %d", seed).isPositive();
            assertThat(stream.index.failedCheckpoints()).isZero();
        }
    }

    @Test
    void aWeekOfTrafficOnASmallDiskLosesNothing() {
        long base = Long.getLong("pushbridge.seed", 20_261_121L);
        for (int run = 0; run < 8; run++) {
            long seed = base + run;
            long maxHeld = 128 * KIB;
            Duration maxAge = Duration.ofHours(3);
            // Segments of 32 KiB; the broker keeps as many whole ones as the longest span needs.
            Stream stream = new Stream(RULES, RULES.longestSpanBytes(maxHeld) + 32 * KIB, maxAge.toMillis(), seed);
            Random random = new Random(seed);
            long end = stream.now + Duration.ofDays(7).toMillis();
            int steps = 0;
            while (stream.now < end) {
                // Busy hours and hours in which nothing comes but the clock.
                boolean busy = (stream.now / 3_600_000) % 7 < 2;
                stream.now += busy ? random.nextInt(10_000) : random.nextInt(120_000);
                if (busy) {
                    stream.traffic(maxHeld, 0.5 + 0.4 * Math.sin(steps / 3_000.0));
                }
                stream.keep();
                stream.truncate();
                assertThat(stream.firstOffset)
                        .as("seed %d, step %d: the first offset there is", seed, steps)
                        .isLessThanOrEqualTo(stream.index.lowestLiveOffset());
                if (steps++ % 5_000 == 0) {
                    stream.foldAgain();
                }
            }
            assertThat(stream.diskBytes()).isLessThan(RULES.longestSpanBytes(maxHeld) + 96 * KIB);
            assertThat(stream.firstOffset)
                    .as("the broker has cut off something")
                    .isPositive();
            stream.foldAgain();
        }
    }

    /** A log that comes back at once, with the traffic of an owner, and a broker that cuts off its oldest segments. */
    private static final class Stream {
        private static final int SEGMENT_BYTES = 32 * KIB;

        private record Stored(long offset, LogRecord record, int bytes, long writtenMillis) {}

        private static final class Segment {
            final List<Stored> records = new ArrayList<>();
            long bytes;
            long lastMillis;
        }

        private final Random random;
        private final long maxBytes;
        private final long maxAgeMillis;
        private final HeldIndex index = new HeldIndex();
        private final LogKeeper keeper;
        private final Deque<Segment> segments = new ArrayDeque<>();
        /** How much of the log there was before an offset, to measure the span independently of the keeper. */
        private final Map<Long, Long> bytesBefore = new HashMap<>();

        private final List<Long> held = new ArrayList<>();
        private final Map<Long, LogRecord.Part> byId = new HashMap<>();
        private long now = 1_700_000_000_000L;
        private long offset = -1;
        private long ordinal = -1;
        private long nextId;
        private long firstOffset;
        private long totalBytes;
        private long appendedBytes;
        private long copiedBytes;
        private int copiedMessages;
        private LogRecord.Checkpoint lastCheckpoint = new LogRecord.Checkpoint(1, 0, 0, -1, -1, -1, -1, 0, 0, 0);

        Stream(KeepingRules rules, long maxBytes, long maxAgeMillis, long seed) {
            this.random = new Random(seed);
            this.maxBytes = maxBytes;
            this.maxAgeMillis = maxAgeMillis;
            this.keeper = new LogKeeper(index, rules);
            append(new LogRecord.Epoch(1, ++ordinal, "node"));
        }

        /** Holds or releases something, sometimes a lot at once; never more than may be held. */
        void traffic(long maxHeld, double releases) {
            if (random.nextInt(2_000) == 0) {
                for (int n = held.size() * 9 / 10; n > 0; n--) {
                    release(held.get(random.nextInt(held.size())));
                }
            } else if (random.nextDouble() < releases && !held.isEmpty()) {
                // Mostly young ones: users who come back soon; so that the old stay in the way.
                int last = held.size() - 1;
                int back =
                        random.nextInt(4) > 0 ? random.nextInt(Math.min(10, held.size())) : random.nextInt(held.size());
                release(held.get(last - back));
            } else {
                int body = random.nextInt(10) == 0 ? random.nextInt(6_000) : random.nextInt(300);
                long size = RecordCodec.recordBytes(9, 0, body);
                HoldLimits limits = new HoldLimits(1_000_000, 1_000_000, maxHeld);
                if (index.admits(limits, "user.1234", 1, size) == Admission.ADMITTED) {
                    hold("user." + (1000 + random.nextInt(1000)), body);
                }
            }
        }

        long hold(String address, int bodyBytes) {
            long id = nextId++;
            LogRecord.Part part =
                    new LogRecord.Part(address, List.of(new HeldMessage(id, 0, id, new byte[0], new byte[bodyBytes])));
            appendedBytes += append(new LogRecord.Hold(1, ++ordinal, List.of(part)));
            held.add(id);
            byId.put(id, part);
            return id;
        }

        void release(long id) {
            appendedBytes += append(new LogRecord.Release(1, ++ordinal, new long[] {id}));
            held.remove(id);
            byId.remove(id);
        }

        /** One step of the keeper. */
        LogKeeper.Task keep() {
            LogKeeper.Step step = keeper.next(now);
            switch (step.task()) {
                case CHECKPOINT -> append(index.checkpoint(++ordinal));
                case COPY_FORWARD -> {
                    List<LogRecord.Part> oldest = new ArrayList<>();
                    long atMost = 0;
                    int entry = index.oldest();
                    for (int i = 0; i < step.messages(); i++) {
                        oldest.add(Objects.requireNonNull(byId.get(index.id(entry))));
                        atMost += index.size(entry);
                        entry = index.newer(entry);
                    }
                    // One record or some, of one address or of many: never more than what the index says.
                    int records = 1 + random.nextInt(oldest.size());
                    long copied = 0;
                    for (int i = 0; i < records; i++) {
                        copied += append(new LogRecord.Hold(
                                1,
                                ++ordinal,
                                oldest.subList(i * oldest.size() / records, (i + 1) * oldest.size() / records)));
                    }
                    assertThat(copied).isLessThanOrEqualTo(atMost);
                    copiedBytes += copied;
                    copiedMessages += oldest.size();
                }
                case NOTHING -> assertThat(step.messages()).isZero();
            }
            return step.task();
        }

        void keepUntilNothingIsDue() {
            for (int steps = 0; keep() != LogKeeper.Task.NOTHING; steps++) {
                assertThat(steps).as("steps until nothing is due").isLessThan(5_000);
            }
        }

        void keepWhile(LogKeeper.Task task) {
            while (keeper.next(now).task() == task) {
                keep();
            }
        }

        private int append(LogRecord record) {
            offset++;
            int bytes = RecordCodec.encode(record).length;
            bytesBefore.put(offset, totalBytes);
            totalBytes += bytes;
            Segment last = segments.peekLast();
            if (last == null || last.bytes >= SEGMENT_BYTES) {
                last = new Segment();
                segments.addLast(last);
            }
            last.records.add(new Stored(offset, record, bytes, now));
            last.bytes += bytes;
            last.lastMillis = now;
            assertThat(index.apply(offset, record)).isEqualTo(HeldIndex.Outcome.APPLIED);
            keeper.saw(offset, bytes, now, record instanceof LogRecord.Checkpoint);
            if (record instanceof LogRecord.Checkpoint checkpoint) {
                lastCheckpoint = checkpoint;
            }
            return bytes;
        }

        /** What the broker does: whole segments, by size and by age, and never the last. */
        void truncate() {
            while (segments.size() > 1
                    && (diskBytes() - segments.getFirst().bytes >= maxBytes
                            || segments.getFirst().lastMillis < now - maxAgeMillis)) {
                for (Stored stored : segments.removeFirst().records) {
                    bytesBefore.remove(stored.offset);
                }
                firstOffset = segments.getFirst().records.get(0).offset;
            }
        }

        long diskBytes() {
            return segments.stream().mapToLong(s -> s.bytes).sum();
        }

        long span() {
            return totalBytes - bytesBefore.getOrDefault(index.lowestLiveOffset(), totalBytes);
        }

        /** What a restart would know. */
        void foldAgain() {
            HeldIndex fold = new HeldIndex(lastCheckpoint);
            for (Segment segment : segments) {
                for (Stored stored : segment.records) {
                    if (stored.offset >= lastCheckpoint.lowestLiveOffset()) {
                        fold.apply(stored.offset, stored.record);
                    }
                }
            }
            assertThat(fold.count()).isEqualTo(index.count());
            assertThat(fold.fingerprint()).isEqualTo(index.fingerprint());
            assertThat(fold.failedCheckpoints()).isZero();
        }
    }
}
