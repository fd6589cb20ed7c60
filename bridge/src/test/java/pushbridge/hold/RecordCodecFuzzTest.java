package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** No bytes in the log do harm, and what was understood says the same when it is written again. */
class RecordCodecFuzzTest {

    @FuzzTest(maxDuration = "10s")
    void anyBytesAreARecordOrSkipped(byte[] bytes) {
        Decoded decoded = RecordCodec.decode(bytes);
        if (decoded instanceof Decoded.Known known) {
            assertThat(RecordCodec.encode(known.record())).isEqualTo(bytes);
        } else if (decoded instanceof Decoded.Corrupt corrupt) {
            assertThat(corrupt.reason()).isNotBlank();
        }
    }
}
