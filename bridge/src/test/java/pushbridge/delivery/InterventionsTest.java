package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import pushbridge.hold.HeldIndex;
import pushbridge.hold.LogRecord;

/** What operators do among the held messages. */
final class InterventionsTest {

    private CoreHarness harness = CoreHarness.holding();

    private void hold(String address, String... texts) {
        for (String text : texts) {
            harness.publish(address, text);
        }
        harness.run();
        harness.allComeBack();
    }

    private CompletableFuture<Integer> drop(String address) {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        harness.queue.post(core -> core.interventions().drop(address, Long.MAX_VALUE, 100, done));
        harness.run();
        return done;
    }

    private CompletableFuture<Integer> deadLetter(String address) {
        return deadLetter(address, Long.MAX_VALUE);
    }

    private CompletableFuture<Integer> deadLetter(String address, long upToId) {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        harness.queue.post(core -> core.interventions().deadLetter(address, upToId, "an operator did it", done));
        harness.run();
        return done;
    }

    private boolean offerAgain(String address) {
        boolean[] there = {false};
        harness.queue.post(core -> there[0] = core.interventions().offerAgain(address));
        harness.run();
        return there[0];
    }

    /** Reads and copies one after the other until nothing is under way. */
    private List<String> copyAll() {
        List<String> copied = new ArrayList<>();
        while (!harness.reads.isEmpty() || !harness.copying.isEmpty()) {
            while (!harness.reads.isEmpty()) {
                harness.answerRead();
            }
            if (!harness.copying.isEmpty()) {
                copied.add(new String(harness.copying.get(0).original().body(), StandardCharsets.UTF_8));
                harness.confirmCopy();
            }
        }
        return copied;
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

    // ---- drop ----------------------------------------------------------------------------------------------------

    @Test
    void whatIsDroppedIsSoOnlyWhenTheLogSaysSo() { // I1
        hold("user.ann", "one", "two");
        hold("user.bob", "three");
        CompletableFuture<Integer> done = drop("user.ann");
        assertThat(done).isNotDone();
        assertThat(harness.stats.heldDropped()).isZero();

        harness.allComeBack();
        assertThat(done).isCompletedWithValue(2);
        assertThat(harness.stats.heldDropped()).isEqualTo(2);
        assertThat(harness.holding.index().count()).isEqualTo(1);
    }

    @Test
    void aProcessThatDiesBeforeTheReleaseIsInTheLogStillHoldsIt() { // I1
        hold("user.ann", "one");
        CompletableFuture<Integer> done = drop("user.ann");
        assertThat(done).isNotDone();

        harness = CoreHarness.holding(harness.log);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        drain(ann);
        assertThat(ann.read).containsExactly("one");
    }

    @Test
    void whatIsDroppedUnderAConnectedUserIsNotOfferedAndTheRestFollows() { // I3
        hold("user.ann", "m1", "m2", "m3", "m4", "m5", "m6");
        FakeClient ann = harness.connect("c", "ann", Confirmation.ACK);
        ann.readAll(); // the window, unconfirmed
        List<String> before = List.copyOf(ann.read);
        harness.publish("user.ann", "n1");
        harness.run();
        harness.allComeBack();
        long upTo = harness.holding.heldIds("user.ann", 0, Long.MAX_VALUE, 6).get(5);
        CompletableFuture<Integer> done = new CompletableFuture<>();
        harness.queue.post(core -> core.interventions().drop("user.ann", upTo, 100, done));
        harness.run();
        harness.allComeBack();
        drain(ann);

        assertThat(done).isCompletedWithValue(6);
        assertThat(ann.closedWith).isNull();
        assertThat(ann.read.subList(before.size(), ann.read.size())).containsExactly("n1");
        assertThat(harness.holding.index().count()).isZero();
        assertThat(harness.channel.unacknowledged()).isZero();
        assertThat(harness.stats.lanes()).isZero();
        assertThat(harness.holding.wantedBytes()).isZero();
    }

    @Test
    void aPageThatWasAwayWhileItsMessagesWereDroppedIsNotToldThatItIsComplete() {
        FakeClient ann = harness.connect("c1", "ann", Confirmation.ACK);
        ann.leave();
        harness.run();
        hold("user.ann", "one");
        var unused = drop("user.ann");
        harness.allComeBack();
        FakeClient back = harness.comeBack("c1", "c2", "ann", Confirmation.ACK);

        assertThat(back.welcome).contains("\"complete\":false");
    }

    @Test
    void droppingWhatIsBeingCopiedElsewhereLeavesItAlone() {
        hold("user.ann", "one", "two");
        CompletableFuture<Integer> dead = deadLetter("user.ann");
        CompletableFuture<Integer> dropped = drop("user.ann");
        assertThat(copyAll()).containsExactly("one");
        harness.allComeBack();

        assertThat(dead).isCompletedWithValue(1);
        assertThat(dropped).isCompletedWithValue(1);
        assertThat(harness.holding.index().count()).isZero();
    }

    // ---- dead-letter ---------------------------------------------------------------------------------------------

    @Test
    void noMoreAddressesAreMovedThanTheLoopKeepsInHandWhoeverGaveUpBefore() { // I5
        harness = CoreHarness.holdingUpTo(Interventions.MOST_AT_A_TIME + 1);
        for (int i = 0; i <= Interventions.MOST_AT_A_TIME; i++) {
            hold("user.u" + i, "one");
        }
        for (int i = 0; i < Interventions.MOST_AT_A_TIME; i++) {
            assertThat(deadLetter("user.u" + i)).isNotDone();
        }
        harness.queue.post(core -> core.interventions().cancel());
        assertThat(deadLetter("user.u" + Interventions.MOST_AT_A_TIME))
                .isCompletedExceptionally(); // and the loop lives
        assertThat(harness.holding.index().count()).isEqualTo(Interventions.MOST_AT_A_TIME + 1);
    }

    @Test
    void deadLettersStandInTheOrderOfTheirAddressAndGoOnlyWhenTheirCopyIsSafe() { // I1, I2
        hold("user.ann", "one", "two", "three");
        CompletableFuture<Integer> done = deadLetter("user.ann");
        harness.answerRead();
        assertThat(harness.copying).as("one after the other").hasSize(1);
        assertThat(harness.copies).containsValue("offline: an operator did it");
        harness.allComeBack();
        assertThat(harness.holding.index().count()).isEqualTo(3);

        assertThat(copyAll()).containsExactly("one", "two", "three");
        harness.allComeBack();
        assertThat(done).isCompletedWithValue(3);
        assertThat(harness.stats.heldDead()).isEqualTo(3);
        assertThat(harness.stats.expired()).isZero();
        assertThat(harness.holding.index().count()).isZero();
    }

    @Test
    void aProcessThatDiesBetweenConfirmAndReleaseLeavesADuplicateAtMost() { // I1
        hold("user.ann", "one", "two");
        var unused = deadLetter("user.ann");
        harness.answerRead();
        harness.confirmCopy();
        assertThat(harness.appended).as("the release is on its way").hasSize(1);

        harness = CoreHarness.holding(harness.log); // it never got there
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        drain(ann);
        assertThat(ann.read).containsExactly("one", "two");
    }

    @Test
    void whoComesBackMeanwhileGetsTheRestInOrder() { // I3
        hold("user.ann", "one", "two", "three");
        CompletableFuture<Integer> done = deadLetter("user.ann");
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
        }
        ann.readAndConfirm();
        harness.run();
        assertThat(ann.read).containsExactly("two", "three");
        assertThat(copyAll()).containsExactly("one");
        harness.allComeBack();
        assertThat(done).isCompletedWithValue(1);
        assertThat(harness.holding.index().count()).isZero();
    }

