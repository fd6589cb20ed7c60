package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ElevatorTest {

    private static final boolean SCAN = true;
    private static final boolean NEWEST = false;

    private final Elevator elevator = new Elevator();
    private final long gap = elevator.gap();
    private long lastId;

    /** One request for records, the first id given is the answer. */
    private void want(long... offsets) {
        for (long offset : offsets) {
            elevator.add(++lastId, offset);
        }
        elevator.go();
    }

    private Elevator.Run claim(boolean scan) {
        return Objects.requireNonNull(elevator.claim(scan), "nothing to do");
    }

    /** Lets records come to a run until it is over; returns those that were wanted. */
    private List<Long> readToTheEnd(Elevator.Run run) {
        List<Long> wanted = new ArrayList<>();
        long offset = elevator.target(run);
        while (elevator.target(run) != Elevator.NONE) {
            elevator.arrived(run, offset++, 0).forEach(demand -> wanted.add(demand.offset()));
        }
        elevator.release(run);
        return wanted;
    }

    private List<Long> scan() {
        return readToTheEnd(claim(SCAN));
    }

    @Test
    void readsOnWhileTheNextIsNear() {
        want(10, 10 + gap, 11 + 2 * gap);
        assertThat(scan()).containsExactly(10L, 10 + gap);
        assertThat(scan()).containsExactly(11 + 2 * gap);
        assertThat(elevator.claim(SCAN)).isNull();
    }

    @Test
    void largeRecordsAreNotReadForNothing() {
        want(0);
        Elevator.Run run = claim(SCAN);
        for (int i = 0; i < 1_000; i++) {
            elevator.arrived(run, i, 64 << 10);
        }
        assertThat(elevator.gap()).isBetween(10L, 30L).isLessThan(gap);
    }

    @Test
    void scansGoUpwardsAndBeginAgainAtTheBottom() {
        want(50_000);
        assertThat(scan()).containsExactly(50_000L);
        want(10, 90_000);
        assertThat(scan()).containsExactly(90_000L);
        assertThat(scan()).containsExactly(10L);
    }

    @Test
    void whatIsWantedInFrontIsServedInPassing() {
        want(0, 10);
        Elevator.Run run = claim(SCAN);
        elevator.arrived(run, 0, 0);
        want(5, 10, 12);
        assertThat(elevator.target(run)).isEqualTo(5);
        assertThat(readToTheEnd(run)).containsExactly(5L, 10L, 12L);
        assertThat(elevator.waiting()).isZero();
    }

    @Test
    void oneRecordAnswersEveryoneWhoWantsIt() {
        want(7, 7, 7);
        List<Elevator.Demand> answered = elevator.arrived(claim(SCAN), 7, 0);
        assertThat(answered).hasSize(1);
        assertThat(answered.get(0).ids()).containsExactly(1, 2, 3);
    }

    @Test
    void onlyTheRecordThatReadingBeganAtIsEverTakenForGone() {
        want(3, 4, 100);
        Elevator.Run run = claim(SCAN);
        assertThat(elevator.target(run)).isEqualTo(3);
        assertThat(elevator.arrived(run, 100, 0).stream().map(Elevator.Demand::offset))
                .containsExactly(3L, 100L);
        assertThat(elevator.target(run)).isEqualTo(Elevator.NONE);
        elevator.release(run);

        Elevator.Run next = claim(SCAN);
        assertThat(elevator.target(next)).isEqualTo(4);
        assertThat(elevator.arrived(next, 101, 0).stream().map(Elevator.Demand::offset))
                .containsExactly(4L);
    }

    @Test
    void whatIsAskedForBelowWhereReadingBeganIsNotTakenForGone() {
        want(3, 50);
        Elevator.Run run = claim(SCAN);
        elevator.forget(1, 3);
        assertThat(elevator.target(run)).isEqualTo(50);
        want(20);
        assertThat(elevator.arrived(run, 50, 0).stream().map(Elevator.Demand::offset))
                .containsExactly(50L);
        elevator.release(run);
        assertThat(elevator.target(claim(SCAN))).isEqualTo(20);
    }

    @Test
    void scansDoNotReadTheSame() {
        long[] dense = new long[(int) (100 * gap)];
        for (int i = 0; i < dense.length; i++) {
            dense[i] = i;
        }
        want(dense);
        Elevator.Run first = claim(SCAN);
        Elevator.Run second = claim(SCAN);
        assertThat(elevator.target(first)).isZero();
        long border = elevator.target(second);
        assertThat(border).as("long enough for its beginning to be little").isBetween(16 * gap, 64 * gap);
        assertThat(readToTheEnd(first)).hasSize((int) border).endsWith(border - 1);
        assertThat(readToTheEnd(second)).as("alone, it goes on").hasSize(dense.length - (int) border);
    }

    @Test
    void aSingleReaderDoesNotWaitForThousands() {
        for (long offset = 0; offset < 1_000_000; offset += 100) {
            want(offset);
        }
        claim(SCAN);
        claim(SCAN);
        want(777_777);
        assertThat(elevator.target(claim(NEWEST))).isEqualTo(777_777);
    }

    @Test
    void theNewestRequestIsReadFromItsFirstRecordOn() {
        want(10);
        want(900_000, 500_000, 700_000);
        assertThat(readToTheEnd(claim(NEWEST))).containsExactly(500_000L);
        assertThat(readToTheEnd(claim(NEWEST))).containsExactly(700_000L);
        assertThat(readToTheEnd(claim(NEWEST))).containsExactly(900_000L);
        assertThat(readToTheEnd(claim(NEWEST))).containsExactly(10L);
    }

    @Test
    void theNewestReadsOnlyShortRunsSoThatItIsSoonBack() {
        long[] dense = new long[(int) (10 * gap)];
        for (int i = 0; i < dense.length; i++) {
            dense[i] = i;
        }
        want(dense);
        assertThat(readToTheEnd(claim(NEWEST))).hasSize((int) gap + 1);
    }

    @Test
    void whatAScanIsAboutToComeToIsLeftToIt() {
        want(0, 1);
        claim(SCAN);
        want(2);
        assertThat(elevator.claim(NEWEST)).isNull();
        assertThat(elevator.claim(SCAN)).isNull();
    }

    @Test
    void whatIsForgottenIsNotRead() {
        want(5, 5, 2_000);
        elevator.forget(1, 5);
        elevator.forget(3, 2_000);
        elevator.forget(99, 5);
        Elevator.Run run = claim(SCAN);
        assertThat(elevator.arrived(run, 5, 0).get(0).ids()).containsExactly(2);
        assertThat(elevator.target(run)).isEqualTo(Elevator.NONE);
        assertThat(elevator.waiting()).isZero();
        elevator.forget(2, 5); // it was read meanwhile
        elevator.release(run);
        assertThat(elevator.claim(SCAN)).isNull();
    }

    @Test
    void aRunThatWasCutGoesOnWhereItWas() {
        want(0, 50, 100);
        Elevator.Run run = claim(SCAN);
        elevator.arrived(run, 0, 0);
        elevator.beginAgain(run);
        assertThat(elevator.target(run)).isEqualTo(50);
        elevator.release(run);
        assertThat(elevator.target(claim(SCAN))).as("left to the others").isEqualTo(50);
    }

    @Test
    void whateverTheOrderEverythingIsAnsweredOnce() { // none twice, none lost
        for (int seed = 0; seed < 50; seed++) {
            randomRun(new Random(seed), seed);
        }
    }

    private static void randomRun(Random random, int seed) {
        Elevator elevator = new Elevator();
        TreeSet<Long> log = new TreeSet<>();
        for (long offset = 0; offset < 30_000; offset += 1 + random.nextInt(3)) {
            log.add(offset);
        }
        List<Long> offsets = List.copyOf(log);
        TreeMap<Long, Long> open = new TreeMap<>(); // ids asked for, with their offsets
        List<Elevator.Run> runs = new ArrayList<>();
        long id = 0;
        for (int step = 0; step < 1_000 || !open.isEmpty(); step++) {
            int what = random.nextInt(step < 1_000 ? 10 : 8);
            if (what < 5 && !runs.isEmpty()) {
                Elevator.Run run = runs.get(random.nextInt(runs.size()));
                Long next = elevator.target(run);
                for (int i = random.nextInt(500); i > 0 && next != null && next != Elevator.NONE; i--) {
                    for (Elevator.Demand demand : elevator.arrived(run, next, 250)) {
                        assertThat(demand.offset())
                                .as("seed %d: nothing is gone", seed)
                                .isEqualTo(next);
                        for (long answered : demand.ids()) {
                            assertThat(open.remove(answered))
                                    .as("seed %d", seed)
                                    .isEqualTo(demand.offset());
                        }
                    }
                    next = elevator.target(run) == Elevator.NONE ? null : log.higher(next);
                }
                if (elevator.target(run) == Elevator.NONE) {
                    elevator.beginAgain(run);
                }
                if (elevator.target(run) == Elevator.NONE || random.nextInt(20) == 0) {
                    runs.remove(run);
                    elevator.release(run);
                }
            } else if (what < 8 && runs.size() < 4) {
                Elevator.Run run = elevator.claim(random.nextBoolean());
                if (run != null) {
                    runs.add(run);
                }
            } else if (what == 8) {
                for (int i = random.nextInt(50); i > 0; i--) {
                    long offset = offsets.get(random.nextInt(offsets.size()));
                    open.put(++id, offset);
                    elevator.add(id, offset);
                }
                elevator.go();
            } else if (!open.isEmpty() && random.nextInt(10) == 0) {
                Map.Entry<Long, Long> oldest = open.pollFirstEntry();
                elevator.forget(oldest.getKey(), oldest.getValue());
            }
            assertThat(elevator.waiting()).as("seed %d", seed).isEqualTo(open.size());
        }
    }
}
