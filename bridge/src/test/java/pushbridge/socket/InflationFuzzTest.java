package pushbridge.socket;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Whatever a client compresses, no more comes out than a message may have, and how TCP cuts it changes nothing. */
class InflationFuzzTest {

    private static final int MAX = 300;

    @FuzzTest(maxDuration = "10s")
    void theVerdictDoesNotDependOnHowTheStreamIsCut(byte[] stream) {
        Inflation whole = new Inflation(MAX);
        ByteBuffer plain = whole.plain(ByteBuffer.wrap(stream));
        Inflation single = new Inflation(MAX);
        ByteArrayOutputStream singles = new ByteArrayOutputStream();
        for (int i = 0; i < stream.length; i++) {
            ByteBuffer more = single.plain(ByteBuffer.wrap(stream, i, 1));
            // I5: one message, its header, and the header of a frame that was cut
            assertThat(more.remaining()).isLessThanOrEqualTo(MAX + 1 + 28);
            byte[] piece = new byte[more.remaining()];
            more.get(piece);
            singles.writeBytes(piece);
        }
        byte[] bytes = new byte[plain.remaining()];
        plain.get(bytes);
        assertThat(singles.toByteArray()).isEqualTo(bytes);
        assertThat(single.violation()).isEqualTo(whole.violation());
        assertThat(single.framesSince()).isEqualTo(whole.framesSince());
    }
}
