package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

@ExtendWith(BrokerExtension.class)
class LogAppenderIT extends HeldLogCase {

    private final RecordingLog seen = new RecordingLog();
    private final LogAppender appender;

    LogAppenderIT(Broker broker) throws IOException {
        super(broker);
        appender = new LogAppender(throughAppendProxy(), large(), "node-1", status);
    }

    @AfterEach
    void stop() throws InterruptedException {
        appender.stop(Duration.ZERO);
    }

    private void append(long from, long below) {
        for (long i = from; i < below; i++) {
            appender.append(RecordingLog.encode(i, 100));
        }
    }

    @Test
    void recordsComeBackInTheOrderOfTheCalls() {
        appender.start();
        tail(config(broker.uri()), large(), -1, seen);
        append(0, 5_000);
        seen.await(4_999);
        assertThat(seen.numbers()).isEqualTo(numbers(0, 5_000));
        Broker.await("all is confirmed", () -> appender.waiting() == 0);
        assertThat(appender.waitingBytes()).isZero();
    }

    @Test
    void throughCutsOfBothConnectionsNothingIsLostOrOvertakes() { // I2, I3
        appender.start();
        LogTail tail = tail(throughReadProxy(), large(), -1, seen);
        for (int i = 0; i < 12; i++) {
            append(i * 2_000L, (i + 1) * 2_000L);
            seen.await(i * 2_000L);
            appendProxy.cut();
            if (i % 2 == 0) {
                readProxy.cut();
            }
        }
        seen.await(23_999);
        Broker.await("all is confirmed", () -> appender.waiting() == 0);

        List<RecordingLog.Seen> got = seen.seen();
        long highest = -1;
        for (RecordingLog.Seen record : got) {
            // Repeats only, never a gap: the log is a prefix of what was appended, at each moment.
            assertThat(record.number()).isLessThanOrEqualTo(highest + 1);
            highest = Math.max(highest, record.number());
        }
        assertThat(seen.accepted()).isEqualTo(numbers(0, 24_000));

        // What was handed over in pieces is exactly what the log holds.
        RecordingLog undisturbed = new RecordingLog();
        LogTail other = tail(config(broker.uri()), large(), -1, undisturbed);
        tail.askEnd();
        Broker.await("both have read all", () -> {
            long end = undisturbed.ends().isEmpty() ? -2 : undisturbed.ends().get(0);
            return other.position() >= end && tail.position() == other.position();
        });
        assertThat(seen.seen()).isEqualTo(undisturbed.seen());
        assertThat(seen.gaps()).isEmpty();
    }

    @Test
    void aRecordWhoseConfirmNeverComesGoesOutAgain() {
        appender.start();
        append(0, 1);
        Broker.await("it is confirmed", () -> appender.waiting() == 0);
        appendProxy.swallow();
        append(1, 3);
        Broker.await("all is confirmed", () -> appender.waiting() == 0);
        tail(config(broker.uri()), large(), -1, seen);
        seen.await(2);
        assertThat(seen.numbers()).isEqualTo(numbers(0, 3));
    }

    @Test
    void aDeletedStreamIsAnAlarmAndWhatIsAppendedThenIsNotLost() throws Exception {
        appender.start();
        tail(config(broker.uri()), large(), -1, seen);
        append(0, 50);
        seen.await(49);
        deleteStream();
        // The broker confirms also what no queue has taken.
        append(50, 60);
        Broker.await("the tail says that the log is another one", () -> seen.replaced() != null);
        assertThat(seen.replaced()).contains("The stream " + stream).contains("what was held there is lost");
        assertThat(status.snapshot().alarms()).anyMatch(alarm -> alarm.equals(seen.replaced()));
        assertThat(seen.numbers()).isEqualTo(numbers(0, 50));

        RecordingLog anew = new RecordingLog();
        tail(config(broker.uri()), large(), -1, anew);
        anew.await(59);
        assertThat(anew.numbers()).isEqualTo(numbers(50, 60));
    }

    @Test
    void aRefusedAppendIsAnAlarmUntilItIsTaken() throws Exception {
        appender.start();
        append(0, 1);
        Broker.await("it is confirmed", () -> appender.waiting() == 0);
        deleteStream();
        appendProxy.refuse(); // it cannot declare the stream again
        append(1, 2);
        Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
        assertThat(appender.waiting()).isOne();
        appendProxy.permit();
        Broker.await("it is confirmed", () -> appender.waiting() == 0);
        Broker.await("no alarm", () -> status.snapshot().alarms().isEmpty());
    }

    @Test
    void underAMemoryAlarmRecordsWait() {
        appender.start();
        append(0, 1);
        Broker.await("it is confirmed", () -> appender.waiting() == 0);
        try {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
            append(1, 100);
            Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
            assertThat(status.snapshot().alarms())
                    .singleElement()
                    .asString()
                    .contains("takes no records for the held log " + stream);
            assertThat(appender.waiting()).isPositive();
        } finally {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4");
        }
        Broker.await("all is confirmed", () -> appender.waiting() == 0);
        assertThat(status.snapshot().alarms()).isEmpty();
        tail(config(broker.uri()), large(), -1, seen);
        seen.await(99);
        assertThat(seen.numbers()).isEqualTo(numbers(0, 100));
    }

    @Test
    void aMemoryAlarmShowsAlsoWhenMoreWaitsThanASocketTakes() { // a thread that only writes would hear nothing of it
        appender.start();
        append(0, 1);
        Broker.await("it is confirmed", () -> appender.waiting() == 0);
        try {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
            for (int i = 1; i < 400; i++) {
                appender.append(RecordingLog.encode(i, 64 << 10));
            }
            Broker.await("an alarm", () -> !status.snapshot().alarms().isEmpty());
            assertThat(status.snapshot().alarms()).singleElement().asString().contains("takes no records");
        } finally {
            Broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4");
        }
        Broker.await("all is confirmed", () -> appender.waiting() == 0);
        tail(config(broker.uri()), large(), -1, seen);
        seen.await(399);
        assertThat(seen.numbers()).isEqualTo(numbers(0, 400));
    }

    @Test
    void stoppingSaysWhatIsNotConfirmed() throws Exception {
        appendProxy.refuse();
        appender.start();
        append(0, 3);
        assertThat(appender.stop(Duration.ofMillis(100)))
                .containsExactly(RecordingLog.encode(0, 100), RecordingLog.encode(1, 100), RecordingLog.encode(2, 100));
    }

    @Test
    void stoppingWritesWhatIsWaiting() throws Exception {
        append(0, 1_000);
        appender.start();
        assertThat(appender.stop(Broker.PATIENCE)).isEmpty();
        tail(config(broker.uri()), large(), -1, seen);
        seen.await(999);
        assertThat(seen.numbers()).isEqualTo(numbers(0, 1_000));
    }

    @Test
    void aRecordThatNoReaderCouldPassIsRefused() { // it would end every connection that reads it
        assertThatThrownBy(() -> appender.append(new byte[(1 << 20) + 1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1048577 bytes");
    }
}
