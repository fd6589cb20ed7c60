package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.envelope.Address;
import pushbridge.envelope.DeadLetterReason;

/** What somebody who looks on is told, for each thing that can become of a message. */
final class WatchersTest {

    private final CoreHarness plain = new CoreHarness();
    private final CoreHarness holding = CoreHarness.holding();

    /** Writes down what it is told of one address and of all. */
    private static final class Recorder implements Watcher {
        private final String address;
        final List<Happening> told = new ArrayList<>();

        Recorder(String address, CoreHarness harness) {
            this.address = address;
            harness.core.watch(this);
        }

        @Override
        public boolean wants(@Nullable String about) {
            return about == null || about.equals(address);
        }

        @Override
        public void saw(Happening happening) {
            told.add(happening);
        }

        /** Since the last time: kind, session and detail. */
        List<String> take() {
            List<String> lines = told.stream()
                    .map(one -> (one.kind().slug()
                                    + seq(one)
                                    + (one.session() == null ? "" : " " + one.session())
                                    + (one.count() == 1 ? "" : " ×" + one.count())
                                    + (one.detail().isEmpty() ? "" : ": " + one.detail()))
                            .strip())
                    .toList();
            told.clear();
            return lines;
        }
    }

    private static String seq(Happening one) {
        Happening.Message message = one.message();
        return message == null || message.seq() < 0 ? "" : " " + message.seq();
    }

    @Test
    void aMessageThatArrives() {
        Recorder ann = new Recorder("user.ann", plain);
        FakeClient client = plain.connect("c", "ann", Confirmation.PONG);
        plain.publish("user.ann", "one");
        plain.publish("user.bob", "none of ann's business");
        plain.run();
        assertThat(ann.take()).containsExactly("connected c: pong", "received 1", "offered 1 c");

        client.readAndConfirm();
        plain.run();
        client.leave();
        plain.run();
        assertThat(ann.take()).containsExactly("delivered 1 c: pong", "disconnected c");
    }

    @Test
    void aCopyThatDoesNotCount() {
        FakeClient copy = plain.connect("copy", "ann", Confirmation.PONG);
        FakeClient page = plain.connect("page", "ann", Confirmation.ACK);
        Recorder ann = new Recorder("user.ann", plain);
        plain.publish("user.ann", "one");
        plain.run();
        copy.readAndConfirm();
        plain.run();
        assertThat(ann.take())
                .containsExactly(
                        "received 1",
                        "offered 1 copy",
                        "offered 1 page",
                        "copied 1 copy: and all before; a connection that acknowledges has the say");
        page.readAndConfirm();
        plain.run();
        assertThat(ann.take()).containsExactly("delivered 1 page: ack");
    }

    @Test
    void aConnectionWithAFullOutbox() {
        FakeClient client = plain.connect("c", "ann", Confirmation.PONG);
        client.capacity(1);
        Recorder ann = new Recorder("user.ann", plain);
        plain.publish("user.ann", "one");
        plain.publish("user.ann", "two");
        plain.publish("user.ann", "three");
        plain.run();
        assertThat(ann.take())
                .containsExactly(
                        "received 1",
                        "offered 1 c",
                        "received 2",
                        "full 2 c",
                        "waiting 2: its outbox is full",
                        "received 3",
                        "waiting 3: its outbox is full");
    }

    @Test
    void anAbsentReaderWhoComesBack() {
        Recorder ann = new Recorder("user.ann", holding);
        holding.publish("user.ann", "one");
        holding.run();
        assertThat(ann.take()).containsExactly("received 1", "holding 1: nobody is connected as user.ann");
        long heldId = holding.log.size(); // only to see that the next happening has a name in the log
        holding.allComeBack();
        assertThat(ann.told).singleElement().satisfies(one -> {
            assertThat(one.kind()).isEqualTo(Happening.Kind.HELD);
            assertThat(Objects.requireNonNull(one.message()).heldId()).isGreaterThan(heldId);
        });
        ann.take();

        FakeClient client = holding.connect("c", "ann", Confirmation.PONG);
        assertThat(ann.take())
                .startsWith("connected c: pong", "released: to be offered, the oldest first")
                .last()
                .isEqualTo("offered c");
        client.readAndConfirm();
        holding.run();
        assertThat(ann.take()).containsExactly("delivered c: pong");
        assertThat(holding.lanes).isEmpty(); // that who is absent is held is no news
    }

