package pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "192.0.2.128/25, 192.0.2.127, false",
        "192.0.2.128/25, 192.0.2.128, true",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.2, false",
        "0.0.0.0/0, 203.0.113.7, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::1, false",
        "::/0, 203.0.113.7, false",
    })
    void containsWhatSharesItsPrefix(String network, String address, boolean contained) throws Exception {
        assertThat(Network.parse(network).contains(InetAddress.getByName(address)))
                .isEqualTo(contained);
        assertThat(Network.parse(network))
                .hasToString(network.replace("::", network.equals("::/0") ? "0:0:0:0:0:0:0:0" : ":0:0:0:0:0:0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/a", "::/129"})
    void aPrefixLengthIsANumberOfItsBits(String text) {
        assertThatThrownBy(() -> Network.parse(text)).hasMessageContaining("prefix length");
    }

    @ParameterizedTest
    @ValueSource(strings = {"proxy.example", "localhost", "", "10.0.0", "1", "::g", "300.0.0.1"})
    void nobodyIsAskedForNames(String text) {
        assertThat(Network.literal(text)).isNull();
        assertThatThrownBy(() -> Network.parse(text)).hasMessageContaining("is no network");
    }

    @Test
    void bitsBehindThePrefixAreAMistake() {
        assertThatThrownBy(() -> Network.parse("10.0.0.1/8")).hasMessageContaining("behind its prefix");
    }
}
