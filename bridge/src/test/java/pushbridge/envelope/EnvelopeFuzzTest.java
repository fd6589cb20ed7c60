package pushbridge.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import pushbridge.config.MessageConfig;

/** No body does harm: it is an envelope or refused with a sentence. */
class EnvelopeFuzzTest {

    private static final EnvelopeReader READER = reader();

    private static EnvelopeReader reader() {
        try {
            return new EnvelopeReader(new MessageConfig(4_096, 16, null));
        } catch (SchemaFileException e) {
            throw new IllegalStateException(e);
        }
    }

    @FuzzTest(maxDuration = "10s")
    void anyBodyIsReadOrRefused(byte[] body) {
        for (String exchange : new String[] {"push", ""}) {
            if (READER.read(exchange, "user.1", body) instanceof Reading.Refusal refusal) {
                assertThat(refusal.detail()).isNotBlank();
            }
        }
    }
}
