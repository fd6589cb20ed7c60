package pushbridge.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;

/** No text from a client does harm: it is a frame, or an answer says what is wrong with it. */
class ClientFrameFuzzTest {

    private static final ClientFrameReader READER = new ClientFrameReader();

    @FuzzTest(maxDuration = "10s")
    void anyTextIsReadOrAnswered(byte[] bytes) {
        ClientFrame frame = READER.read(new String(bytes, StandardCharsets.UTF_8));
        if (frame instanceof ClientFrame.Invalid invalid) {
            assertThat(ServerFrames.error(invalid.code(), invalid.detail(), invalid.seq()))
                    .isNotBlank();
        }
    }
}
