package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a page that comes back is told about what it missed. */
final class DeparturesTest {

    private final CoreHarness harness = CoreHarness.holding();

    @Test
    void whoComesBackAndWasTheOnlyOneMissedNothingThatWasHeld() {
        FakeClient ann = harness.connect("a", "ann", Confirmation.ACK);
        assertThat(ann.welcome).contains("\"complete\":false");
        leave(ann);
        publish("one");
        FakeClient again = back("a", "b");
        again.readAll();
        while (!harness.reads.isEmpty()) {
            harness.answerRead();
            again.readAll();
        }

        assertThat(again.welcome).contains("\"complete\":true");
        assertThat(again.read).containsExactly("one");
    }

    @Test
    void whatAnotherDeviceSettledWasMissed() {
        leave(harness.connect("a", "ann", Confirmation.ACK));
        FakeClient phone = harness.connect("p", "ann", Confirmation.ACK);
        publish("one");
        phone.readAndConfirm();
        harness.run();

        assertThat(back("a", "b").welcome).contains("\"complete\":false");
    }

    @Test
    void whatAnotherDeviceSettledBeforeItLeftWasMissedTooUnlessItHadIt() {
        FakeClient laptop = harness.connect("a", "ann", Confirmation.ACK);
        FakeClient tablet = harness.connect("t", "ann", Confirmation.ACK);
        FakeClient phone = harness.connect("p", "ann", Confirmation.ACK);
        publish("one");
        tablet.readAndConfirm();
        phone.readAndConfirm();
        harness.run();
        leave(laptop);
        leave(tablet);

        assertThat(back("a", "b").welcome).contains("\"complete\":false");
        assertThat(back("t", "u").welcome).contains("\"complete\":true");
    }

    @Test
    void whatExpiredWasMissed() {
        leave(harness.connect("a", "ann", Confirmation.ACK));
        harness.publish("user.ann", "soon over", OfflinePolicy.HOLD, harness.clock.wallMillis() + 100);
        harness.run();
        harness.allComeBack();
        harness.pass(Duration.ofMillis(200));
        harness.answerRead();

        assertThat(back("a", "b").welcome).contains("\"complete\":false");
    }

    @Test
    void aConnectionIsNobodyElsesAndGoodForOneReturn() {
        leave(harness.connect("a", "ann", Confirmation.ACK));
        assertThat(harness.comeBack("a", "m", "mallory", Confirmation.ACK).welcome)
                .contains("\"complete\":false");
        assertThat(back("a", "b").welcome).contains("\"complete\":true");
        assertThat(back("a", "c").welcome).contains("\"complete\":false");
    }

    @Test
    void aChannelIsCompleteWhenNothingWasSentToItMeanwhile() {
        leave(harness.connect("a", "ann", Confirmation.ACK, "news", "weather"));
        harness.publish("channel.news", "missed");
        harness.run();
        FakeClient again = back("a", "b");

        assertThat(subscribed(again, "weather")).contains("\"complete\":true");
        assertThat(subscribed(again, "news")).contains("\"complete\":false");
        harness.publish("all", "everybody");
        harness.run();
        assertThat(subscribed(again, "weather")).contains("\"complete\":false");
    }

    @Test
    void aChannelItDidNotListenToIsNotComplete() {
        leave(harness.connect("a", "ann", Confirmation.ACK, "news"));

        assertThat(subscribed(back("a", "b"), "sports")).contains("\"complete\":false");
    }

    @Test
    void aChannelIsNotCompleteForAPageThatHadNotHandledEverything() {
        FakeClient ann = harness.connect("a", "ann", Confirmation.ACK, "news");
        harness.publish("channel.news", "in its outbox");
        harness.run();
        leave(ann);

        assertThat(subscribed(back("a", "b"), "news")).contains("\"complete\":false");
    }

    @Test
    void onlySoManyAreRemembered() { // I5
        for (int i = 0; i <= CoreHarness.CONFIG.rememberedConnections(); i++) {
            leave(harness.connect("c" + i, "ann", Confirmation.ACK, "news"));
        }
        assertThat(back("c0", "x").welcome).contains("\"complete\":false");
        assertThat(back("c1", "y").welcome).contains("\"complete\":true");
    }

    private void leave(FakeClient client) {
        client.leave();
        harness.run();
    }

    private FakeClient back(String had, String id) {
        return harness.comeBack(had, id, "ann", Confirmation.ACK);
    }

    private String subscribed(FakeClient client, String channel) {
        client.readAll();
        client.session().request(new ClientRequest.Subscribe(channel, 1));
        harness.run();
        client.readAll();
        return client.read.get(client.read.size() - 1);
    }

    private void publish(String text) {
        harness.publish("user.ann", text);
        harness.run();
        harness.allComeBack();
    }
}
