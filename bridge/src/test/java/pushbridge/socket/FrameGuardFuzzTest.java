package pushbridge.socket;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;

/** No bytes of a client do harm, and how TCP cuts them does not change the verdict. */
class FrameGuardFuzzTest {

    @FuzzTest(maxDuration = "10s")
    void theVerdictDoesNotDependOnHowTheStreamIsCut(byte[] stream) {
        FrameGuard whole = new FrameGuard(300);
        int passed = whole.scan(ByteBuffer.wrap(stream));
        FrameGuard single = new FrameGuard(300);
        int singles = 0;
        for (int i = 0; i < stream.length; i++) {
            singles += single.scan(ByteBuffer.wrap(stream, i, 1));
        }
        assertThat(singles).isEqualTo(passed).isLessThanOrEqualTo(stream.length);
        assertThat(single.violation()).isEqualTo(whole.violation());
        assertThat(single.closeSeen()).isEqualTo(whole.closeSeen());
        assertThat(single.framesSince()).isEqualTo(whole.framesSince());
    }
}