    @Test
    void aLaneThatIsHeldThoughSomebodyIsConnectedAndGoesBack() {
        FakeClient client = holding.connect("c", "ann", Confirmation.PONG);
        Recorder ann = new Recorder("user.ann", holding);
        holding.publish("user.ann", "one");
        holding.run();
        holding.pass(CoreHarness.CONFIG.holdAfter().plusMillis(1));
        String why = "no connection of user.ann confirmed it within 1000 ms";
        assertThat(ann.take()).containsExactly("received 1", "offered 1 c", "holding 1: " + why, "lane-held: " + why);
        assertThat(holding.lanes).containsExactly("user.ann is held with 1: " + why);
        holding.allComeBack();
        assertThat(ann.take()).containsExactly("held 1");
        assertThat(standing(holding, "user.ann")).isEqualTo(Standing.Lane.HELD);

        holding.pass(Duration.ofSeconds(2));
        client.readAndConfirm();
        holding.run();
        assertThat(ann.take()).containsExactly("delivered c: pong", "lane-live: after 2000 ms");
        assertThat(holding.lanes).last().isEqualTo("user.ann is live after 2000");
        assertThat(standing(holding, "user.ann")).isEqualTo(Standing.Lane.IDLE);
    }

    @Test
    void aHeldLaneThatItsLastConnectionLeavesIsNotCalledLive() {
        FakeClient client = holding.connect("c", "ann", Confirmation.PONG);
        Recorder ann = new Recorder("user.ann", holding);
        holding.publish("user.ann", "one");
        holding.run();
        holding.pass(CoreHarness.CONFIG.holdAfter().plusMillis(1));
        holding.allComeBack();
        ann.take();
        client.leave();
        holding.run();
        assertThat(ann.take()).containsExactly("disconnected c");
        assertThat(holding.lanes).last().asString().startsWith("user.ann is deserted");
    }

    @Test
    void aLaneWithoutEndTurnsOnce() {
        holding.connect("c", "ann", Confirmation.PONG);
        for (int i = 0; i < 20; i++) {
            holding.publish("user.ann", "message " + i);
        }
        holding.run();
        holding.allComeBack();
        assertThat(holding.lanes).singleElement().asString().startsWith("user.ann is held with ");
    }

    @Test
    void whatIsWrongIsRefusedAndDeadWhenItsCopyIsSafe() {
        Recorder all = new Recorder("nobody", plain);
        plain.publishRefused(DeadLetterReason.MALFORMED, "no JSON");
        plain.run();
        assertThat(all.take()).containsExactly("refused: malformed: no JSON", "dead-lettering: malformed: no JSON");
        plain.confirmCopy();
        assertThat(all.take()).containsExactly("dead-lettered: malformed");
    }

