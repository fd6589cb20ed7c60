package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LetterJsonTest {

    private static Letter letter(byte[] body) {
        Map<String, Object> headers = new LinkedHashMap<>();
        headers.put("text", "ä \u001b");
        headers.put("number", 1L << 60);
        headers.put("fraction", 1.5);
        headers.put("flag", true);
        headers.put("time", Date.from(Instant.ofEpochSecond(5)));
        headers.put("bytes", "$bytes");
        headers.put("decimal", new BigDecimal("1.20"));
        headers.put("list", List.of("a", 1L, Map.of("inner", "b")));
        return new Letter(
                "0123456789ab",
                LetterQueue.EXPIRED,
                "expired",
                "late",
                null,
                null,
                Instant.ofEpochMilli(1_234),
                null,
                3,
                "",
                "q",
                List.of("first", "second"),
                Map.of("messageId", "m", "timestamp", 5L),
                headers,
                body);
    }

    private static Letter roundTrip(Letter letter) throws Exception {
        return LetterJson.letter(LetterJson.parse(LetterJson.line(LetterJson.full(letter)), "a line"));
    }

    @Test
    void aLetterComesBackAsItWas() throws Exception {
        Letter letter = letter("{\"a\":\"ä 👋 \u0001\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(roundTrip(letter)).usingRecursiveComparison().isEqualTo(letter);
    }

    @Test
    void bytesThatAreNoTextComeBackAsTheyWere() throws Exception {
        byte[] body = {0, (byte) 0xff, (byte) 0xfe, 13, 10};
        assertThat(roundTrip(letter(body)).body()).isEqualTo(body);
        Map<String, Object> headers = Map.of("b", new byte[] {1, (byte) 0x80});
        Letter letter = letter(body);
        Letter withBytes = new Letter(
                letter.id(),
                letter.queue(),
                "r",
                "",
                null,
                null,
                letter.failedAt(),
                null,
                0,
                "",
                "",
                List.of(),
                Map.of(),
                headers,
                body);
        assertThat(roundTrip(withBytes).headers().get("b")).isEqualTo(new byte[] {1, (byte) 0x80});
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"id\":\"xyz\",\"queue\":\"dead\",\"reason\":\"r\",\"failedAt\":\"1970-01-01T00:00:00Z\",\"body\":\"\"}",
                "{\"id\":\"0123456789ab\",\"queue\":\"other\",\"reason\":\"r\",\"failedAt\":\"1970-01-01T00:00:00Z\",\"body\":\"\"}",
                "{\"id\":\"0123456789ab\",\"queue\":\"dead\",\"reason\":\"r\",\"failedAt\":\"yesterday\",\"body\":\"\"}",
                "{\"id\":\"0123456789ab\",\"queue\":\"dead\",\"reason\":\"r\",\"failedAt\":\"1970-01-01T00:00:00Z\",\"bodyBase64\":\"?\"}",
                "[]",
                "{"
            })
    void whatIsNoLetterIsRefused(String line) {
        assertThatThrownBy(() -> LetterJson.letter(LetterJson.parse(line, "it")))
                .isInstanceOf(LetterException.class);
    }

    @Test
    void requestsComeBackAsTheyWere() throws Exception {
        Filter filter = new Filter(
                List.of("ab"),
                List.of("offline"),
                List.of("a*"),
                List.of("user.*"),
                Instant.EPOCH,
                Instant.ofEpochSecond(9),
                "Text");
        assertThat(LetterJson.filter(LetterJson.filter(filter))).isEqualTo(filter);
        assertThat(LetterJson.filter(LetterJson.filter(Filter.ALL)).isAll()).isTrue();
        Replay replay = new Replay(
                "user.z",
                JsonPatch.parse("[{\"op\":\"remove\",\"path\":\"/a\"}]"),
                new byte[] {1},
                Duration.ofSeconds(1),
                true);
        assertThat(LetterJson.replay(LetterJson.replay(LetterJson.replay(replay))))
                .isEqualTo(LetterJson.replay(replay));
        assertThat(LetterJson.replay(LetterJson.replay(Replay.PLAIN))).isEqualTo(Replay.PLAIN);
    }
}
