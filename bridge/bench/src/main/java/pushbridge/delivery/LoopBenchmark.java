package pushbridge.delivery;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
import pushbridge.config.DeliveryConfig;
import pushbridge.config.HoldConfig;
import pushbridge.envelope.Address;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.hold.KeepingRules;

/**
 * The loop's work for a message, from the instruction to its acknowledgement, without broker and sockets: the clients take
 * everything and the channel throws acknowledgements away.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked // JMH sets the fields up
public class LoopBenchmark {

    private static final int BATCH = 64;
    private static final int CLIENTS = 1_000;

    private final LoopQueue queue = new LoopQueue();
    private final CountingChannel channel = new CountingChannel();
    private final List<Session> sessions = new ArrayList<>();
    private DeliveryCore core;
    private Envelope toOne;
    private Envelope toAll;
    private long tag;
    private long confirmed;

    /** Called by JMH. */
    @Setup
    public void prepare() throws Address.InvalidAddressException {
        core = new DeliveryCore(
                new DeliveryConfig(BATCH, 256 * 1024, Duration.ofMinutes(1), Duration.ofSeconds(2), 32, 100, 1_000),
                Clock.system(),
                new NoCopies(),
                receipt -> {
                    throw new IllegalStateException("nobody asked for a receipt");
                },
                new Holding(
                        new HoldConfig(Duration.ofHours(1), 1, 1, 1, 1, 1),
                        null,
                        new KeepingRules(7, 1 << 20, 2, 300, Duration.ofDays(1), 3, 1_000)),
                queue,
                new DeliveryStats(0),
                LaneWatch.NOBODY);
        for (int i = 0; i < CLIENTS; i++) {
            Session session = new Session("c" + i, "u" + i, Confirmation.WRITTEN, new BlackHoleSink(), queue, 32);
            sessions.add(session);
            core.open(session, List.of());
        }
        turn();
        byte[] body = ("{\"type\":\"note\",\"seq\":1,\"payload\":{\"text\":\"" + "x".repeat(130) + "\"}}")
                .getBytes(StandardCharsets.UTF_8);
        toOne = new Envelope(Address.parse("user.u1"), "note", 1, body);
        toAll = new Envelope(Address.parse("all"), "note", 1, body);
    }

    /** To one user each, a batch at a time, and confirmed at once; by the message. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long one() {
        for (int i = 0; i < BATCH; i++) {
            queue.take(instruction(toOne, OfflinePolicy.HOLD));
        }
        turn();
        confirmed += BATCH;
        sessions.get(1).confirmed(confirmed);
        turn();
        return acknowledged();
    }

    /** To all of a thousand; by the frame. */
    @Benchmark
    @OperationsPerInvocation(CLIENTS)
    public long fanOut() {
        queue.take(instruction(toAll, OfflinePolicy.DROP));
        turn();
        return acknowledged();
    }

    private Instruction instruction(Envelope envelope, OfflinePolicy policy) {
        return new Instruction(channel, ++tag, new Body(envelope.body()), envelope, policy, Instruction.NEVER);
    }

    /** One turn of the loop, as {@link DeliveryLoop} makes it. */
    private void turn() {
        for (LoopEvent event = queue.nextEvent(); event != null; event = queue.nextEvent()) {
            event.run(core);
        }
        while (core.takesInstructions()) {
            Instruction instruction = queue.nextInstruction();
            if (instruction == null) {
                break;
            }
            core.take(instruction);
        }
        core.endBatch();
    }

    /** Fails when a message was not settled: then something else was measured. */
    private long acknowledged() {
        if (channel.highest != tag) {
            throw new IllegalStateException("acknowledged up to " + channel.highest + " of " + tag);
        }
        return tag;
    }

    record Body(byte[] body) implements Original {
        @Override
        public byte[] serialized() {
            return new byte[0];
        }

        @Override
        public boolean redelivered() {
            return false;
        }

        @Override
        public String messageId() {
            return null;
        }
    }

    /** Throws acknowledgements away. */
    static final class CountingChannel implements IntakeChannel {
        long highest;

        @Override
        public long generation() {
            return 1;
        }

        @Override
        public int atMostInHand() {
            return 4_096;
        }

        @Override
        public void ack(long tag, boolean multiple) {
            highest = tag;
        }

        @Override
        public void flush() {
            // there is no broker
        }
    }

    private static final class BlackHoleSink implements FrameSink {
        private long offered;

        @Override
        public boolean offer(pushbridge.outbox.Frame frame) {
            offered++;
            return true;
        }

        @Override
        public boolean reply(pushbridge.outbox.Frame frame) {
            return true;
        }

        @Override
        public void flush() {
            // everything has gone already
        }

        @Override
        public long written() {
            return offered;
        }

        @Override
        public boolean isBlocked() {
            return false;
        }

        @Override
        public long pendingBytes() {
            return 0;
        }

        @Override
        public void close(CloseCode code) {
            throw new IllegalStateException("closed with " + code);
        }
    }

    private static final class NoCopies implements Copies {
        @Override
        public void dead(Instruction instruction, DeadLetterReason reason, String detail) {
            throw new IllegalStateException(detail);
        }

        @Override
        public void expired(Instruction instruction) {
            throw new IllegalStateException("expired");
        }
    }
}
