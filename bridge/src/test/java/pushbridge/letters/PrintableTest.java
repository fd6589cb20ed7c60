package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nothing that a publisher wrote can do anything to an operator's terminal. */
final class PrintableTest {

    @ParameterizedTest
    @CsvSource({
        "x\u001b[31mred, x\\u001b[31mred",
        "\u009b2J, \\u009b2J",
        "a\u0007b, a\\u0007b",
        "user\u202egnp.exe, user\\u202egnp.exe",
        "\u2066x\u2069, \\u2066x\\u2069",
        "zero\u200bwidth, zero\\u200bwidth",
        "\ufeffbom, \\ufeffbom",
        "\u007f, \\u007f",
        "line\u2028end, line\\u2028end",
        "half \ud83d pair, half \\ud83d pair",
        "ä 👋 日本, ä 👋 日本",
        "👩\u200d🚀, 👩\u200d🚀",
    })
    void whatATerminalWouldObeyIsShown(String text, String shown) {
        assertThat(Printable.line(text)).isEqualTo(shown);
    }

    @Test
    void aLineStaysALine() {
        assertThat(Printable.line("a\nb\r\tc")).isEqualTo("a\\u000ab\\u000d\\u0009c");
        assertThat(Printable.lines("a\n\tb\r")).isEqualTo("a\n\tb\\u000d");
    }
}
