package pushbridge.delivery;

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
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Reading;

/** Instructions taken, settled and acknowledged; by the instruction, the making of which counts too. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked // JMH sets the fields up
public class SettlementBenchmark {

    private static final int BATCH = 512;

    private final LoopBenchmark.CountingChannel channel = new LoopBenchmark.CountingChannel();
    private final Instruction[] batch = new Instruction[BATCH];
    private final LoopBenchmark.Body original = new LoopBenchmark.Body(new byte[0]);
    /** A refusal has no frame, so that none is encoded here. */
    private final Reading reading = new Reading.Refusal(DeadLetterReason.MALFORMED, "", null);

    private Settlement settlement;
    private long tag;

    /** Called by JMH. */
    @Setup
    public void prepare() {
        settlement = new Settlement(channel);
        tag = 0;
    }

    /** In the order of the deliveries: one acknowledgement for all. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long inOrder() {
        take();
        for (Instruction instruction : batch) {
            settlement.settle(instruction);
        }
        return flush();
    }

    /** The first is settled last: those behind it are acknowledged singly. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long behindOneThatLags() {
        take();
        for (int i = 1; i < BATCH; i++) {
            settlement.settle(batch[i]);
        }
        settlement.flush(true);
        settlement.settle(batch[0]);
        return flush();
    }

    private void take() {
        for (int i = 0; i < BATCH; i++) {
            batch[i] = new Instruction(channel, ++tag, original, reading, OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
            settlement.take(batch[i]);
        }
    }

    private long flush() {
        settlement.flush(true);
        if (settlement.unsettled() != 0) {
            throw new IllegalStateException(settlement.unsettled() + " are not settled");
        }
        return channel.highest;
    }
}
