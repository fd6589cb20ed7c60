package pushbridge.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ServedFileTest {

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "br, gzip", "GZIP", "deflate,gzip;q=0.5", "gzip ; q=1.0"})
    void gzipIsSentToWhoTakesIt(String header) {
        assertThat(ServedFile.takesGzip(header)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip"})
    void andToNobodyElse(String header) {
        assertThat(ServedFile.takesGzip(header)).isFalse();
    }

    @Test
    void norToWhoSaysNothing() {
        assertThat(ServedFile.takesGzip(null)).isFalse();
    }
}
