package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;

final class HoldingTest {

    private CoreHarness harness = CoreHarness.holding();

    @Test
    void aMessageForAnAbsentUserIsSettledWhenItsRecordComesBack() { // I1
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        assertThat(harness.appended).hasSize(1);
        assertThat(harness.isSettled(one)).isFalse();

        harness.comeBack();
        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.stats.held()).isEqualTo(1);
        assertThat(harness.stats.lanes()).as("an absent user costs no lane").isZero();
        assertThat(harness.copies).isEmpty();
    }

    @Test
    void whatOneTurnHoldsForManyIsOneRecordAndOneAcknowledgement() { // I1
        for (int i = 0; i < 30; i++) {
            harness.publish("user.u" + i, "m" + i);
        }
        harness.run();
        assertThat(harness.appended).hasSize(1);
        assertThat(harness.channel.acks).isEmpty();

        harness.comeBack();
        assertThat(harness.channel.acks).containsExactly("≤30");
        assertThat(harness.holding.index().lanes()).isEqualTo(30);
        assertThat(harness.stats.lanes()).isZero();
    }

    @Test
    void moreThanOneRecordHoldsMakesSeveral() { // I5
        for (int i = 0; i < 40; i++) {
            harness.publish("user.u" + i, "x".repeat(2_000), OfflinePolicy.HOLD, Instruction.NEVER);
        }
        harness.run();
        assertThat(harness.appended).hasSize(2);
        for (LogRecord record : harness.appended) {
            assertThat(RecordCodec.encode(record)).hasSizeLessThanOrEqualTo(64 * 1024);
        }
        harness.allComeBack();
        assertThat(harness.holding.index().count()).isEqualTo(40);
        assertThat(harness.channel.unacknowledged()).isZero();
    }

    @Test
    void aClaimComesBehindWhatWasCollectedBefore() {
        Instruction one = harness.publish("user.ann", "one");
        takeWithoutEndingTheBatch();
        assertThat(harness.appended).as("still being collected").isEmpty();
        harness.core.claim(new CompletableFuture<>(), () -> {});

        assertThat(harness.appended)
                .extracting(LogRecord::epoch, LogRecord::ordinal)
                .containsExactly(tuple(1L, 1L), tuple(2L, 0L));
        harness.allComeBack();
        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.holding.index().voided()).isZero();
    }

    @Test
    void whatWasCollectedIsNotAppendedBehindAnotherOwner() { // I6, I7
        Instruction one = harness.publish("user.ann", "one");
        takeWithoutEndingTheBatch();
        harness.appended.add(new LogRecord.Epoch(2, 0, "another"));
        harness.comeBack();

        assertThat(harness.appended).isEmpty();
        assertThat(harness.isSettled(one)).isFalse();
        assertThat(harness.stats.lanes()).isZero();
    }

    @Test
    void aCheckpointComesBehindWhatWasCollectedBefore() {
        for (int i = 0; i < 8; i++) { // so many records that a checkpoint is due
            harness.publish("user.u" + i, "m" + i);
            harness.run();
            harness.allComeBack();
        }
        harness.publish("user.ann", "one");
        takeWithoutEndingTheBatch();
        harness.core.tick();
        harness.run();

        assertThat(harness.appended)
                .extracting(LogRecord::ordinal, record -> record.getClass().getSimpleName())
                .containsExactly(tuple(9L, "Hold"), tuple(10L, "Checkpoint"));
        harness.allComeBack();
        assertThat(harness.holding.index().ahead()).isZero();
        assertThat(harness.channel.unacknowledged()).isZero();
    }

    @Test
    void oneRecordOfALaneIsOnItsWayAtATime() {
        for (int i = 0; i < 5; i++) {
            harness.publish("user.ann", "m" + i);
            harness.run();
        }
        assertThat(harness.appended).hasSize(1);
        harness.comeBack();
        assertThat(harness.appended).as("the other four in one record").hasSize(1);
        harness.comeBack();

        assertThat(harness.channel.unacknowledged()).isZero();
        assertThat(harness.holding.index().count()).isEqualTo(5);
    }

    @Test
    void whoComesBackGetsWhatWasMissedInOrderAndThenTheNewOnes() { // I3
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        harness.allComeBack();
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "three");
        harness.run();
        drain(ann);

        assertThat(ann.read).containsExactly("one", "two", "three");
        assertThat(harness.holding.index().count()).isZero();
        assertThat(harness.channel.unacknowledged()).isZero();
        assertThat(harness.stats.lanes()).isZero();
    }

    @Test
    void whatIsHeldSurvivesTheBridge() {
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        harness.allComeBack();
        harness = CoreHarness.holding(harness.log);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        drain(ann);

        assertThat(ann.read).containsExactly("one", "two");
        harness = CoreHarness.holding(harness.log);
        assertThat(harness.holding.index().count()).as("released for good").isZero();
    }

    @Test
    void whoConnectsBeforeTheLogIsReadGetsWhatIsHeldBeforeAnythingNew() { // I3
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        harness.allComeBack();
        harness = CoreHarness.starting(harness.log);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.own();
        harness.publish("user.ann", "three");
        harness.run();
        drain(ann);

        assertThat(ann.read).containsExactly("one", "two", "three");
    }

    @Test
    void aColdBodyIsReadAndNothingOvertakesIt() { // I3
        harness.publish("user.ann", "x".repeat(100)); // larger than the cache
        harness.run();
        harness.allComeBack();
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "after");
        harness.run();
        ann.readAll();
        assertThat(ann.read).isEmpty();
        assertThat(harness.reads).hasSize(1);

        harness.answerRead();
        drain(ann);
        assertThat(ann.read).containsExactly("x".repeat(100), "after");
    }

    @Test
    void aSlowClientsMessagesMoveToTheLogAndALateConfirmationReleasesThem() { // I4
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        harness.pass(Duration.ofMillis(1_001));
        harness.comeBack();
        assertThat(harness.isSettled(one)).isTrue();

        drain(ann);
        assertThat(ann.read).as("not offered again").containsExactly("one");
        assertThat(harness.holding.index().count()).isZero();
    }

    @Test
    void aConfirmationWhileTheRecordIsOnItsWaySettlesAtOnceAndReleasesLater() { // I1
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        harness.pass(Duration.ofMillis(1_001));
        ann.readAndConfirm();
        harness.run();
        assertThat(harness.isSettled(one)).isTrue();

        harness.allComeBack();
        assertThat(harness.holding.index().count()).isZero();
        assertThat(harness.stats.lanes()).isZero();
    }

    @Test
    void theLastConnectionLeavingHoldsWhatItHadNotConfirmed() {
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        ann.read(1);
        ann.confirmRead();
        harness.run();
        ann.leave();
        harness.run();
        harness.allComeBack();
        FakeClient again = harness.connect("d", "ann", Confirmation.PONG);
        drain(again);

        assertThat(again.read).containsExactly("two");
    }

    @Test
    void aBurstBeyondTheWindowGoesToTheLogAndArrivesInOrder() { // I3, I5
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 15; i++) {
            harness.publish("user.ann", "m" + i);
        }
        harness.run();
        assertThat(ann.waiting()).isEqualTo(4);
        assertThat(harness.appended).isNotEmpty();
        drain(ann);

        assertThat(ann.read)
                .isEqualTo(IntStream.range(0, 15).mapToObj(i -> "m" + i).toList());
        assertThat(harness.channel.unacknowledged()).isZero();
        assertThat(harness.holding.index().count()).isZero();
    }

    @Test
    void aRedeliveredInstructionThatIsHeldIsAcknowledgedWithoutAppending() {
        harness.publish("user.ann", "one");
        harness.run();
        harness.allComeBack();
        harness.loseChannel();
        Instruction again = harness.redeliver("user.ann", "one");
        harness.run();

        assertThat(harness.isSettled(again)).isTrue();
        assertThat(harness.appended).isEmpty();
        assertThat(harness.holding.index().count()).isEqualTo(1);
    }

    @Test
    void aRedeliveryOfWhatIsOnItsWayWaitsForThatRecord() { // I1
        harness.publish("user.ann", "one");
        harness.run();
        harness.loseChannel();
        Instruction again = harness.redeliver("user.ann", "one");
        harness.run();
        assertThat(harness.isSettled(again)).isFalse();
        assertThat(harness.appended).hasSize(1);

        harness.comeBack();
        assertThat(harness.isSettled(again)).isTrue();
        assertThat(harness.holding.index().count()).isEqualTo(1);
    }

    @Test
    void aFullLogMakesDeadLetters() { // I5
        for (int i = 0; i < 21; i++) {
            harness.publish("user.ann", "m" + i);
        }
        harness.run();
        harness.allComeBack();

        assertThat(harness.holding.index().count()).isEqualTo(20);
        assertThat(harness.copies.values()).singleElement().asString().startsWith("hold-full: ");
    }

    @Test
    void aHeldMessagePastItsTimeIsCopiedThenReleased() { // I1
        harness.publish("user.ann", "one", OfflinePolicy.HOLD, harness.clock.wallMillis() + 100);
        harness.publish("user.ann", "two");
        harness.run();
        harness.allComeBack();
        harness.clock.advance(Duration.ofMillis(200));
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.answerRead();
        assertThat(harness.copies.values()).containsExactly("expired");
        drain(ann);
        assertThat(harness.holding.index().count()).isEqualTo(1);

        harness.confirmCopy();
        harness.allComeBack();
        assertThat(harness.holding.index().count()).isZero();
        assertThat(harness.stats.expired()).isEqualTo(1);
        assertThat(ann.read).containsExactly("two");
    }

    @Test
    void aSecondDeviceJoiningInTheMiddleGetsWhatNobodyHasYet() {
        for (int i = 0; i < 8; i++) {
            harness.publish("user.ann", "m" + i);
        }
        harness.run();
        harness.allComeBack();
        FakeClient phone = harness.connect("p", "ann", Confirmation.PONG);
        harness.answerRead(); // the cache is too small for all
        phone.read(2);
        phone.confirmRead();
        harness.run();
        FakeClient laptop = harness.connect("l", "ann", Confirmation.PONG);
        for (int i = 0; i < 5; i++) {
            drain(phone);
            drain(laptop);
        }

        assertThat(phone.read).containsExactly("m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7");
        assertThat(laptop.read).containsExactly("m2", "m3", "m4", "m5", "m6", "m7");
    }

    @Test
    void anotherPolicyThanHoldIsNotHeld() {
        Instruction dropped = harness.publish("user.ann", "one", OfflinePolicy.DROP, Instruction.NEVER);
        Instruction dead = harness.publish("user.ann", "two", OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
        harness.run();

        assertThat(harness.isSettled(dropped)).isTrue();
        assertThat(harness.copies).containsOnlyKeys(dead);
        assertThat(harness.appended).isEmpty();
    }

    @Test
    void aSecondClaimBeforeTheFirstCameBackFencesNobody() {
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        CompletableFuture<Void> first = new CompletableFuture<>();
        CompletableFuture<Void> second = new CompletableFuture<>();
        harness.core.claim(first, () -> {});
        harness.core.claim(second, () -> {});
        harness.allComeBack();

        assertThat(second).isDone();
        assertThat(ann.closedWith).isNull();
        harness.publish("user.bob", "one");
        harness.run();
        harness.allComeBack();
        assertThat(harness.holding.index().count()).isEqualTo(1);
    }

    @Test
    void anotherOwnerFencesThisOne() { // I6, I7
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.bob", "one");
        harness.run();
        LogRecord mine = harness.appended.remove();
        harness.appended.add(new LogRecord.Epoch(2, 0, "another"));
        harness.appended.add(mine);
        harness.allComeBack();

        assertThat(ann.closedWith).isEqualTo(CloseCode.SERVICE_RESTART);
        assertThat(harness.holding.index().count())
                .as("void behind the epoch record")
                .isZero();
        assertThat(harness.stats.held()).isZero();
    }

    @Test
    void aClaimThatNobodyWantsAnyMoreIsNotRepeatedAgainstTheNextOwner() {
        CoreHarness starting = CoreHarness.starting(harness.log);
        CompletableFuture<Void> lost = new CompletableFuture<>();
        for (int offset = 0; offset < harness.log.size(); offset++) {
            starting.core.logged(offset, harness.log.get(offset), 100, 0);
        }
        starting.core.claim(lost, () -> {});
        lost.cancel(false); // the broker has given the ownership to another one
        LogRecord late = starting.appended.remove();
        starting.appended.add(new LogRecord.Epoch(late.epoch(), 0, "another"));
        starting.appended.add(late);
        starting.comeBack();
        starting.comeBack();

        assertThat(starting.appended).isEmpty();
        assertThat(starting.holding.isWriter()).isFalse();
    }

    @Test
    void theIntakeIsToldWhenAnotherOwnerFencesThisOne() {
        harness.appended.add(new LogRecord.Epoch(2, 0, "another"));
        harness.comeBack();

        assertThat(harness.fenced).isEqualTo(1);
    }

    @Test
    void afterAFreezeNothingIsOfferedUntilTheLogSaysThatItIsStillOurs() {
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG, "news");
        harness.core.thawed();
        Instruction one = harness.publish("user.ann", "one");
        Instruction news = harness.publish("channel.news", "news");
        harness.run();
        FakeClient bob = harness.connect("d", "bob", Confirmation.PONG);
        ann.readAll();
        assertThat(ann.read).isEmpty();

        harness.allComeBack();
        ann.readAndConfirm();
        harness.run();
        assertThat(ann.read).containsExactly("one", "news");
        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.isSettled(news)).isTrue();
        assertThat(bob.closedWith).isNull();
    }

    @Test
    void whatWasInHandBeforeAFreezeIsOfferedAfterItInOrder() { // I3
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        ann.capacity(1);
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        harness.core.thawed();
        ann.capacity(10);
        ann.readAndConfirm();
        harness.run();
        assertThat(ann.waiting()).isZero();

        harness.allComeBack();
        drain(ann);
        assertThat(ann.read).containsExactly("one", "two");
    }

    @Test
    void whoWasFrozenWhileAnotherOneTookOverOffersNothing() { // I6
        harness.publish("user.ann", "one");
        harness.run();
        harness.allComeBack();
        FakeClient bob = harness.connect("d", "bob", Confirmation.PONG);
        harness.core.thawed();
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.bob", "two");
        harness.run();
        harness.appended.addFirst(new LogRecord.Epoch(2, 0, "another"));
        harness.allComeBack();
        ann.readAll();
        bob.readAll();

        assertThat(ann.read).isEmpty();
        assertThat(bob.read).isEmpty();
        assertThat(bob.closedWith).isEqualTo(CloseCode.SERVICE_RESTART);
    }

    @Test
    void aFreezeWhileTheClaimIsOnItsWayIsOverWithTheRecordAfterIt() {
        CoreHarness starting = CoreHarness.starting(harness.log);
        CompletableFuture<Void> done = new CompletableFuture<>();
        for (int offset = 0; offset < harness.log.size(); offset++) {
            starting.core.logged(offset, harness.log.get(offset), 100, 0);
        }
        starting.core.claim(done, () -> {});
        starting.core.thawed();
        starting.comeBack();
        assertThat(done).isDone();
        assertThat(starting.core.takesInstructions()).isFalse();

        starting.comeBack();
        assertThat(starting.core.takesInstructions()).isTrue();
    }

    @Test
    void theOldestHeldMessagesAreCopiedForwardAndStillArriveInOrderAndOnce() { // I3
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.publish("user.eve", "three");
        harness.run();
        harness.allComeBack();
        long first = harness.holding.index().lowestLiveOffset();
        for (int i = 0; i < 12; i++) { // what comes and goes makes the log long
            FakeClient bob = harness.connect("b" + i, "bob", Confirmation.PONG);
            bob.leave();
            harness.run();
            harness.publish("user.bob", "m" + i);
            harness.run();
            FakeClient again = harness.connect("c" + i, "bob", Confirmation.PONG);
            drain(again);
            again.leave();
            harness.pass(Duration.ofMillis(20));
            drain(again);
        }
        assertThat(harness.holding.index().lowestLiveOffset()).isGreaterThan(first);
        assertThat(harness.holding.index().count("user.ann")).isEqualTo(2);
        assertThat(harness.holding.index().count("user.eve")).isEqualTo(1);
        assertThat(harness.log).anyMatch(record -> record instanceof LogRecord.Checkpoint);
        assertThat(harness.log)
                .as("both of ann and the one of eve in one record")
                .anyMatch(record -> record instanceof LogRecord.Hold hold
                        && hold.parts().size() == 2
                        && hold.parts().get(0).messages().size() == 2
                        && hold.parts().get(1).messages().size() == 1);

        harness = CoreHarness.holding(harness.log);
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        drain(ann);
        assertThat(ann.read).containsExactly("one", "two");
    }

    @Test
    void whatMayNotBeHeldIsNotGivenUpWhileItsClientIsThereAndReading() { // I2
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 12; i++) { // more than the window and as much again
            OfflinePolicy policy =
                    i % 3 == 0 ? OfflinePolicy.DROP : i % 3 == 1 ? OfflinePolicy.DEAD_LETTER : OfflinePolicy.HOLD;
            harness.publish("user.ann", "m" + i, policy, Instruction.NEVER);
        }
        harness.run();
        drain(ann);

        assertThat(ann.read)
                .isEqualTo(IntStream.range(0, 12).mapToObj(i -> "m" + i).toList());
        assertThat(harness.stats.dropped()).isZero();
        assertThat(harness.copies).isEmpty();
    }

    /** In the middle of a turn of the loop. */
    private void takeWithoutEndingTheBatch() {
        harness.core.take(Objects.requireNonNull(harness.queue.nextInstruction()));
    }

    /** Lets a client read and confirm, and the log answer, until nothing moves. */
    /** A bridge that begins anew with these held, so that no body is in memory. */
    private void restartHolding(String user, int messages, int size) {
        for (int i = 0; i < messages; i++) {
            harness.publish("user." + user, i + "x".repeat(size - 1));
        }
        harness.run();
        harness.allComeBack();
        harness = CoreHarness.holding(harness.log);
    }

    private void answerReads() {
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
        }
    }

    @Test
    void bodiesAreAskedForHalfAWindowAtATime() {
        restartHolding("ann", 8, 2);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        assertThat(harness.reads).as("the window").hasSize(4);
        answerReads();
        ann.read(1);
        ann.confirmRead();
        harness.run();
        assertThat(harness.reads).isEmpty();
        ann.read(1);
        ann.confirmRead();
        harness.run();
        assertThat(harness.reads).hasSize(2);
        drain(ann);
        assertThat(ann.read).hasSize(8);
        assertThat(harness.stats.cacheMisses()).isEqualTo(8);
    }

    @Test
    void theWindowCountsBytesOfWhatIsAskedForToo() { // I5
        restartHolding("ann", 3, 400); // 1,000 bytes are the window, and no cache is so large
        harness = roomFor(10_000);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        assertThat(harness.reads).hasSize(2);
        drain(ann);
        assertThat(ann.read).hasSize(3);
    }

    private CoreHarness roomFor(long cacheBytes) {
        return CoreHarness.holding(harness.log, cacheBytes);
    }

    @Test
    void whatAllReadersWaitForTogetherIsBounded() { // I5
        restartHolding("ann", 4, 10);
        restartHolding("bob", 4, 10);
        restartHolding("cy", 4, 10);
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        FakeClient bob = harness.connect("b", "bob", Confirmation.PONG);
        FakeClient cy = harness.connect("c", "cy", Confirmation.PONG);
        assertThat(harness.reads).as("30 bytes").hasSize(3);
        drain(ann);
        drain(bob);
        drain(cy);
        assertThat(ann.read).hasSize(4);
        assertThat(bob.read).hasSize(4);
        assertThat(cy.read).hasSize(4);
        assertThat(harness.holding.wantedBytes()).isZero();
    }

    @Test
    void nothingIsReadWhileTheOutboxesAreFull() { // I5
        restartHolding("ann", 1, 10);
        harness.core.roomInOutboxes(false);
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        assertThat(harness.reads).isEmpty();
        harness.core.roomInOutboxes(true);
        drain(ann);
        assertThat(ann.read).hasSize(1);
    }

    @Test
    void nothingIsReadForAClientThatHasGone() {
        restartHolding("ann", 4, 2);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        assertThat(harness.reads).hasSize(4);
        ann.leave();
        harness.run();
        assertThat(harness.reads).isEmpty();
        assertThat(harness.holding.wantedBytes()).isZero();

        FakeClient again = harness.connect("d", "ann", Confirmation.PONG);
        drain(again);
        assertThat(again.read).hasSize(4);
    }

    @Test
    void theLatestBodiesAreStillInMemory() {
        harness.publish("user.ann", "one");
        harness.run();
        harness.allComeBack();
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        ann.readAll();
        assertThat(ann.read).containsExactly("one");
        assertThat(harness.stats.cacheHits()).isEqualTo(1);
        assertThat(harness.stats.cacheMisses()).isZero();
    }

    @Test
    void whatIsGoneFromTheLogIsCountedOnceAndNotWaitedFor() {
        restartHolding("ann", 2, 2);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        long[] first = harness.reads.remove();
        harness.core.heldMissing(first[0], first[1]);
        harness.core.heldMissing(first[0], first[1]);
        drain(ann);
        assertThat(ann.read).containsExactly("1x");
        assertThat(harness.stats.heldLost()).isEqualTo(1);
    }

    @Test
    void whatWasCopiedForwardWhileItWasBeingReadIsNotLost() {
        restartHolding("ann", 1, 2);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        long[] read = harness.reads.remove();
        harness.core.heldMissing(read[0], read[1] - 1); // an earlier place of it
        drain(ann);
        assertThat(ann.read).containsExactly("0x");
        assertThat(harness.stats.heldLost()).isZero();
    }

    private void drain(FakeClient client) {
        for (int round = 0; round < 20; round++) {
            client.readAndConfirm();
            harness.run();
            harness.allComeBack();
            while (!harness.reads.isEmpty()) {
                harness.answerRead();
            }
        }
    }
}
