package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The rules of the fold, one by one. */
final class HeldIndexTest {

    private static final HoldLimits LIMITS = new HoldLimits(4, 2, 1_000);

    private final HeldIndex index = new HeldIndex();
    private long offset = 100;

    @Test
    void aLaneIsReadInTheOrderOfItsIds() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1, 2));
        apply(hold(1, 2, "user.b", 3));
        apply(hold(1, 3, "user.a", 4));
        assertThat(ids(index, "user.a")).containsExactly(1L, 2L, 4L);
        assertThat(index.count()).isEqualTo(4);
        assertThat(index.lanes()).isEqualTo(2);
        assertThat(index.count("user.a")).isEqualTo(3);
        assertThat(index.count("user.nobody")).isZero();
        int second = index.entry(2);
        assertThat(index.offset(second)).isEqualTo(101);
        assertThat(index.position(second)).isEqualTo(1);
        assertThat(index.address(second)).isEqualTo("user.a");
        assertThat(index.highestId()).isEqualTo(4);
    }

    @Test
    void oneRecordHoldsMessagesOfManyAddresses() {
        apply(epoch(1));
        apply(new LogRecord.Hold(
                1,
                1,
                List.of(
                        new LogRecord.Part("user.a", List.of(message(1), message(2))),
                        new LogRecord.Part("user.b", List.of(message(3))),
                        new LogRecord.Part("user.a", List.of(message(4))))));
        assertThat(ids(index, "user.a")).containsExactly(1L, 2L, 4L);
        assertThat(ids(index, "user.b")).containsExactly(3L);
        assertThat(index.position(index.entry(3)))
                .as("counted through the whole record")
                .isEqualTo(2);
        assertThat(index.position(index.entry(4))).isEqualTo(3);
        assertThat(index.offset(index.entry(4))).isEqualTo(101);
    }

    @Test
    void aHoldThatMovesSomeAndAddsOthersInOneRecordLeavesNothingBehind() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1, 2));
        apply(hold(1, 2, "user.b", 3));
        apply(new LogRecord.Hold(
                1,
                3,
                List.of(
                        new LogRecord.Part("user.b", List.of(message(3))),
                        new LogRecord.Part("user.c", List.of(message(4))),
                        new LogRecord.Part("user.a", List.of(message(1))))));
        assertThat(index.count()).isEqualTo(4);
        assertThat(ids(index, "user.a")).containsExactly(1L, 2L);
        assertThat(index.lowestLiveOffset()).as("2 stayed where it was").isEqualTo(101);
        assertThat(index.offset(index.entry(1))).isEqualTo(103);
        apply(release(1, 4, 2));
        assertThat(index.lowestLiveOffset()).isEqualTo(103);
        assertThat(index.id(index.oldest())).isEqualTo(3);
    }

    @Test
    void whatIsReleasedIsGoneAndItsAddressWithIt() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1, 2));
        apply(release(1, 2, 1));
        assertThat(ids(index, "user.a")).containsExactly(2L);
        apply(release(1, 3, 2));
        assertThat(index.lane("user.a")).isEqualTo(HeldIndex.NONE);
        assertThat(index.lanes()).isZero();
        assertThat(index.bytes()).isZero();
        assertThat(index.fingerprint()).isZero();
        assertThat(index.lowestLiveOffset()).isEqualTo(offset);
    }

    @Test
    void aRecordOfAnOverruledOwnerIsVoid() {
        apply(epoch(1));
        apply(epoch(2));
        assertThat(apply(hold(1, 1, "user.a", 1))).isEqualTo(HeldIndex.Outcome.VOID);
        assertThat(apply(release(1, 2, 1))).isEqualTo(HeldIndex.Outcome.VOID);
        assertThat(index.count()).isZero();
        assertThat(index.voided()).isEqualTo(2);
    }

    @Test
    void theFirstOfTwoContendersWithOneEpochWins() {
        apply(new LogRecord.Epoch(5, 0, "a"));
        assertThat(apply(new LogRecord.Epoch(5, 0, "b"))).isEqualTo(HeldIndex.Outcome.REPEATED);
        assertThat(index.epochNode()).isEqualTo("a");
    }

    @Test
    void anAppendRepeatedAfterALostConfirmDoesNotRevive() {
        apply(epoch(1));
        LogRecord hold = hold(1, 1, "user.a", 1);
        apply(hold);
        apply(release(1, 2, 1));
        assertThat(apply(hold)).isEqualTo(HeldIndex.Outcome.REPEATED);
        assertThat(index.count()).isZero();
        assertThat(index.repeated()).isEqualTo(1);
    }

    @Test
    void aRepetitionDoesNotReviveInAFoldFromACheckpointEither() {
        apply(epoch(1));
        LogRecord hold = hold(1, 1, "user.a", 1);
        apply(hold);
        apply(release(1, 2, 1));
        apply(hold(1, 3, "user.b", 2));
        LogRecord.Checkpoint checkpoint = index.checkpoint(4);
        HeldIndex later = new HeldIndex(checkpoint);
        assertThat(checkpoint.lowestLiveOffset()).isEqualTo(103);
        assertThat(later.apply(103, hold(1, 3, "user.b", 2))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(later.apply(104, hold)).isEqualTo(HeldIndex.Outcome.REPEATED);
        assertThat(later.apply(105, checkpoint)).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(ids(later, "user.a")).isEmpty();
        assertThat(later.verifiedCheckpoints()).isEqualTo(1);
    }

    @Test
    void aCheckpointOfNothingStillTellsRepetitionsAndOverruledOwners() {
        apply(epoch(1));
        apply(epoch(2));
        LogRecord hold = hold(2, 1, "user.a", 1);
        apply(hold);
        apply(release(2, 2, 1));
        HeldIndex later = new HeldIndex(index.checkpoint(3));
        assertThat(later.apply(104, hold)).isEqualTo(HeldIndex.Outcome.REPEATED);
        assertThat(later.apply(105, hold(1, 9, "user.a", 9))).isEqualTo(HeldIndex.Outcome.VOID);
        assertThat(later.highestId()).isEqualTo(1);
    }

    @Test
    void anOverruledOwnerIsVoidInAFoldFromACheckpointToo() {
        apply(epoch(1));
        apply(epoch(2));
        apply(hold(2, 1, "user.b", 2));
        HeldIndex later = new HeldIndex(index.checkpoint(2));
        assertThat(later.apply(102, hold(2, 1, "user.b", 2))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(later.apply(103, hold(1, 9, "user.a", 9))).isEqualTo(HeldIndex.Outcome.VOID);
    }

    @Test
    void whatComesAheadOfARefusedRecordIsTakenWhenItComesAgainBehindThatOne() {
        apply(epoch(1));
        assertThat(apply(hold(1, 2, "user.a", 2))).isEqualTo(HeldIndex.Outcome.AHEAD);
        assertThat(apply(hold(1, 1, "user.a", 1))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(apply(hold(1, 2, "user.a", 2))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(ids(index, "user.a")).containsExactly(1L, 2L);
        assertThat(index.ahead()).isEqualTo(1);
    }

    @Test
    void behindAPartThatIsGoneTheNextRecordIsTakenAndTheGapCounted() {
        apply(epoch(1));
        index.resynchronize();
        assertThat(apply(hold(1, 3, "user.a", 3))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(index.missingOrdinals()).isEqualTo(2);
    }

    @Test
    void aLogThatIsReadAgainChangesNothing() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1));
        assertThat(index.apply(101, release(1, 2, 1))).isEqualTo(HeldIndex.Outcome.SEEN);
        assertThat(index.count()).isEqualTo(1);
    }

    @Test
    void copyingForwardMovesTheLogAndNotTheLane() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1, 2));
        apply(hold(1, 2, "user.a", 3));
        apply(hold(1, 3, "user.a", 1, 2));
        assertThat(ids(index, "user.a")).containsExactly(1L, 2L, 3L);
        assertThat(index.id(index.oldest())).isEqualTo(3);
        assertThat(index.lowestLiveOffset()).isEqualTo(102);
        assertThat(index.offset(index.entry(1))).isEqualTo(103);
        assertThat(index.count()).isEqualTo(3);
    }

    @Test
    void aHoldOfAHeldIdReplacesItInEveryRespect() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1));
        apply(hold(1, 2, "user.a", new HeldMessage(1, 2_000, 55, new byte[1], new byte[5])));
        HeldIndex later = new HeldIndex(index.checkpoint(3));
        later.apply(102, hold(1, 2, "user.a", new HeldMessage(1, 2_000, 55, new byte[1], new byte[5])));
        assertThat(index.deadlineMillis(index.entry(1))).isEqualTo(2_000);
        assertThat(index.find("user.a", 55, 5)).isEqualTo(index.entry(1));
        assertThat(later.fingerprint()).isEqualTo(index.fingerprint());
        assertThat(later.bytes()).isEqualTo(index.bytes());
    }

    @Test
    void aFoldFromACheckpointSortsWhatWasCopiedForward() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 5));
        apply(hold(1, 2, "user.a", 7));
        apply(hold(1, 3, "user.a", 5));
        HeldIndex later = new HeldIndex(index.checkpoint(4));
        later.apply(102, hold(1, 2, "user.a", 7));
        later.apply(103, hold(1, 3, "user.a", 5));
        assertThat(later.first(later.lane("user.a"))).isEqualTo(later.entry(5));
        assertThat(later.next(later.entry(5))).isEqualTo(later.entry(7));
        assertThat(later.fingerprint()).isEqualTo(index.fingerprint());
    }

    @Test
    void releasingAnUnknownIdIsCountedAndHarmless() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1));
        assertThat(apply(release(1, 2, 8, 9))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(index.unknownReleases()).isEqualTo(2);
        assertThat(index.count()).isEqualTo(1);
        HeldIndex later = new HeldIndex(index.checkpoint(3));
        later.apply(101, hold(1, 1, "user.a", 1));
        later.apply(103, release(1, 3, 0));
        assertThat(later.unknownReleases()).as("it may be from before").isZero();
    }

    @Test
    void aCheckpointVerifiesTheStateItWasMadeIn() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1));
        LogRecord.Checkpoint checkpoint = index.checkpoint(4);
        apply(hold(1, 2, "user.a", 2));
        apply(release(1, 3, 1));
        apply(checkpoint);
        assertThat(index.verifiedCheckpoints()).isEqualTo(1);
        assertThat(index.failedCheckpoints()).isZero();
    }

    @Test
    void aCheckpointThatSaysSomethingElseIsReported() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1));
        apply(new LogRecord.Checkpoint(1, 2, 101, 1, 0, 1, 1, 1, index.bytes(), index.fingerprint() + 1));
        assertThat(index.failedCheckpoints()).isEqualTo(1);
    }

    @Test
    void messagesThatTheLogNoLongerHasAreMissing() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", 1, 2));
        apply(hold(1, 2, "user.b", 3));
        LogRecord.Checkpoint checkpoint = index.checkpoint(3);
        HeldIndex later = new HeldIndex(checkpoint);
        later.apply(102, hold(1, 2, "user.b", 3));
        later.apply(103, checkpoint);
        assertThat(later.missingMessages()).isEqualTo(2);
        assertThat(later.failedCheckpoints()).isZero();
    }

    @Test
    void aRedeliveredInstructionIsRecognisedUntilItIsReleased() {
        apply(epoch(1));
        apply(hold(1, 1, "user.a", new HeldMessage(1, 0, 77, new byte[2], new byte[9])));
        assertThat(index.find("user.a", 77, 9)).isEqualTo(index.entry(1));
        assertThat(index.find("user.a", 77, 8)).isEqualTo(HeldIndex.NONE);
        assertThat(index.find("user.a", 78, 9)).isEqualTo(HeldIndex.NONE);
        assertThat(index.find("user.b", 77, 9)).isEqualTo(HeldIndex.NONE);
        apply(release(1, 2, 1));
        assertThat(index.find("user.a", 77, 9)).isEqualTo(HeldIndex.NONE);
    }

    @Test
    void limitsAreAnswersAndNotPartOfTheFold() {
        apply(epoch(1));
        assertThat(index.admits(LIMITS, "user.a", 2, 0)).isEqualTo(Admission.ADMITTED);
        assertThat(index.admits(LIMITS, "user.a", 3, 0)).isEqualTo(Admission.ADDRESS_FULL);
        apply(hold(1, 1, "user.a", 1, 2));
        assertThat(index.admits(LIMITS, "user.a", 1, 0)).isEqualTo(Admission.ADDRESS_FULL);
        assertThat(index.admits(LIMITS, "user.b", 2, 0)).isEqualTo(Admission.ADMITTED);
        assertThat(index.admits(LIMITS, "user.b", 1, 1_001 - index.bytes())).isEqualTo(Admission.BYTES_FULL);
        assertThat(index.admits(LIMITS, "user.b", 1, 1_000 - index.bytes())).isEqualTo(Admission.ADMITTED);
        apply(hold(1, 2, "user.b", 3, 4));
        assertThat(index.admits(LIMITS, "user.c", 1, 0)).isEqualTo(Admission.MESSAGES_FULL);
        assertThat(apply(hold(1, 3, "user.a", 5, 6, 7))).isEqualTo(HeldIndex.Outcome.APPLIED);
        assertThat(index.count("user.a")).isEqualTo(5);
    }

    @Test
    void aMillionAlikeInOneLaneComeAndGoInLinearTime() {
        // Quadratic behaviour would not end within the patience of anybody.
        apply(epoch(1));
        int messages = 1_000_000;
        for (int id = 0; id < messages; id += 1000) {
            apply(hold(1, 1 + id / 1000, "user.a", range(id, id + 1000)));
        }
        assertThat(index.count("user.a")).isEqualTo(messages);
        for (int id = 0; id < messages; id += 1000) {
            apply(release(1, 1001 + id / 1000, range(id, id + 1000)));
        }
        assertThat(index.count()).isZero();
    }

    private HeldIndex.Outcome apply(LogRecord record) {
        return index.apply(offset++, record);
    }

    private static List<Long> ids(HeldIndex index, String address) {
        List<Long> ids = new ArrayList<>();
        int lane = index.lane(address);
        for (int entry = lane == HeldIndex.NONE ? HeldIndex.NONE : index.first(lane);
                entry != HeldIndex.NONE;
                entry = index.next(entry)) {
            ids.add(index.id(entry));
        }
        return ids;
    }

    private static LogRecord epoch(long epoch) {
        return new LogRecord.Epoch(epoch, 0, "node");
    }

    private static LogRecord release(long epoch, long ordinal, long... ids) {
        return new LogRecord.Release(epoch, ordinal, ids);
    }

    private static LogRecord hold(long epoch, long ordinal, String address, long... ids) {
        List<HeldMessage> messages = new ArrayList<>();
        for (long id : ids) {
            messages.add(message(id));
        }
        return new LogRecord.Hold(epoch, ordinal, List.of(new LogRecord.Part(address, messages)));
    }

    private static LogRecord hold(long epoch, long ordinal, String address, HeldMessage message) {
        return new LogRecord.Hold(epoch, ordinal, List.of(new LogRecord.Part(address, List.of(message))));
    }

    private static HeldMessage message(long id) {
        return new HeldMessage(id, 1_000, 99, new byte[3], new byte[10]);
    }

    private static long[] range(long from, long to) {
        return LongStream.range(from, to).toArray();
    }
}
