package pushbridge.outbox;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A body made into a frame, once a message, and put behind others in a buffer, once a client. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked // JMH sets the fields up
public class FrameBenchmark {

    /** How long the body is. */
    @Param({"175", "4096"})
    public int bytes;

    private byte[] body;
    private Frame frame;
    private ByteBuffer buffer;

    /** Called by JMH. */
    @Setup
    public void prepare() {
        body = new byte[bytes];
        Arrays.fill(body, (byte) 'x');
        frame = Frame.envelope(body, true);
        buffer = ByteBuffer.allocateDirect(frame.size());
    }

    @Benchmark
    public Frame encode() {
        return Frame.envelope(body, true);
    }

    @Benchmark
    public ByteBuffer copy() {
        buffer.clear();
        frame.copyTo(buffer);
        return buffer;
    }
}
