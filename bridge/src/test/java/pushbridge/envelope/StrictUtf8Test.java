package pushbridge.envelope;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StrictUtf8Test {

    @Test
    void everyCodePointIsUtf8() {
        List<String> refused = new ArrayList<>();
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE) {
                byte[] bytes = Character.toString(codePoint).getBytes(UTF_8);
                if (StrictUtf8.firstInvalid(bytes) != -1) {
                    refused.add("U+%X".formatted(codePoint));
                }
            }
        }
        assertThat(refused).isEmpty();
    }

    /** The decoder of the JDK is strict, so it must agree on every start of a sequence and on random tails. */
    @Test
    void agreesWithTheDecoderOfTheJdk() {
        Random random = new Random(20_261_121);
        List<String> disagreed = new ArrayList<>();
        for (int lead = 0x80; lead <= 0xFF; lead++) {
            for (int second = 0; second <= 0xFF; second++) {
                for (int length = 1; length <= 5; length++) {
                    byte[] bytes = new byte[length];
                    for (int i = 0; i < length; i++) {
                        bytes[i] = (byte) (0x80 + random.nextInt(0x40));
                    }
                    bytes[0] = (byte) lead;
                    if (length > 1) {
                        bytes[1] = (byte) second;
                    }
                    if (StrictUtf8.firstInvalid(bytes) < 0 != decodes(bytes)) {
                        disagreed.add(HexFormat.of().formatHex(bytes));
                    }
                }
            }
        }
        assertThat(disagreed).isEmpty();
    }

    @Test
    void tellsWhereTheInvalidSequenceBegins() {
        assertThat(StrictUtf8.firstInvalid(new byte[] {'a', (byte) 0xC3, (byte) 0xBC, (byte) 0xE2, (byte) 0x82}))
                .isEqualTo(3);
    }

    private static boolean decodes(byte[] bytes) {
        try {
            UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
