package pushbridge.envelope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.envelope.Address.InvalidAddressException;
import pushbridge.envelope.Address.Kind;

class AddressTest {

    @ParameterizedTest
    @CsvSource({
        "user.42, USER, 42",
        "channel.news, CHANNEL, news",
        "connection.f00d, CONNECTION, f00d",
        "user.a.b, USER, a.b",
        "user.., USER, .",
        "user.all, USER, all",
        "user.jörg 🦊, USER, jörg 🦊",
    })
    void idIsEverythingAfterTheFirstDot(String text, Kind kind, String id) throws Exception {
        assertThat(Address.parse(text)).isEqualTo(new Address(kind, id, text)).hasToString(text);
    }

    @Test
    void allHasNoId() throws Exception {
        assertThat(Address.parse("all")).isEqualTo(new Address(Kind.ALL, "", "all"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "user",
                "user.",
                "channel.",
                "connection.",
                "all.",
                "all.x",
                "ALL",
                "User.1",
                ".1",
                "room.7"
            })
    void whatNamesNobodyIsRefused(String text) {
        refused(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"user.\0", "user.a\nb", "user.\u001f", "user.\u007f", "user.\u0085", "all\n", "user.a\r"})
    void controlCharactersAreRefusedAndNotRepeated(String text) {
        assertThat(refused(text).chars()).noneMatch(Character::isISOControl);
    }

    @ParameterizedTest
    @ValueSource(strings = {"user.\ud800", "user.\udc00x", "user.\udc00\ud800", "user.\ud83d\ud83d\ude00"})
    void halvesOfSurrogatePairsAreRefused(String text) {
        assertThat(refused(text)).contains("surrogate");
    }

    @ParameterizedTest
    @CsvSource({"x, 250", "ü, 125", "世, 83", "😀, 62"})
    void limitIs255BytesOfUtf8(String character, int fitting) throws Exception {
        String longest = "user." + character.repeat(fitting);
        assertThat(Address.parse(longest).text()).isEqualTo(longest);
        assertThat(refused("user." + character.repeat(fitting + 1))).contains("255 bytes");
    }

    private static String refused(String text) {
        InvalidAddressException[] refusal = new InvalidAddressException[1];
        assertThatThrownBy(() -> Address.parse(text))
                .isInstanceOfSatisfying(InvalidAddressException.class, e -> refusal[0] = e);
        return String.valueOf(refusal[0].getMessage());
    }
}
