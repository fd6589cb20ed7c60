package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import pushbridge.envelope.DeadLetterReason;

final class DeliveryCoreTest {

    private final CoreHarness harness = new CoreHarness();

    // ---- delivered ---------------------------------------------------------------------------------------------

    @Test
    void aSubscriptionIsAnsweredThoughMessagesFillTheOutbox() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG, "news");
        client.capacity(1);
        harness.publish("channel.news", "one");
        harness.run();
        client.session().request(new ClientRequest.Subscribe("weather", 7));
        harness.run();
        client.readAll();

        assertThat(client.closedWith).isNull();
        assertThat(client.read)
                .hasSize(2)
                .last(InstanceOfAssertFactories.STRING)
                .contains("bridge.subscribed");
    }

    @Test
    void aMessageIsSettledOnlyWhenItsClientHasIt() { // I1
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();

        client.readAll();
        harness.run();
        assertThat(client.read).containsExactly("one");
        assertThat(harness.isSettled(one)).isFalse();

        client.confirmRead();
        harness.run();
        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.stats.delivered()).isEqualTo(1);
    }

    @Test
    void everyConnectionOfAUserGetsEveryMessageInOrder() {
        FakeClient phone = harness.connect("p", "ann", Confirmation.PONG);
        FakeClient laptop = harness.connect("l", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        phone.readAndConfirm();
        laptop.readAndConfirm();
        harness.run();

        assertThat(phone.read).containsExactly("one", "two");
        assertThat(laptop.read).containsExactly("one", "two");
        assertThat(harness.stats.delivered()).isEqualTo(2);
    }

    @Test
    void theFastestConnectionSettles() {
        FakeClient slow = harness.connect("s", "ann", Confirmation.PONG);
        FakeClient fast = harness.connect("f", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        fast.readAndConfirm();
        harness.run();

        assertThat(harness.isSettled(one)).isTrue();
        assertThat(slow.waiting()).isEqualTo(1);
    }

    @Test
    void aConnectionThatWasNeverOfferedWhatIsSettledIsClosedAsBehind() {
        FakeClient slow = harness.connect("s", "ann", Confirmation.PONG);
        FakeClient fast = harness.connect("f", "ann", Confirmation.PONG);
        slow.capacity(1);
        harness.publish("user.ann", "one");
        Instruction two = harness.publish("user.ann", "two");
        harness.run();
        fast.readAndConfirm();
        harness.run();

        assertThat(harness.isSettled(two)).isTrue();
        assertThat(slow.closedWith).isEqualTo(CloseCode.BEHIND);
    }

    @Test
    void whileAPageAcknowledgesOnlyItsAcknowledgementsSettle() {
        FakeClient plain = harness.connect("p", "ann", Confirmation.PONG);
        FakeClient page = harness.connect("v", "ann", Confirmation.ACK);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        plain.readAndConfirm();
        harness.run();
        assertThat(harness.isSettled(one)).isFalse();

        page.readAndConfirm();
        harness.run();
        assertThat(harness.isSettled(one)).isTrue();
    }

    @Test
    void whenTheLastAcknowledgingPageLeavesWhatPlainConnectionsConfirmedCounts() {
        FakeClient plain = harness.connect("p", "ann", Confirmation.PONG);
        FakeClient page = harness.connect("v", "ann", Confirmation.ACK);
        Instruction one = harness.publish("user.ann", "one");
        Instruction two = harness.publish("user.ann", "two");
        harness.run();
        plain.read(1);
        plain.confirmRead();
        harness.run();
        page.leave();
        harness.run();

        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.isSettled(two)).isFalse();
    }

    @Test
    void aSecondDeviceThatJoinsGetsWhatNobodyHasYet() {
        harness.connect("a", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.run();
        FakeClient late = harness.connect("b", "ann", Confirmation.PONG);
        harness.publish("user.ann", "two");
        harness.run();
        late.readAll();

        assertThat(late.read).containsExactly("one", "two");
    }

    @Test
    void theWindowLimitsWhatIsInFlight() { // I5
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 10; i++) {
            harness.publish("user.ann", "m" + i);
        }
        harness.run();
        assertThat(client.waiting()).isEqualTo(4);

        client.read(1);
        client.confirmRead();
        harness.run();
        assertThat(client.waiting()).isEqualTo(4);
        assertThat(client.read).containsExactly("m0");
    }

    @Test
    void theWindowLimitsBytesButAlwaysAdmitsOneMessage() { // I5
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "x".repeat(5_000));
        harness.publish("user.ann", "after");
        harness.run();
        assertThat(client.waiting()).isEqualTo(1);

        client.readAndConfirm();
        harness.run();
        assertThat(client.waiting()).isEqualTo(1);
    }

    @Test
    void aFullOutboxIsFilledAgainInOrderWhenItHasRoom() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        client.capacity(1);
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.publish("user.ann", "three");
        harness.run();
        for (int i = 0; i < 3; i++) {
            client.read(1);
            harness.run();
        }
        assertThat(client.read).containsExactly("one", "two", "three");
    }

    @Test
    void aConnectionCanBeAddressed() {
        FakeClient client = harness.connect("c1", null, Confirmation.PONG);
        Instruction one = harness.publish("connection.c1", "one");
        harness.run();
        client.readAndConfirm();
        harness.run();

        assertThat(client.read).containsExactly("one");
        assertThat(harness.isSettled(one)).isTrue();
    }

    @Test
    void aChannelMessageIsSettledWhenEverySubscribersOutboxHasIt() {
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG, "news");
        FakeClient bob = harness.connect("b", "bob", Confirmation.PONG, "news");
        FakeClient eve = harness.connect("e", "eve", Confirmation.PONG);
        Instruction news = harness.publish("channel.news", "extra");
        harness.run();

        assertThat(harness.isSettled(news)).isTrue();
        assertThat(ann.waiting() + bob.waiting()).isEqualTo(2);
        assertThat(eve.waiting()).isZero();
        assertThat(ann.flushes()).isEqualTo(1);
        assertThat(eve.flushes()).isZero();
    }

    @Test
    void allReachesEveryConnection() {
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        FakeClient anonymous = harness.connect("b", null, Confirmation.PONG);
        harness.publish("all", "hello");
        harness.run();

        assertThat(ann.waiting()).isEqualTo(1);
        assertThat(anonymous.waiting()).isEqualTo(1);
    }

    @Test
    void framesOfChannelsCountWhenAClientCounts() {
        FakeClient page = harness.connect("v", "ann", Confirmation.ACK, "news");
        harness.publish("channel.news", "extra");
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        page.read(1);
        page.confirmRead();
        harness.run();
        assertThat(harness.isSettled(one)).isFalse();

        page.readAndConfirm();
        harness.run();
        assertThat(harness.isSettled(one)).isTrue();
    }

    // ---- nobody there ------------------------------------------------------------------------------------------

    @Test
    void aMessageForAnAbsentUserIsDeadLetteredAndSettledOnlyWithItsCopySafe() { // I1
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        assertThat(harness.copies).containsEntry(one, "offline: nobody is connected as user.ann");
        assertThat(harness.isSettled(one)).isFalse();

        harness.confirmCopy();
        assertThat(harness.isSettled(one)).isTrue();
        assertThat(harness.stats.dead(DeadLetterReason.OFFLINE)).isEqualTo(1);
    }

    @Test
    void aMessageForAnEmptyChannelIsDropped() {
        Instruction news = harness.publish("channel.news", "extra");
        harness.run();

        assertThat(harness.isSettled(news)).isTrue();
        assertThat(harness.stats.dropped()).isEqualTo(1);
        assertThat(harness.copies).isEmpty();
    }

    @Test
    void thePolicyDecidesWhatAnAbsentReaderCosts() {
        Instruction dropped = harness.publish("user.ann", "one", OfflinePolicy.DROP, Instruction.NEVER);
        Instruction kept = harness.publish("channel.news", "two", OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
        harness.run();

        assertThat(harness.isSettled(dropped)).isTrue();
        assertThat(harness.copies).containsEntry(kept, "offline: nobody is subscribed to channel.news");
    }

    @Test
    void theLastConnectionLeavingSendsItsUnconfirmedMessagesAwayInOrder() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        Instruction two = harness.publish("user.ann", "two");
        harness.run();
        client.leave();
        harness.run();

        assertThat(harness.copying).containsExactly(one, two);
        assertThat(harness.stats.lanes()).isZero();
    }

    @Test
    void aSilentClientDoesNotKeepMessagesUnsettled() { // I4
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        Instruction one = harness.publish("user.ann", "one");
        harness.run();
        harness.pass(Duration.ofMillis(999));
        assertThat(harness.copies).isEmpty();

        harness.pass(Duration.ofMillis(2));
        assertThat(harness.copies).containsEntry(one, "offline: no connection of user.ann confirmed it within 1000 ms");
        client.readAndConfirm();
        harness.run();
        assertThat(harness.stats.delivered())
                .as("a late confirmation changes nothing")
                .isZero();
    }

    @Test
    void aClientThatReadsAndNeverConfirmsKeepsNothingInMemory() { // I5
        FakeClient silent = harness.connect("s", "ann", Confirmation.PONG);
        FakeClient well = harness.connect("w", "ann", Confirmation.PONG);
        for (int i = 0; i < 1_000; i++) {
            harness.publish("user.ann", "m" + i);
            harness.run();
            silent.readAll();
            well.readAndConfirm();
            harness.run();
        }

        assertThat(silent.closedWith).isNull();
        assertThat(((Session) silent.session()).inFlight()).isLessThanOrEqualTo(4); // the window
    }

    @Test
    void patienceIsShorterWhenThePrefetchIsNearlyUsedUp() { // I4
        harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < CoreHarness.PREFETCH - 1; i++) {
            harness.publish("user.ann", "m" + i);
        }
        harness.run();
        harness.pass(Duration.ofMillis(260));

        assertThat(harness.copying).hasSize(CoreHarness.PREFETCH - 1);
    }

    @Test
    void patienceIsShortWhileInstructionsAreTakenOneByOne() { // I4
        harness.connect("c", "ann", Confirmation.PONG);
        harness.channel = new CoreHarness.Channel(2, 1);
        harness.publish("user.ann", "one");
        harness.run();
        harness.pass(Duration.ofMillis(240));
        assertThat(harness.copying).isEmpty();

        harness.pass(Duration.ofMillis(20));
        assertThat(harness.copying).hasSize(1);
    }

    @Test
    void timeDuringWhichTheLoopStoodStillIsNotHeldAgainstClients() {
        harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.run();
        harness.clock.advance(Duration.ofMinutes(5));
        harness.core.tick();

        assertThat(harness.copies).isEmpty();
    }

    // ---- expired -----------------------------------------------------------------------------------------------

    @Test
    void aMessagePastItsTimeIsCopiedToTheExpiredOnes() {
        harness.connect("c", "ann", Confirmation.PONG);
        Instruction late = harness.publish("user.ann", "late", OfflinePolicy.HOLD, harness.clock.wallMillis());
        harness.run();

        assertThat(harness.copies).containsEntry(late, "expired");
        harness.confirmCopy();
        assertThat(harness.stats.expired()).isEqualTo(1);
        assertThat(harness.isSettled(late)).isTrue();
    }

    @Test
    void aMessageWhoseTimeRunsOutBehindAFullWindowExpiresAndTheNextOneGoesOn() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 4; i++) {
            harness.publish("user.ann", "m" + i);
        }
        Instruction late = harness.publish("user.ann", "late", OfflinePolicy.HOLD, harness.clock.wallMillis() + 100);
        harness.publish("user.ann", "next");
        harness.run();
        harness.pass(Duration.ofMillis(200));
        client.readAndConfirm();
        harness.run();
        client.readAndConfirm();
        harness.run();

        assertThat(harness.copies).containsOnlyKeys(late);
        assertThat(client.read).containsExactly("m0", "m1", "m2", "m3", "next");
    }

    // ---- refused -----------------------------------------------------------------------------------------------

    @Test
    void aRefusedInstructionDoesNotDelayTheOnesBehindIt() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        Instruction bad = harness.publishRefused(DeadLetterReason.MALFORMED, "not JSON");
        Instruction good = harness.publish("user.ann", "one");
        harness.run();
        client.readAndConfirm();
        harness.run();
        harness.core.tick();

        assertThat(harness.copies).containsEntry(bad, "malformed: not JSON");
        assertThat(harness.isSettled(bad)).isFalse();
        assertThat(harness.isSettled(good)).isTrue();
        assertThat(harness.channel.acks).containsExactly("2");
    }

    // ---- generations -------------------------------------------------------------------------------------------

    @Test
    void nothingOfAnEndedGenerationIsSettled() { // I6
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.publish("user.bob", "two");
        harness.run();
        CoreHarness.Channel old = harness.channel;
        harness.loseChannel();
        client.readAndConfirm();
        harness.confirmCopy();

        assertThat(old.acks).isEmpty();
        assertThat(harness.stats.returned()).isEqualTo(2);
        assertThat(harness.stats.delivered()).isZero();
    }

    @Test
    void redeliveredMessagesAreOfferedAgainInOrder() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.run();
        harness.loseChannel();
        Instruction again = harness.publish("user.ann", "one");
        harness.publish("user.ann", "two");
        harness.publish("user.ann", "three");
        harness.run();
        client.readAll();
        assertThat(client.read).containsExactly("one", "two", "one", "two", "three");

        client.confirmRead();
        harness.run();
        assertThat(harness.isSettled(again)).isTrue();
        assertThat(harness.stats.delivered()).isEqualTo(3);
    }

    @Test
    void instructionsOfAnEndedGenerationThatStillWaitAreForgotten() { // I6
        CoreHarness.Channel old = harness.channel;
        harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "never taken");
        harness.loseChannel();
        harness.run();

        assertThat(harness.stats.received()).isZero();
        assertThat(old.acks).isEmpty();
    }

    @Test
    void aNewGenerationEndsTheOneBeforeEvenWhenItsEndIsStillToBeReported() { // I6
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        harness.publish("user.ann", "one");
        harness.run();
        CoreHarness.Channel old = harness.channel;
        harness.beginGeneration();
        Instruction again = harness.publish("user.ann", "one");
        harness.run();
        client.readAndConfirm();
        harness.run();

        assertThat(client.read).containsExactly("one", "one");
        assertThat(harness.isSettled(again)).isTrue();
        assertThat(old.acks).isEmpty();
        assertThat(harness.stats.returned()).isEqualTo(1);
    }

    // ---- leaving -----------------------------------------------------------------------------------------------

    @Test
    void aLeavingBridgeStillSettlesWhatIsConfirmedAndLeavesTheRestToTheBroker() { // I7
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        FakeClient bob = harness.connect("b", "bob", Confirmation.PONG);
        Instruction confirmed = harness.publish("user.ann", "one");
        Instruction waiting = harness.publish("user.bob", "two");
        harness.run();
        harness.core.leave();
        ann.readAndConfirm();
        harness.run();
        assertThat(harness.core.isIdle()).isFalse();
        bob.leave();
        harness.run();

        assertThat(harness.isSettled(confirmed)).isTrue();
        assertThat(harness.isSettled(waiting)).isFalse();
        assertThat(harness.copies).isEmpty();
        assertThat(harness.core.isIdle()).isTrue();
    }

    @Test
    void aLeavingBridgeAcknowledgesAlsoWhatIsSettledBehindSomethingItLeaves() { // I1
        FakeClient bob = harness.connect("b", "bob", Confirmation.PONG);
        FakeClient ann = harness.connect("a", "ann", Confirmation.PONG);
        Instruction waiting = harness.publish("user.bob", "one");
        Instruction confirmed = harness.publish("user.ann", "two");
        harness.run();
        harness.core.leave();
        bob.leave();
        ann.readAndConfirm();
        harness.run();

        assertThat(harness.core.isIdle()).isTrue();
        assertThat(harness.isSettled(confirmed))
                .as("when idle is reported, the channel is closed at once")
                .isTrue();
        assertThat(harness.isSettled(waiting)).isFalse();
    }

    // ---- settling ----------------------------------------------------------------------------------------------

    @Test
    void aLaggingDeliveryIsPassedWithSingleAcknowledgements() { // I4
        harness.connect("s", "slow", Confirmation.PONG);
        FakeClient fast = harness.connect("f", "fast", Confirmation.PONG);
        Instruction lagging = harness.publish("user.slow", "waits");
        for (int i = 0; i < 3; i++) {
            harness.publish("user.fast", "m" + i);
        }
        harness.run();
        fast.readAndConfirm();
        harness.run();
        harness.core.tick();

        assertThat(harness.channel.acks).containsExactly("2", "3", "4");
        assertThat(harness.isSettled(lagging)).isFalse();
    }

    @Test
    void afterSingleAcknowledgementsTheWatermarkNamesATagThatIsStillOpen() {
        FakeClient slow = harness.connect("s", "slow", Confirmation.PONG);
        FakeClient fast = harness.connect("f", "fast", Confirmation.PONG);
        harness.publish("user.slow", "waits");
        harness.publish("user.fast", "m");
        harness.run();
        fast.readAndConfirm();
        harness.run();
        harness.core.tick();
        slow.readAndConfirm();
        harness.run();

        assertThat(harness.channel.acks).containsExactly("2", "1");
        assertThat(harness.channel.unacknowledged()).isZero();
    }

    // ---- bursts ------------------------------------------------------------------------------------------------

    @Test
    void aFanOutWaitsForAClientThatReads() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG, "news");
        client.capacity(1);
        harness.publish("channel.news", "one");
        Instruction two = harness.publish("channel.news", "two");
        harness.publish("channel.news", "three");
        harness.run();
        assertThat(harness.isSettled(two)).isFalse();
        assertThat(harness.core.takesInstructions()).isFalse();

        for (int i = 0; i < 3; i++) {
            client.read(1);
            harness.run();
        }
        assertThat(client.read).containsExactly("one", "two", "three");
        assertThat(client.closedWith).isNull();
        assertThat(harness.channel.unacknowledged()).isZero();
    }

    @Test
    void aFanOutHardlyWaitsForAClientThatReadsNothing() {
        FakeClient dead = harness.connect("d", "dead", Confirmation.PONG, "news");
        FakeClient well = harness.connect("w", "well", Confirmation.PONG, "news");
        dead.capacity(0);
        Instruction news = harness.publish("channel.news", "one");
        harness.run();
        harness.pass(Duration.ofMillis(501));

        assertThat(dead.closedWith).isEqualTo(CloseCode.STALLED);
        assertThat(well.waiting()).isEqualTo(1);
        assertThat(harness.isSettled(news)).isTrue();
        assertThat(harness.core.takesInstructions()).isTrue();
    }

    @Test
    void aFanOutsPatienceWithASlowReaderEnds() {
        FakeClient slow = harness.connect("s", "ann", Confirmation.PONG, "news");
        slow.capacity(3);
        for (int i = 0; i < 4; i++) {
            harness.publish("channel.news", "m" + i);
        }
        harness.run();
        slow.capacity(0);
        for (int i = 0; i < 3; i++) {
            harness.pass(Duration.ofMillis(499));
            slow.read(1);
        }
        harness.pass(Duration.ofMillis(499));
        assertThat(slow.closedWith).isNull();

        harness.pass(Duration.ofMillis(5));
        assertThat(slow.closedWith).isEqualTo(CloseCode.SLOW);
    }

    @Test
    void whoReadsIsGivenTimeFromWhatItReadLast() { // I4
        FakeClient late = harness.connect("l", "ann", Confirmation.PONG, "news");
        late.capacity(2);
        for (int i = 0; i < 3; i++) {
            harness.publish("channel.news", "m" + i);
        }
        harness.run();
        late.capacity(0);
        harness.pass(Duration.ofMillis(400));
        late.read(1);
        harness.pass(Duration.ofMillis(1));
        harness.pass(Duration.ofMillis(499));
        assertThat(late.closedWith).isNull();

        harness.pass(Duration.ofMillis(1));
        assertThat(late.closedWith).isEqualTo(CloseCode.STALLED);
    }

    @Test
    void nobodyIsBlamedForWhatTheBridgeHasNotWritten() { // I4
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG, "news");
        client.capacity(1);
        client.blocked(false);
        harness.publish("channel.news", "one");
        Instruction two = harness.publish("channel.news", "two");
        harness.run();
        for (int i = 0; i < 100; i++) {
            harness.pass(Duration.ofMillis(100));
        }
        assertThat(client.closedWith).isNull();
        assertThat(harness.isSettled(two)).isFalse();

        client.read(1);
        harness.run();
        assertThat(harness.isSettled(two)).isTrue();
    }

    @Test
    void whoHasReadMuchIsGivenAMomentEvenWhenNoPatienceIsLeft() { // I4
        List<FakeClient> well = new ArrayList<>();
        for (int i = 0; i < 19; i++) {
            well.add(harness.connect("w" + i, "well" + i, Confirmation.PONG, "news"));
        }
        for (int i = 0; i < 1_000; i++) {
            harness.publish("channel.news", "m" + i);
        }
        harness.run();
        well.forEach(FakeClient::readAll);
        harness.connect("h", "hostile", Confirmation.PONG, "news").capacity(0);
        FakeClient late = well.get(0);
        while (true) { // until the account is empty
            Instruction news = harness.publish("channel.news", "news");
            harness.run();
            if (harness.isSettled(news)) {
                break;
            }
            harness.pass(Duration.ofMillis(100));
            harness.connect("h", "hostile", Confirmation.PONG, "news").capacity(0);
        }
        late.capacity(0);
        harness.publish("channel.news", "more");
        harness.run();
        harness.pass(Duration.ofMillis(99));
        assertThat(late.closedWith).isNull();

        harness.pass(Duration.ofMillis(1));
        assertThat(late.closedWith).isEqualTo(CloseCode.STALLED);
    }

    @Test
    void whoReadsIsNotCutOffForTheStallsOfOthersBefore() { // I4
        List<FakeClient> well = new ArrayList<>();
        for (int i = 0; i < 19; i++) {
            well.add(harness.connect("w" + i, "well" + i, Confirmation.PONG, "news"));
        }
        FakeClient full = well.get(0);
        full.capacity(3);
        for (int i = 0; i < 3; i++) {
            harness.connect("h" + i, "hostile", Confirmation.PONG, "news").capacity(0);
            harness.publish("channel.news", "m" + i);
            harness.run();
            harness.pass(Duration.ofMillis(501));
        }
        Instruction more = harness.publish("channel.news", "more");
        harness.run();
        assertThat(harness.isSettled(more)).isFalse();
        assertThat(full.closedWith).isNull();

        full.read(1);
        harness.run();
        assertThat(harness.isSettled(more)).isTrue();
        assertThat(well).allSatisfy(client -> assertThat(client.closedWith).isNull());
    }

    @Test
    void whoStallsAndComesBackAgainAndAgainHardlyPacesTheOthers() { // I4
        List<FakeClient> well = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            well.add(harness.connect("w" + i, "well" + i, Confirmation.PONG, "news"));
        }
        long began = harness.clock.nanoTime();
        Duration waiting = Duration.ZERO;
        for (int i = 0; i < 200; i++) {
            harness.connect("h" + i, "hostile", Confirmation.PONG, "news").capacity(0);
            Instruction news = harness.publish("channel.news", "m" + i);
            harness.run();
            while (!harness.isSettled(news)) {
                harness.pass(Duration.ofMillis(20));
                waiting = waiting.plusMillis(20);
            }
            harness.pass(Duration.ofMillis(20));
        }

        long took = harness.clock.nanoTime() - began;
        assertThat(waiting).isLessThan(CoreHarness.CONFIG.fanoutPatience().plusNanos(took * 15 / 100));
        assertThat(well).allSatisfy(client -> assertThat(client.waiting()).isEqualTo(200));
    }

    // ---- requests ----------------------------------------------------------------------------------------------

    @Test
    void aClientSubscribesAndUnsubscribes() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        client.session().request(new ClientRequest.Subscribe("news", 7));
        harness.run();
        harness.publish("channel.news", "extra");
        harness.run();
        client.session().request(new ClientRequest.Unsubscribe("news", 8));
        harness.run();
        harness.publish("channel.news", "more");
        harness.run();
        client.readAll();

        assertThat(client.read).hasSize(3);
        assertThat(client.read.get(0))
                .contains("bridge.subscribed")
                .contains("\"complete\":false")
                .contains("7");
        assertThat(client.read.get(1)).isEqualTo("extra");
        assertThat(client.read.get(2)).contains("bridge.unsubscribed").contains("8");
        assertThat(harness.stats.channels()).isZero();
    }

    @Test
    void newCredentialsKeepTheChannelsThatTheyGrantAndLeaveTheOthers() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG, "news", "staff");
        client.session().request(new ClientRequest.Renew("news"::equals, 1_900_000_000, 9));
        harness.run();
        harness.publish("channel.staff", "secret");
        harness.publish("channel.news", "open");
        harness.run();
        client.readAll();

        assertThat(client.read).hasSize(3);
        assertThat(client.read.get(0))
                .contains("bridge.unsubscribed")
                .contains("\"staff\"")
                .contains("\"seq\":9");
        assertThat(client.read.get(1))
                .contains("bridge.renewed")
                .contains("\"expiresAt\":1900000000")
                .contains("\"seq\":9");
        assertThat(client.read.get(2)).contains("open");
    }

    @Test
    void oneChannelTooManyIsRefusedWithACode() {
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG, "a", "b");
        client.session().request(new ClientRequest.Subscribe("b", 1));
        client.session().request(new ClientRequest.Subscribe("c", 2));
        harness.run();
        client.readAll();

        assertThat(client.read.get(0)).contains("bridge.subscribed");
        assertThat(client.read.get(1)).contains("bridge.error").contains("at most 2 channels");
    }

    @Test
    void aFloodOfRequestsIsRefused() { // I5
        FakeClient client = harness.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 3; i++) {
            assertThat(client.session().request(new ClientRequest.Subscribe("x" + i, i)))
                    .isTrue();
        }
        assertThat(client.session().request(new ClientRequest.Subscribe("y", 9)))
                .isFalse();
    }
}
