package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import org.junit.jupiter.api.Test;

class Utf8CheckTest {

    @Test
    void everyCharacterIsUtf8() {
        for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
            if (point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE) {
                byte[] bytes = Character.toString(point).getBytes(UTF_8);
                assertThat(isUtf8(bytes)).as("U+%X", point).isTrue();
            }
        }
    }

    @Test
    void allSequencesOfThreeBytesAreJudgedAsTheJdkDoes() {
        byte[] bytes = new byte[3];
        for (int all = 0; all < 1 << 24; all++) {
            bytes[0] = (byte) (all >> 16);
            bytes[1] = (byte) (all >> 8);
            bytes[2] = (byte) all;
            if ((all & 0xFF) > 1 && (all & 0x3F) > 1) {
                continue; // the third byte: both ends of each quarter are enough
            }
            if (isUtf8(bytes) != jdkSaysSo(bytes)) {
                throw new AssertionError("%06x".formatted(all));
            }
        }
    }

    private static boolean isUtf8(byte[] bytes) {
        Utf8Check check = new Utf8Check();
        for (byte b : bytes) {
            if (!check.next(b & 0xFF)) {
                return false;
            }
        }
        return check.isWhole();
    }

    private static boolean jdkSaysSo(byte[] bytes) {
        try {
            UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
