package pushbridge.envelope;

import java.nio.charset.StandardCharsets;
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
import pushbridge.config.MessageConfig;

/** A body read and checked: in one pass, as nearly all are, and by parser and schema validator, as the unusual ones are. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked // JMH sets the fields up
public class ReadingBenchmark {

    private static final String KEY = "user.123";

    /** How long the body is. */
    @Param({"175", "4096"})
    public int bytes;

    private EnvelopeReader reader;
    private byte[] addressed;
    private byte[] unaddressed;

    /** Called by JMH; fails when what is to be measured would not be. */
    @Setup
    public void prepare() throws SchemaFileException {
        reader = new EnvelopeReader(new MessageConfig(64 * 1024, 32, null));
        addressed = body("\"to\":\"" + KEY + "\",");
        unaddressed = body("");
        for (byte[] body : new byte[][] {addressed, unaddressed}) {
            if (reader.readPlain(KEY, body) == null || !(reader.readThoroughly(KEY, body) instanceof Envelope)) {
                throw new IllegalStateException("not an ordinary envelope any more");
            }
        }
    }

    private byte[] body(String to) {
        String start = "{" + to + "\"type\":\"note\",\"seq\":1764300000000000,\"payload\":{\"at\":1,\"text\":\"";
        String end = "\"}}";
        return (start + "x".repeat(bytes - start.length() - end.length()) + end).getBytes(StandardCharsets.UTF_8);
    }

    /** The publisher has put the address into the body. */
    @Benchmark
    public Reading onePass() {
        return reader.read("push", KEY, addressed);
    }

    /** The bridge puts it in. */
    @Benchmark
    public Reading onePassAddingTheAddress() {
        return reader.read("push", KEY, unaddressed);
    }

    @Benchmark
    public Reading byParserAndSchema() {
        return reader.readThoroughly(KEY, addressed);
    }
}
