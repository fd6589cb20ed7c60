package pushbridge.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import pushbridge.config.OutboxConfig;

class OutboxTest {

    private final OutboxTotals totals = new OutboxTotals(Long.MAX_VALUE);
    private final Outbox outbox = new Outbox(new OutboxConfig(100, 10_000, 25), totals);

    @Test
    void framesComeOutInTheOrderTheyWentIn() {
        List<Frame> offered = new ArrayList<>();
        List<Frame> taken = new ArrayList<>();
        // More rounds than the ring is long, so that it wraps and grows at every position.
        for (int round = 0; round < 50; round++) {
            for (int i = 0; i < 1 + round % 7; i++) {
                Frame frame = frame(10);
                offered.add(frame);
                assertThat(outbox.offer(frame)).isTrue();
            }
            if (round % 3 == 2) {
                taken.addAll(takeAndRelease());
            }
        }
        taken.addAll(takeAndRelease());

        assertThat(taken).containsExactlyElementsOf(offered);
    }

    @Test
    void refusesWhatIsBeyondTheBoundInFramesAndInBytes() { // I5
        for (int i = 0; i < 100; i++) {
            assertThat(outbox.offer(frame(10))).isTrue();
        }
        assertThat(outbox.offer(frame(10))).isFalse();
        assertThat(outbox.pendingFrames()).isEqualTo(100);

        Outbox small = new Outbox(new OutboxConfig(100, 1_000, 25), totals);
        assertThat(small.offer(frame(600))).isTrue();
        assertThat(small.offer(frame(401))).isFalse();
        assertThat(small.offer(frame(400))).isTrue();
        assertThat(small.pendingBytes()).isEqualTo(1_000);
    }

    @Test
    void anEmptyOutboxTakesEvenAFrameLargerThanItsBound() {
        Outbox small = new Outbox(new OutboxConfig(100, 1_000, 25), totals);

        assertThat(small.offer(frame(5_000))).isTrue();
        assertThat(small.offer(frame(10))).isFalse();
        assertThat(small.take()).hasSize(1);
    }

    @Test
    void aBatchIsBoundedInFramesAndBytesButHoldsOneFrameAlways() {
        Outbox large = new Outbox(new OutboxConfig(1_000, 1 << 20, 25), totals);
        Frame huge = frame(100_000);
        large.offer(huge);
        for (int i = 0; i < 4; i++) {
            large.offer(frame(30_000));
        }
        for (int i = 0; i < 70; i++) {
            large.offer(frame(10));
        }

        assertThat(large.take()).containsExactly(huge);
        large.release();
        assertThat(large.take()).hasSize(2);
        large.release();
        assertThat(large.take()).hasSize(Outbox.BATCH_FRAMES);
        large.release();
        assertThat(large.take()).hasSize(10 - 2 + 2 - 2);
    }

    @Test
    void aBatchCountsUntilItIsReleased() {
        outbox.offer(frame(10));
        outbox.take();
        assertThat(outbox.hasQueued()).isFalse();
        assertThat(outbox.pendingBytes()).isEqualTo(10);
        assertThat(totals.bytes()).isEqualTo(10);
        assertThatThrownBy(outbox::take).isInstanceOf(IllegalStateException.class);

        outbox.release();
        outbox.release();

        assertThat(outbox.pendingBytes()).isZero();
        assertThat(outbox.pendingFrames()).isZero();
        assertThat(totals.bytes()).isZero();
    }

    @Test
    void aFullOutboxStillTakesAFewReplies() {
        while (outbox.offer(frame(10))) {
            assertThat(outbox.pendingFrames()).isLessThanOrEqualTo(100);
        }

        for (int i = 0; i < Outbox.REPLY_FRAMES; i++) {
            assertThat(outbox.reply(frame(10))).isTrue();
        }
        assertThat(outbox.reply(frame(10))).isFalse();
        assertThat(outbox.offer(frame(10))).isFalse();
    }

