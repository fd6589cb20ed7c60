package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import pushbridge.outbox.Frame;

/** Memory for a hundred bytes, and a patience of a hundred. */
final class ReliefTest {

    private static final long MAX = 100;

    private final Relief relief = new Relief(100);
    private final LoopQueue queue = new LoopQueue();
    private final List<Session> sessions = new ArrayList<>();

    @Test
    void whoReadsWhileMemoryIsShortStaysForAllOfThePatience() { // I4
        FakeClient reading = clientWith(4, 20);
        FakeClient stalled = clientWith(4, 20);
        look(0);
        reading.read(1);
        look(24);
        assertThat(stalled.closedWith).isNull();

        look(25);
        assertThat(stalled.closedWith).isEqualTo(CloseCode.STALLED);
        assertThat(reading.closedWith).isNull();
    }

    @Test
    void whoWaitsForTheBridgeAloneIsNotStalled() { // I4
        FakeClient waiting = clientWith(6, 20);
        waiting.blocked(false);
        look(0);
        look(25);
        assertThat(waiting.closedWith).isNull();
    }

    @Test
    void thenThoseWithTheMostWaitingGoUntilAQuarterIsFree() { // I4, I5
        FakeClient much = clientWith(3, 20);
        FakeClient more = clientWith(4, 20);
        FakeClient little = clientWith(1, 20);
        look(0);
        sessions.forEach(session -> ((FakeClient) session.sink()).read(1));
        clientWith(1, 20);
        look(99);
        assertThat(more.closedWith).isNull();

        look(100);
        assertThat(more.closedWith).isEqualTo(CloseCode.SLOW);
        assertThat(much.closedWith).isNull();
        assertThat(little.closedWith).isNull();
    }

    @Test
    void aShortageThatEndsByItselfCostsNobody() {
        FakeClient client = clientWith(6, 20);
        look(0);
        client.read(3);
        look(30);
        client.session().confirmed(0);
        clientWith(3, 20);
        look(101);

        assertThat(sessions)
                .allSatisfy(session ->
                        assertThat(((FakeClient) session.sink()).closedWith).isNull());
    }

    private void look(long now) {
        long bytes = sessions.stream()
                .mapToLong(session -> session.sink().pendingBytes())
                .sum();
        relief.look(bytes, MAX, sessions, now);
    }

    private FakeClient clientWith(int frames, int size) {
        FakeClient client = new FakeClient();
        Session session = new Session("c" + sessions.size(), null, Confirmation.WRITTEN, client, queue, 1);
        client.session = session;
        sessions.add(session);
        for (int i = 0; i < frames; i++) {
            // Two bytes are the header.
            session.offer(Frame.envelope("x".repeat(size - 2).getBytes(StandardCharsets.UTF_8), false));
        }
        return client;
    }
}