    @Test
    void whatCameLaterIsNotMeant() {
        hold("user.ann", "one");
        long seen = harness.holding.index().highestId();
        hold("user.ann", "two");
        CompletableFuture<Integer> done = deadLetter("user.ann", seen);
        assertThat(copyAll()).containsExactly("one");
        assertThat(done).isCompletedWithValue(1);
    }

    @Test
    void whoGivesUpLeavesWhatIsNotBegun() {
        hold("user.ann", "one", "two");
        CompletableFuture<Integer> done = deadLetter("user.ann");
        harness.queue.post(core -> core.interventions().cancel());
        harness.run();
        assertThat(copyAll()).containsExactly("one");
        harness.allComeBack();
        assertThat(done).isCompletedWithValue(1);
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        drain(ann);
        assertThat(ann.read).containsExactly("two");
    }

    @Test
    void anotherOwnerEndsIt() { // I6
        hold("user.ann", "one", "two");
        CompletableFuture<Integer> dead = deadLetter("user.ann");
        CompletableFuture<Integer> dropped = drop("user.ann");
        harness.log.add(new LogRecord.Epoch(harness.holding.index().epoch() + 1, 0, "another"));
        harness.tail();

        assertThat(dead).isCompletedExceptionally();
        assertThat(dropped).isCompletedExceptionally();
        assertThat(harness.core.interventions().hindrance()).contains("owner");
    }

    @Test
    void aMessageThatExpiresIsNotDeadLetteredToo() {
        harness.publish("user.ann", "one", OfflinePolicy.HOLD, harness.clock.wallMillis() + 10);
        hold("user.ann", "two");
        harness.pass(Duration.ofSeconds(1));
        CompletableFuture<Integer> done = deadLetter("user.ann");
        assertThat(copyAll()).containsExactlyInAnyOrder("one", "two");
        assertThat(done).isCompletedWithValue(1);
        assertThat(harness.stats.expired()).isEqualTo(1);
    }

    // ---- release -------------------------------------------------------------------------------------------------