    @Test
    void aReleaseTellsOnceThatAFrameHadBeenRefused() {
        while (outbox.offer(frame(10))) {
            assertThat(outbox.pendingFrames()).isLessThanOrEqualTo(100);
        }
        outbox.take();
        assertThat(outbox.release()).isTrue();
        outbox.take();
        assertThat(outbox.release()).isFalse();
    }

    @Test
    void closingDropsWhatIsQueuedAndLeavesOnlyTheBatchCounted() {
        for (int i = 0; i < 70; i++) {
            outbox.offer(frame(10));
        }
        outbox.take();

        outbox.close();

        assertThat(totals.bytes()).isEqualTo(64 * 10);
        assertThat(outbox.offer(frame(10))).isFalse();
        assertThat(outbox.reply(frame(10))).isFalse();
        outbox.release();
        assertThat(totals.bytes()).isZero();
        outbox.close();
        assertThat(totals.bytes()).isZero();
        assertThat(outbox.take()).isEmpty();
    }

    @Test
    void nothingIsLostOrCountedTwiceWhileManyOfferAndOneTakes() throws Exception {
        int producers = 3;
        int each = 20_000;
        ExecutorService threads = Executors.newFixedThreadPool(producers);
        AtomicLong offered = new AtomicLong();
        CountDownLatch running = new CountDownLatch(producers);
        List<Future<?>> futures = new ArrayList<>();
        for (int p = 0; p < producers; p++) {
            int producer = p;
            futures.add(threads.submit(() -> {
                for (int i = 0; i < each; i++) {
                    Frame frame = numbered(producer, i);
                    if (i % 100 == 99 ? outbox.reply(frame) : outbox.offer(frame)) {
                        offered.incrementAndGet();
                    }
                }
                running.countDown();
            }));
        }
        int[] last = {-1, -1, -1};
        long taken = 0;
        while (running.getCount() > 0 || outbox.hasQueued()) {
            for (Frame frame : outbox.take()) {
                ByteBuffer payload = frame.bytes().position(2);
                int producer = payload.get() - '0';
                int number = Integer.parseInt(
                        StandardCharsets.US_ASCII.decode(payload).toString().trim());
                assertThat(number).isGreaterThan(last[producer]);
                last[producer] = number;
                taken++;
            }
            outbox.release();
        }
        for (Future<?> future : futures) {
            future.get(10, TimeUnit.SECONDS);
        }
        threads.shutdown();

        assertThat(taken).isEqualTo(offered.get());
        assertThat(totals.bytes()).isZero();
        assertThat(outbox.pendingFrames()).isZero();
    }

    @Test
    void totalsAreExactWhenItIsClosedInTheMiddleOfItAll() throws Exception {
        for (int round = 0; round < 200; round++) {
            Outbox box = new Outbox(new OutboxConfig(100, 10_000, 25), totals);
            Thread producer = new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    box.offer(frame(10));
                }
            });
            Thread consumer = new Thread(() -> {
                for (int i = 0; i < 20; i++) {
                    box.take();
                    box.release();
                }
            });
            producer.start();
            consumer.start();
            box.close();
            producer.join();
            consumer.join();
        }
        assertThat(totals.bytes()).isZero();
    }

    private List<Frame> takeAndRelease() {
        List<Frame> all = new ArrayList<>();
        for (List<Frame> batch = outbox.take(); !batch.isEmpty(); batch = outbox.take()) {
            all.addAll(batch);
            outbox.release();
        }
        return all;
    }

    private static Frame numbered(int producer, int number) {
        return Frame.text(producer + "%07d".formatted(number));
    }

    /** A frame of so many bytes in all. */
    private static Frame frame(int size) {
        int header = size < 128 ? 2 : size < 65_540 ? 4 : 10;
        return Frame.envelope(new byte[size - header], true);
    }
}
