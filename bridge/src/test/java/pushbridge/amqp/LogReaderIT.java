package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Random;
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
    private long lastId;

    LogReaderIT(Broker broker) throws IOException {
        super(broker);
        reader = new LogReader(throughReadProxy(), large(), "node-1", got, status);
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

    /** One request; each record is asked for under the next id. */
    private void ask(Collection<Long> offsets) {
        offsets.forEach(offset -> reader.ask(++lastId, offset));
        reader.go();
    }

    /** Everything was answered once. */
    private void awaitAnswers() {
        Broker.await("everything is answered", () -> got.answered().size() >= lastId);
        assertThat(got.answered()).containsExactlyInAnyOrderElementsOf(numbers(1, lastId + 1));
        assertThat(reader.waiting()).isZero();
    }

    private static List<Long> offsets(List<RecordingLog.Seen> records) {
        return records.stream().map(RecordingLog.Seen::offset).toList();
    }

    @Test
    void scatteredRecordsAreReadEachOnce() throws Exception {
        fillAndList(large(), 5_000, 100);
        List<RecordingLog.Seen> wanted =
                IntStream.range(0, 100).mapToObj(i -> all.seen().get(i * 49)).toList();
        ask(offsets(wanted));
        awaitAnswers();
        assertThat(got.seen()).containsExactlyInAnyOrderElementsOf(wanted);
        assertThat(got.missing()).isEmpty();
        assertThat(reader.messagesRead()).isEqualTo(100);
    }

    @Test
    void thousandsFromManyBatchesAreReadInFewScans() throws Exception {
        fillAndList(large(), 40_000, 100);
        List<Long> offsets = all.offsets();
        Random random = new Random(1);
        for (int batch = 0; batch < 1_000; batch++) {
            ask(random.ints(10, 0, offsets.size()).mapToObj(offsets::get).toList());
        }
        awaitAnswers();
        assertThat(got.missing()).isEmpty();
        assertThat(reader.scans()).isLessThan(500);
        assertThat(reader.messagesRead()).isEqualTo(10_000);
    }

    @Test
    void aScanThatIsCutGoesOnWhereItWas() throws Exception {
        fillAndList(large(), 3_000, 100);
        Semaphore gate = got.close();
        ask(all.offsets());
        for (int i = 1; i <= 5; i++) {
            gate.release(400);
            int expected = i * 400;
            Broker.await(expected + " are read", () -> got.count() == expected);
            readProxy.cut();
        }
        gate.release(1_000);
        awaitAnswers();
        assertThat(got.seen()).containsExactlyInAnyOrderElementsOf(all.seen());
    }

    @Test
    void aReaderWhoComesLaterIsServedWhileAScanIsHeldUp() throws Exception {
        fillAndList(large(), 30_000, 100);
        Semaphore gate = got.close();
        for (int i = 0; i < 10_000; i++) {
            reader.ask(++lastId, all.offsets().get(i));
        }
        reader.go();
        gate.release(100);
        Broker.await("100 are read", () -> got.count() == 100);
        ask(List.of(all.offsets().get(29_999)));
        for (int permits = 200; permits < 9_000 && !got.answered().contains(lastId); permits += 100) {
            int expected = permits;
            gate.release(100);
            Broker.await(expected + " are read", () -> got.count() >= expected);
        }
        assertThat(got.answered()).contains(lastId).hasSizeLessThan(5_000);
        gate.release(10_000);
        awaitAnswers();
    }

    @Test
    void oneRecordAnswersEveryoneWhoAskedForIt() throws Exception {
        fillAndList(large(), 10, 100);
        long offset = all.offsets().get(5);
        ask(List.of(offset, offset, offset));
        awaitAnswers();
        assertThat(got.seen()).containsExactly(all.seen().get(5));
    }

    @Test
    void whatIsTruncatedIsMissing() throws Exception {
        fillAndList(settings(300_000, 50_000), 3_000, 1_000);
        RecordingLog.Seen there = all.seen().get(all.count() - 5);
        ask(List.of(3L, 4L, there.offset()));
        awaitAnswers();
        assertThat(got.missing()).containsExactlyInAnyOrder(3L, 4L);
        assertThat(got.seen()).containsExactly(there);
    }

    @Test
    void whatIsBeyondTheEndIsWaitedFor() throws Exception { // a replica that is behind has lost nothing
        fillAndList(large(), 10, 100);
        ask(List.of(all.offsets().get(9), 15L));
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        assertThat(got.seen()).containsExactly(all.seen().get(9));
        fill(large(), 10, 100);
        awaitAnswers();
        assertThat(got.missing()).isEmpty();
        assertThat(got.offsets()).contains(15L);
    }

    @Test
    void readsWaitWhileTheBrokerIsAwayAndTheAlarmSaysSo() throws Exception {
        fillAndList(large(), 10, 100);
        readProxy.refuse();
        ask(List.of(all.offsets().get(5)));
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        assertThat(got.answered()).isEmpty();
        readProxy.permit();
        awaitAnswers();
        Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
        assertThat(got.seen()).containsExactly(all.seen().get(5));
    }

    @Test
    void whatIsForgottenWhileTheBrokerIsAwayIsNotRead() throws Exception {
        fillAndList(large(), 5_000, 100);
        readProxy.refuse();
        ask(List.of(all.offsets().get(5), all.offsets().get(4_000)));
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        reader.forget(1, all.offsets().get(5));
        readProxy.permit();
        Broker.await("the other is read", () -> got.count() == 1);
        assertThat(got.answered()).containsExactly(2L);
        assertThat(reader.waiting()).isZero();
    }

    @Test
    void aChannelServesAnyNumberOfReads() throws Exception { // nothing stays unacknowledged behind a cancelled consumer
        fillAndList(large(), 3_000, 100);
        for (int i = 0; i < 10; i++) {
            ask(all.offsets().stream().filter(o -> o % 301 == 0).toList());
            awaitAnswers();
        }
        assertThat(got.missing()).isEmpty();
        assertThat(status.snapshot().alarms()).isEmpty();
    }

    @Test
    void aReaderThatBeginsAgainAndAgainWhileTheLogGrowsKeepsItsConnection() throws Exception {
        fillAndList(large(), 100, 100);
        LogAppender appender = appender(large());
        // Up to the end, so that each consumer is told of what is appended while the next one begins.
        for (int i = 100; i < 350; i++) {
            appender.append(RecordingLog.encode(i, 100));
            List<Long> known = all.offsets();
            ask(known.subList(known.size() - 5, known.size()));
            awaitAnswers();
        }
        assertThat(appender.stop(Broker.PATIENCE)).isEmpty();
        assertThat(got.missing()).isEmpty();
        assertThat(readProxy.accepted()).isOne();
    }

    @Test
    void aReceiverThatFailsDoesNotConcernTheOthers() throws Exception {
        fillAndList(large(), 100, 100);
        got.failAt(50);
        ask(all.offsets());
        Broker.await("the others are read", () -> got.count() == 99);
        assertThat(reader.waiting()).isZero();
    }
}