    @Test
    void whatWaitsIsOfferedOnceMoreFromTheHead() { // I3
        hold("user.ann", "m1", "m2", "m3");
        FakeClient ann = harness.connect("c", "ann", Confirmation.ACK);
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
        }
        ann.readAll(); // the page lost them: it confirms nothing
        assertThat(ann.read).containsExactly("m1", "m2", "m3");
        assertThat(offerAgain("user.ann")).isTrue();
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
        }
        drain(ann);

        assertThat(ann.read).containsExactly("m1", "m2", "m3", "m1", "m2", "m3");
        assertThat(ann.closedWith).isNull();
        assertThat(harness.holding.index().count()).isZero();
        assertThat(harness.stats.lanes()).isZero();
        assertThat(harness.holding.wantedBytes()).isZero();
    }

    @Test
    void theConfirmationOfTheFirstOfferAloneReleasesNothing() { // I1: it says nothing of the frames offered once more
        hold("user.ann", "m1");
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        ann.readAll();
        offerAgain("user.ann");
        ann.confirmRead();
        harness.run();
        assertThat(harness.holding.index().count()).isEqualTo(1);
        drain(ann);
        assertThat(harness.holding.index().count()).isZero();
    }

    @Test
    void whoIsAwayGetsNothing() {
        hold("user.ann", "m1");
        assertThat(offerAgain("user.ann")).isFalse();
        assertThat(harness.stats.heldReleased()).isZero();
        assertThat(harness.holding.index().count()).isEqualTo(1);
    }

    // ---- looking -------------------------------------------------------------------------------------------------

    @Test
    void addressesComeInBitesAndTogetherTheyAreAll() { // I5
        for (int i = 0; i < 25; i++) {
            hold("user.u" + i, "a", "b");
        }
        List<String> seen = new ArrayList<>();
        int next = Integer.MAX_VALUE;
        int bites = 0;
        while (next != HeldIndex.NONE) {
            Interventions.Bite bite = harness.core.interventions().addresses(next, HeldFilter.ALL, Long.MAX_VALUE, 10);
            assertThat(bite.addresses()).hasSizeLessThanOrEqualTo(4);
            bite.addresses().forEach(held -> {
                assertThat(held.messages()).isEqualTo(2);
                seen.add(held.address());
            });
            next = bite.next();
            bites++;
        }
        assertThat(seen).hasSize(25).doesNotHaveDuplicates();
        assertThat(bites).isGreaterThanOrEqualTo(6);
    }

    @Test
    void aFilterChoosesByAddressNumberAndAge() {
        hold("user.ann", "a", "b");
        hold("user.andy", "a");
        harness.clock.advance(Duration.ofMinutes(10));
        hold("user.bob", "a", "b", "c");
        long now = harness.clock.wallMillis();

        assertThat(chosen(new HeldFilter(List.of("user.an*"), Long.MAX_VALUE, 1)))
                .containsExactlyInAnyOrder("user.ann", "user.andy");
        assertThat(chosen(new HeldFilter(List.of(), Long.MAX_VALUE, 2)))
                .containsExactlyInAnyOrder("user.ann", "user.bob");
        assertThat(chosen(new HeldFilter(List.of(), now - 60_000, 1)))
                .containsExactlyInAnyOrder("user.ann", "user.andy");
        assertThat(chosen(new HeldFilter(List.of("user.bob", "user.ann"), now - 60_000, 2)))
                .containsExactly("user.ann");
    }

    private List<String> chosen(HeldFilter filter) {
        return harness
                .core
                .interventions()
                .addresses(Integer.MAX_VALUE, filter, Long.MAX_VALUE, 1_000)
                .addresses()
                .stream()
                .map(HeldAddress::address)
                .toList();
    }

    @Test
    void lookingAtMessagesReadsThemAndTakesNothingAway() {
        hold("user.ann", "one", "two", "three");
        List<String> read = new ArrayList<>();
        boolean more = harness.core
                .interventions()
                .look(
                        "user.ann",
                        0,
                        2,
                        1_000_000,
                        (held, heldMillis, offered) -> message -> read.add(
                                message == null ? "gone" : new String(message.body(), StandardCharsets.UTF_8)));
        assertThat(more).isTrue();
        FakeClient ann = harness.connect("c", "ann", Confirmation.PONG);
        ann.leave(); // who does not want them any more must not call off who looks
        harness.run();
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
        }
        assertThat(read).containsExactlyInAnyOrder("one", "two");
        assertThat(harness.holding.index().count()).isEqualTo(3);
    }

    @Test
    void whatGoesWhileItIsLookedAtIsSaidToBeGone() {
        hold("user.ann", "one");
        List<String> read = new ArrayList<>();
        harness.core
                .interventions()
                .look(
                        "user.ann",
                        0,
                        2,
                        1_000_000,
                        (held, heldMillis, offered) -> message -> read.add(message == null ? "gone" : "here"));
        long id = harness.holding.heldIds("user.ann", 0, Long.MAX_VALUE, 1).get(0);
        var unused = drop("user.ann");
        harness.allComeBack();
        harness.reads.clear();
        harness.queue.post(core -> core.heldMissing(id, 0));
        harness.run();
        assertThat(read).containsExactly("gone");
        assertThat(harness.stats.heldLost()).isZero();
    }
}
