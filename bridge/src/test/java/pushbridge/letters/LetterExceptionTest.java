package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LetterExceptionTest {

    @ParameterizedTest
    @CsvSource({
        "400, INVALID",
        "401, REFUSED",
        "403, REFUSED",
        "404, NOT_FOUND",
        "409, LOCKED",
        "500, UNAVAILABLE",
        "503, UNAVAILABLE"
    })
    void whatABridgeAnswersIsAKindOfObstacle(int status, LetterException.Kind kind) {
        assertThat(LetterException.Kind.of(status)).isEqualTo(kind);
    }
}
