package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

@ExtendWith(BrokerExtension.class)
class LogReaderIT extends HeldLogCase {

    private final RecordingLog all = new RecordingLog();
    private final RecordingLog got = new RecordingLog();
    private final LogReader reader;

    LogReaderIT(Broker broker) throws IOException {
        super(broker);
        reader = new LogReader(throughReadProxy(), large(), "node-1", status);
        reader.start();
    }

    @AfterEach
    void close() throws InterruptedException {
        reader.close();
    }

    private void fillAndList(LogSettings settings, int count, int size) throws Exception {
        fill(settings, count, size);
        tail(config(broker.uri()), settings, -1, all);
        all.await(count - 1);
    }

    private void awaitDone() {
        Broker.await("the read is done", () -> got.timesDone() == 1);
    }

    @Test
    void scatteredRecordsAreReadEachOnce() throws Exception {
        fillAndList(large(), 5_000, 100);
        List<RecordingLog.Seen> wanted =
                IntStream.range(0, 100).mapToObj(i -> all.seen().get(i * 49)).toList();
        reader.read(wanted.stream().map(RecordingLog.Seen::offset).toList(), got);
        awaitDone();
        assertThat(got.seen()).containsExactlyInAnyOrderElementsOf(wanted);
        assertThat(got.missing()).isEmpty();
        assertThat(reader.reads()).isEqualTo(100);
        assertThat(reader.waiting()).isZero();
    }

    @Test
    void closeOnesAreOneReadInOrder() throws Exception {
        fillAndList(large(), 1_000, 100);
        List<RecordingLog.Seen> wanted =
                IntStream.range(20, 80).mapToObj(i -> all.seen().get(i * 5)).toList();
        List<Long> offsets = wanted.stream().map(RecordingLog.Seen::offset).toList();
        reader.read(offsets.stream().sorted((a, b) -> Long.compare(b, a)).toList(), got);
        awaitDone();
        assertThat(got.seen()).isEqualTo(wanted);
        assertThat(reader.reads()).isOne();
    }

    @Test
    void aSweepReadsEverythingBetweenInOrder() throws Exception {
        fillAndList(large(), 3_000, 100);
        List<RecordingLog.Seen> wanted = all.seen().subList(700, 2_701);
        reader.sweep(all.offsets().get(700), all.offsets().get(2_700), got);
        awaitDone();
        assertThat(got.seen()).isEqualTo(wanted);
    }

    @Test
    void aSweepThatIsCutGoesOnWhereItWas() throws Exception {
        fillAndList(large(), 3_000, 100);
        Semaphore gate = got.close();
        reader.sweep(0, all.offsets().get(2_999), got);
        for (int i = 1; i <= 5; i++) {
            gate.release(400);
            int expected = i * 400;
            Broker.await(expected + " are read", () -> got.count() == expected);
            readProxy.cut();
        }
        gate.release(1_000);
        awaitDone();
        assertThat(got.seen()).isEqualTo(all.seen());
    }

    @Test
    void aSlowReadDoesNotHoldUpAnother() throws Exception {
        fillAndList(large(), 1_000, 100);
        RecordingLog slow = new RecordingLog();
        Semaphore gate = slow.close();
        reader.sweep(0, all.offsets().get(999), slow);
        reader.read(List.of(all.offsets().get(500)), got);
        awaitDone();
        assertThat(got.seen()).containsExactly(all.seen().get(500));
        gate.release(1_000);
        Broker.await("the slow one is done", () -> slow.timesDone() == 1);
        assertThat(slow.seen()).isEqualTo(all.seen());
    }

    @Test
    void whatIsTruncatedIsMissing() throws Exception {
        fillAndList(settings(300_000, 50_000), 3_000, 1_000);
        RecordingLog.Seen there = all.seen().get(all.count() - 5);
        reader.read(List.of(3L, 4L, there.offset()), got);
        awaitDone();
        assertThat(got.missing()).containsExactly(3L, 4L);
        assertThat(got.seen()).containsExactly(there);

        RecordingLog swept = new RecordingLog();
        reader.sweep(3, there.offset(), swept);
        Broker.await("the sweep is done", () -> swept.timesDone() == 1);
        assertThat(swept.missing()).containsExactly(3L);
        assertThat(swept.offsets()).last().isEqualTo(there.offset());
    }

    @Test
    void whatIsBeyondTheEndIsMissing() throws Exception {
        fillAndList(large(), 10, 100);
        reader.read(List.of(all.offsets().get(9), 5_000L), got);
        awaitDone();
        assertThat(got.missing()).containsExactly(5_000L);
        assertThat(got.seen()).containsExactly(all.seen().get(9));
    }

    @Test
    void readsWaitWhileTheBrokerIsAwayAndTheAlarmSaysSo() throws Exception {
        fillAndList(large(), 10, 100);
        readProxy.refuse();
        reader.read(List.of(all.offsets().get(5)), got);
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        assertThat(got.timesDone()).isZero();
        readProxy.permit();
        awaitDone();
        Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
        assertThat(got.seen()).containsExactly(all.seen().get(5));
    }

    @Test
    void aChannelServesAnyNumberOfReads() throws Exception { // nothing stays unacknowledged behind a cancelled consumer
        fillAndList(large(), 1_000, 100);
        for (int i = 0; i < 10; i++) {
            RecordingLog round = new RecordingLog();
            reader.read(all.offsets().stream().filter(o -> o % 31 == 0).toList(), round);
            Broker.await("the round is done", () -> round.timesDone() == 1);
            assertThat(round.missing()).isEmpty();
        }
        assertThat(status.snapshot().alarms()).isEmpty();
    }

    @Test
    void aReceiverThatFailsDoesNotConcernTheOthers() throws Exception {
        fillAndList(large(), 100, 100);
        for (int i = 0; i < 5; i++) { // more than there are threads
            RecordingLog failing = new RecordingLog();
            failing.failAt(50);
            reader.sweep(0, all.offsets().get(99), failing);
        }
        reader.sweep(0, all.offsets().get(99), got);
        awaitDone();
        assertThat(got.seen()).isEqualTo(all.seen());
        Broker.await("all are over", () -> reader.waiting() == 0);
    }
}
