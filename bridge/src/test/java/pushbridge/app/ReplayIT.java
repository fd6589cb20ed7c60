package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.LogListener;
import pushbridge.amqp.LogTail;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.config.BridgeConfig;
import pushbridge.hold.Decoded;
import pushbridge.hold.HeldIndex;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.KeepingRules;
import pushbridge.hold.LogRecord;
import pushbridge.hold.RecordCodec;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** What a bridge reads of the held log when it starts. */
@ExtendWith(BrokerExtension.class)
final class ReplayIT {

    private static final int RECORDS = 3_000;

    /** A checkpoint every 100 records; nothing is ever copied forward. */
    private static final KeepingRules RULES =
            new KeepingRules(100, 1 << 20, 3, 64 << 20, Duration.ofDays(3650), 1_000, 1 << 20);

    private final Broker broker;

    ReplayIT(Broker broker) {
        this.broker = broker;
    }

    @Test
    void itBeginsAtTheLatestCheckpointAndKnowsTheSame() throws Exception {
        releaseManyThenHoldSome(20);
        try (TestBridge again = start()) {
            again.awaitReady();
            assertThat(again.bridge().stats().heldMessages()).isEqualTo(20);
            assertThat(again.bridge().stats().heldOldestMillis()).isPositive();
            assertThat(again.bridge().replayRecords()).isPositive().isLessThan(RECORDS / 2);
            WebClient ann = again.connect("user=ann");
            ann.await(20);
            assertThat(ann.texts()).isEqualTo(envelopes(1, 20));
            Broker.await("nothing held", () -> again.bridge().stats().heldMessages() == 0);
        }
    }

    @Test
    void itBeginsBehindEverythingWhenNothingWasHeld() throws Exception {
        releaseManyThenHoldSome(0);
        try (TestBridge again = start()) {
            again.awaitReady();
            assertThat(again.bridge().stats().heldMessages()).isZero();
            assertThat(again.bridge().replayRecords()).isPositive().isLessThan(RECORDS / 2);
            assertThat(again.bridge().health().problems()).isEmpty();
        }
    }

    @Test
    void aWrongCheckpointIsFoundOutAndEverythingIsRead() throws Exception {
        releaseManyThenHoldSome(20);
        HeldIndex index = fold();
        LogRecord.Checkpoint right = index.checkpoint(index.ordinal() + 1);
        publish(List.of(new LogRecord.Checkpoint(
                right.epoch(),
                right.ordinal(),
                right.lowestLiveOffset() + 1, // the first of those held would be forgotten
                -1,
                -1,
                right.asOfOrdinal(),
                right.highestId(),
                right.messages(),
                right.bytes(),
                right.fingerprint())));

        try (TestBridge again = start()) {
            again.awaitReady();
            assertThat(again.bridge().stats().heldMessages()).isEqualTo(20);
            assertThat(again.bridge().replayRecords()).isGreaterThan(RECORDS);
            assertThat(again.bridge().health().problems())
                    .singleElement()
                    .asString()
                    .startsWith("The held log's checkpoint");
            WebClient ann = again.connect("user=ann");
            ann.await(20);
            assertThat(ann.texts()).isEqualTo(envelopes(1, 20));
        }
    }

    private TestBridge start() throws Exception {
        BridgeConfig config = TestBridge.config(broker.config(), TestBridge.LONG, null);
        return TestBridge.start(config, RULES);
    }

    private static List<String> envelopes(int from, int to) {
        return IntStream.rangeClosed(from, to)
                .mapToObj(seq -> "{\"to\":\"user.ann\",\"type\":\"n\",\"payload\":{},\"seq\":" + seq + "}")
                .collect(Collectors.toList());
    }

    /** Leaves a log of many records of which few are needed. */
    private void releaseManyThenHoldSome(int held) throws Exception {
        try (TestBridge bridge = start()) {
            bridge.awaitReady();
        }
        HeldIndex index = fold();
        List<LogRecord> records = new ArrayList<>();
        long ordinal = index.ordinal();
        // As the owner that has just gone would have gone on.
        for (long id = 1; id <= RECORDS / 2; id++) {
            records.add(new LogRecord.Hold(
                    index.epoch(),
                    ++ordinal,
                    List.of(new LogRecord.Part(
                            "user.bob", List.of(new HeldMessage(id, Long.MAX_VALUE, id, new byte[0], new byte[10]))))));
            records.add(new LogRecord.Release(index.epoch(), ++ordinal, new long[] {id}));
        }
        publish(records);
        try (TestBridge bridge = start()) {
            bridge.awaitReady();
            for (String envelope : envelopes(1, held)) {
                broker.publish("user.ann", envelope);
            }
            Broker.await(held + " held", () -> bridge.bridge().stats().heldMessages() == held);
        }
    }

    private void publish(List<LogRecord> records) throws Exception {
        try (Channel channel = broker.connection().createChannel()) {
            channel.confirmSelect();
            for (LogRecord record : records) {
                channel.basicPublish(
                        "",
                        broker.prefix() + ".held",
                        new BasicProperties.Builder().deliveryMode(2).build(),
                        RecordCodec.encode(record));
            }
            channel.waitForConfirmsOrDie(Broker.PATIENCE.toMillis());
        }
    }

    /** The log from its first record to its end. */
    private HeldIndex fold() throws InterruptedException {
        HeldIndex index = new HeldIndex();
        CountDownLatch caughtUp = new CountDownLatch(1);
        LogListener listener = new LogListener() {
            @Override
            public void record(long offset, byte[] record, long writtenMillis) {
                if (RecordCodec.decode(record) instanceof Decoded.Known known) {
                    index.apply(offset, known.record());
                }
            }

            @Override
            public void truncated(TruncatedFrom gap) {
                throw new AssertionError(gap);
            }

            @Override
            public void caughtUp(long end) {
                caughtUp.countDown();
            }

            @Override
            public void replaced(String sentence) {
                throw new AssertionError(sentence);
            }

            @Override
            public void failed(RuntimeException cause) {
                throw new AssertionError(cause);
            }
        };
        BridgeConfig config = TestBridge.config(broker.config(), TestBridge.LONG, null);
        try (LogTail tail = new LogTail(
                config.amqp(),
                StreamHeldLog.settings(config.hold(), RULES),
                "test",
                (connection, stream, patience) -> -1,
                listener,
                new BrokerStatus())) {
            tail.start();
            assertThat(caughtUp.await(Broker.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
        return index;
    }
}
