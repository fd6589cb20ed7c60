package pushbridge.outbox;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;
import pushbridge.config.OutboxConfig;

/** Frames put into an outbox and taken out of it again: one at a time, and by the batch; by one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked // JMH sets the fields up
public class OutboxBenchmark {

    private static final int BATCH = Outbox.BATCH_FRAMES;

    private Outbox outbox;
    private Frame frame;

    /** Called by JMH. */
    @Setup
    public void prepare() {
        outbox = new Outbox(new OutboxConfig(1_000, 1 << 20, 50), new OutboxTotals(1 << 30));
        frame = Frame.envelope(new byte[175], false);
    }

    @Benchmark
    public void one(Blackhole sink) {
        offer();
        drain(1, sink);
    }

    /** By the frame. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void batch(Blackhole sink) {
        for (int i = 0; i < BATCH; i++) {
            offer();
        }
        drain(BATCH, sink);
    }

    private void offer() {
        if (!outbox.offer(frame)) {
            throw new IllegalStateException("full");
        }
    }

    private void drain(int frames, Blackhole sink) {
        var taken = outbox.take();
        if (taken.size() != frames) {
            throw new IllegalStateException("took " + taken.size());
        }
        sink.consume(taken);
        outbox.release();
    }
}