    @Test
    void whoIsAbsentWithAnotherPolicy() {
        Recorder ann = new Recorder("user.ann", plain);
        plain.publish("user.ann", "one", OfflinePolicy.DROP, Instruction.NEVER);
        plain.publish("user.ann", "two", OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
        plain.run();
        assertThat(ann.take())
                .containsExactly(
                        "received 1",
                        "dropped 1: nobody is connected as user.ann",
                        "received 2",
                        "dead-lettering 2: offline: nobody is connected as user.ann");
    }

    @Test
    void whatIsPastItsTime() {
        Recorder ann = new Recorder("user.ann", plain);
        plain.publish("user.ann", "one", OfflinePolicy.HOLD, plain.clock.wallMillis() - 1);
        plain.run();
        plain.confirmCopy();
        assertThat(ann.take()).containsExactly("received 1", "expiring 1", "expired 1");
    }

    @Test
    void whatExpiresInTheHeldLog() {
        Recorder ann = new Recorder("user.ann", holding);
        holding.publish("user.ann", "one");
        holding.run();
        holding.allComeBack();
        ann.take();
        holding.pass(CoreHarness.HOLD.ttl().plusSeconds(1));
        holding.answerRead();
        holding.confirmCopy();
        assertThat(ann.take()).containsExactly("expiring", "expired");
    }

    @Test
    void whatOperatorsDoWithHeldMessages() {
        Recorder ann = new Recorder("user.ann", holding);
        for (String text : List.of("one", "two")) {
            holding.publish("user.ann", text);
        }
        holding.run();
        holding.allComeBack();
        ann.take();

        holding.queue.post(core ->
                core.interventions().deadLetter("user.ann", Long.MAX_VALUE, "by hand", new CompletableFuture<>()));
        holding.run();
        holding.answerRead();
        holding.confirmCopy();
        assertThat(ann.take()).startsWith("dead-lettering: an operator wants it", "dead-lettered: offline");
        holding.answerRead();
        holding.confirmCopy();
        ann.take();

        holding.publish("user.ann", "three");
        holding.run();
        holding.allComeBack();
        ann.take();
        holding.queue.post(
                core -> core.interventions().drop("user.ann", Long.MAX_VALUE, 10, new CompletableFuture<>()));
        holding.run();
        assertThat(ann.take()).containsExactly("dropped: an operator has said so");
    }

    @Test
    void aMessageForMany() {
        Recorder news = new Recorder("channel.news", plain);
        plain.publish("channel.news", "none there");
        plain.run();
        assertThat(news.take()).containsExactly("received 1", "dropped 1: nobody is subscribed to channel.news");
        plain.connect("a", "ann", Confirmation.PONG, "news");
        FakeClient full = plain.connect("b", "bob", Confirmation.PONG, "news");
        full.capacity(0);
        plain.publish("channel.news", "two there");
        plain.run();
        assertThat(news.take())
                .containsExactly(
                        "subscribed a",
                        "subscribed b",
                        "received 2",
                        "offered 2",
                        "waiting 2: so many outboxes are full");
        full.capacity(1);
        full.session().progressed();
        plain.run();
        assertThat(news.take()).containsExactly("delivered 2 ×2: in the outboxes of all that are there");
    }

    @Test
    void aChannelThatEndsReturnsWhatWasUnsettled() {
        plain.connect("c", "ann", Confirmation.PONG);
        Recorder ann = new Recorder("user.ann", plain);
        plain.publish("user.ann", "one");
        plain.publish("user.ann", "two");
        plain.run();
        ann.take();
        plain.loseChannel();
        assertThat(ann.take()).containsExactly("returned ×2: the channel to RabbitMQ ended");
        plain.redeliver("user.ann", "one");
        plain.run();
        assertThat(ann.take()).containsExactly("received 3: not for the first time", "offered 3 c");
    }

    @Test
    void howItStands() {
        FakeClient client = holding.connect("c", "ann", Confirmation.ACK);
        holding.publish("user.ann", "one");
        holding.publish("user.ann", "two");
        holding.run();
        client.readAll();
        client.session().confirmed(1);
        holding.run();
        Standing standing = holding.core.standing(address("user.ann"));
        assertThat(standing.connections()).isEqualTo(1);
        assertThat(standing.first()).containsExactly(new Standing.Connection("c", Confirmation.ACK, 2, 1, false));
        assertThat(standing.lane()).isEqualTo(Standing.Lane.LIVE);
        assertThat(standing.unsettled()).isEqualTo(1);
        assertThat(standing.held()).isZero();

        holding.publish("user.bob", "away");
        holding.run();
        holding.allComeBack();
        Standing bob = holding.core.standing(address("user.bob"));
        assertThat(bob.lane()).isEqualTo(Standing.Lane.HELD);
        assertThat(bob.held()).isEqualTo(1);
        assertThat(bob.nextExpiryMillis()).isGreaterThan(holding.clock.wallMillis());
        assertThat(holding.core.standing(address("all")).connections()).isEqualTo(1);
    }

    @Test
    void whoLooksAwayIsToldNothing() {
        Recorder ann = new Recorder("user.ann", plain);
        Recorder other = new Recorder("user.ann", plain);
        plain.core.unwatch(ann);
        plain.publish("user.ann", "one");
        plain.run();
        assertThat(ann.told).isEmpty();
        assertThat(other.told).isNotEmpty();
    }

    private static Standing.Lane standing(CoreHarness harness, String address) {
        return harness.core.standing(address(address)).lane();
    }

    private static Address address(String text) {
        try {
            return Address.parse(text);
        } catch (Address.InvalidAddressException e) {
            throw new AssertionError(e);
        }
    }
}
