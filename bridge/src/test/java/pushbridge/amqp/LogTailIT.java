package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

@ExtendWith(BrokerExtension.class)
class LogTailIT extends HeldLogCase {

    private final RecordingLog seen = new RecordingLog();

    LogTailIT(Broker broker) throws IOException {
        super(broker);
    }

    @Test
    void itBeginsExactlyAtTheOffsetAlsoWithinAChunk() throws Exception {
        fill(large(), 1_000, 100);
        tail(config(broker.uri()), large(), -1, seen);
        seen.await(999);
        for (int i : new int[] {1, 517, 518, 999}) {
            RecordingLog part = new RecordingLog();
            tail(config(broker.uri()), large(), seen.offsets().get(i), part);
            part.await(999);
            assertThat(part.seen()).isEqualTo(seen.seen().subList(i, 1_000));
            assertThat(part.gaps()).isEmpty();
        }
    }

    @Test
    void aTruncatedBeginningIsReportedBeforeTheFirstRecordThereIs() throws Exception {
        LogSettings small = settings(300_000, 50_000);
        fill(small, 3_000, 1_000);
        tail(config(broker.uri()), small, 0, seen);
        seen.await(2_999);
        assertThat(seen.gaps())
                .containsExactly(new LogListener.TruncatedFrom(0, seen.offsets().get(0)));
        assertThat(seen.offsets().get(0)).isPositive();
    }

    @Test
    void whatIsTruncatedWhileItIsAwayIsReported() throws Exception {
        LogSettings small = settings(300_000, 50_000);
        tail(throughReadProxy(), small, -1, seen);
        LogAppender appender = appender(small);
        for (int i = 0; i < 10; i++) {
            appender.append(RecordingLog.encode(i, 1_000));
        }
        seen.await(9);
        readProxy.refuse();
        readProxy.cut();
        for (int i = 10; i < 3_000; i++) {
            appender.append(RecordingLog.encode(i, 1_000));
        }
        assertThat(appender.stop(Broker.PATIENCE)).isEmpty();
        readProxy.permit();
        seen.await(2_999);
        List<Long> offsets = seen.offsets();
        assertThat(seen.gaps()).containsExactly(new LogListener.TruncatedFrom(offsets.get(9) + 1, offsets.get(10)));
    }

    @Test
    void aSlowListenerHoldsUpTheBrokerNotTheMemory() throws Exception { // I5
        fill(large(), 5_000, 100);
        Semaphore gate = seen.close();
        LogTail tail = tail(config(broker.uri()), large(), -1, seen);
        int most = 0;
        for (int handed = 0; handed < 5_000; handed += 250) {
            Broker.await("some are waiting", () -> tail.buffered() > 0 || seen.count() == 5_000);
            most = Math.max(most, tail.buffered());
            gate.release(250);
            int expected = handed + 250;
            Broker.await(expected + " are handed over", () -> seen.count() == expected);
            most = Math.max(most, tail.buffered());
        }
        assertThat(seen.numbers()).isEqualTo(numbers(0, 5_000));
        // The chunk that begins within the credit comes whole, and a chunk is no more than what was in flight.
        assertThat(most).isPositive().isLessThanOrEqualTo(TAIL_PREFETCH + APPEND_RECORDS);
    }

    @Test
    void itSaysOnceWhenItHasCaughtUpWithTheEndAsItWas() throws Exception {
        fill(large(), 1_000, 100);
        Semaphore gate = seen.close();
        LogTail tail = tail(config(broker.uri()), large(), -1, seen);
        gate.release(500);
        Broker.await("half is read", () -> seen.count() == 500);
        assertThat(seen.ends()).isEmpty();
        assertThat(tail.lag()).isGreaterThanOrEqualTo(500);
        gate.release(500);
        Broker.await("it has caught up", () -> !seen.ends().isEmpty());
        assertThat(seen.ends()).containsExactly(seen.offsets().get(999));
        assertThat(tail.lag()).isZero();

        tail.askEnd();
        Broker.await("it is asked again", () -> seen.ends().size() == 2);
        assertThat(tail.position()).isEqualTo(seen.offsets().get(999));
    }

    @Test
    void anEmptyLogIsCaughtUpWith() {
        tail(config(broker.uri()), large(), -1, seen);
        Broker.await("it has caught up", () -> !seen.ends().isEmpty());
        assertThat(seen.ends()).containsExactly(-1L);
    }

    @Test
    void aLogThatIsShorterThanItWasIsAnotherOne() throws Exception {
        fill(large(), 10, 100);
        tail(config(broker.uri()), large(), 5_000, seen);
        Broker.await("the tail says so", () -> seen.replaced() != null);
        assertThat(seen.replaced()).contains("although offset 5000 was in it");
        assertThat(seen.count()).isZero();
    }

    @Test
    void aLogThatWasReplacedByALongerOneIsAnotherOne() throws Exception {
        fill(large(), 10, 100);
        tail(throughReadProxy(), large(), -1, seen);
        seen.await(9);
        readProxy.refuse();
        readProxy.cut();
        deleteStream();
        fill(large(), 100, 200);
        readProxy.permit();
        Broker.await("the tail says so", () -> seen.replaced() != null);
        assertThat(seen.replaced()).contains("has another record at offset");
        assertThat(seen.count()).isEqualTo(10);
    }

    @Test
    void aListenerThatFailsGetsNothingMoreAndAnAlarmSaysSo() throws Exception {
        fill(large(), 10, 100);
        seen.failAt(5);
        tail(config(broker.uri()), large(), -1, seen);
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        assertThat(status.snapshot().alarms()).singleElement().asString().contains("restart the bridge");
        Broker.await("it is told", () -> seen.failure() != null); // and ends the process
        assertThat(seen.numbers()).isEqualTo(numbers(0, 5)); // the next one would hide that 5 is lost
    }
}
