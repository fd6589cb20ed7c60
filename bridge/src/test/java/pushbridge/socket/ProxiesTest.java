package pushbridge.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.config.Network;
import pushbridge.config.ProxyConfig;
import pushbridge.config.ProxyConfig.Header;

class ProxiesTest {

    private static final String PROXY = "10.0.0.9";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10.0.0.9  | 203.0.113.7                              | 203.0.113.7   | one proxy",
                "10.0.0.9  | 203.0.113.7, 10.0.0.8                    | 203.0.113.7   | two proxies of ours",
                "10.0.0.9  | 1.1.1.1, 203.0.113.7, 10.0.0.8           | 203.0.113.7   | what stands before the client is its invention",
                "10.0.0.9  | 10.0.0.1, 203.0.113.7                    | 203.0.113.7   | it may invent one of our proxies too",
                "10.0.0.9  | 203.0.113.7:4711                         | 203.0.113.7   | some proxies add the port",
                "10.0.0.9  | [2001:db8::7]:4711                       | 2001:db8:0:0:0:0:0:7 | also to IPv6",
                "10.0.0.9  | 2001:db8::7                              | 2001:db8:0:0:0:0:0:7 | without a port",
                "10.0.0.9  | 203.0.113.7, unknown                     | 10.0.0.9      | nobody knows whom",
                "10.0.0.9  | 203.0.113.7, evil.example                | 10.0.0.9      | a name is no address",
                "10.0.0.9  | 203.0.113.7, 300.1.1.1                   | 10.0.0.9      | nor is this",
                "10.0.0.9  | ,,                                       | 10.0.0.9      | nothing at all",
                "10.0.0.9  | 10.0.0.7, 10.0.0.8                       | 10.0.0.7      | a client within our own network",
                "192.0.2.1 | 203.0.113.7                              | 192.0.2.1     | not from a trusted proxy",
            })
    void theLastHopThatIsNoTrustedProxyIsTheClient(String peer, String header, String client, String why)
            throws Exception {
        assertThat(clientOf(Header.X_FORWARDED_FOR, peer, "x-forwarded-for", header)
                        .getHostAddress())
                .as(why)
                .isEqualTo(client);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "for=203.0.113.7;proto=https;host=push.example           | 203.0.113.7",
                "For=\"[2001:db8:cafe::17]:4711\"                        | 2001:db8:cafe:0:0:0:0:17",
                "for=1.1.1.1, for=203.0.113.7, for=10.0.0.8              | 203.0.113.7",
                "for=203.0.113.7, for=_hidden                            | 10.0.0.9",
                "for=203.0.113.7, proto=https                            | 10.0.0.9",
                "by=\"a,for=1.1.1.1\";for=203.0.113.7                    | 203.0.113.7",
                "for=\"203.0.113.7                                       | 10.0.0.9",
            })
    void forwardedIsReadAsItsRfcSays(String header, String client) throws Exception {
        assertThat(clientOf(Header.FORWARDED, PROXY, "forwarded", header).getHostAddress())
                .isEqualTo(client);
    }

    @Test
    void onlyTheConfiguredHeaderCounts() throws Exception { // a proxy hands on the others as the client sent them
        assertThat(clientOf(Header.X_REAL_IP, PROXY, "x-forwarded-for", "1.1.1.1")
                        .getHostAddress())
                .isEqualTo(PROXY);
        assertThat(clientOf(Header.X_FORWARDED_FOR, PROXY, "forwarded", "for=1.1.1.1")
                        .getHostAddress())
                .isEqualTo(PROXY);
        assertThat(clientOf(Header.X_REAL_IP, PROXY, "x-real-ip", "203.0.113.7").getHostAddress())
                .isEqualTo("203.0.113.7");
    }

    @Test
    void severalLinesOfAHeaderAreOneList() throws Exception {
        Map<String, List<String>> headers = Map.of("x-forwarded-for", List.of("1.1.1.1", "203.0.113.7", "10.0.0.8"));
        assertThat(proxies(Header.X_FORWARDED_FOR).clientOf(address(PROXY), headers))
                .isEqualTo(address("203.0.113.7"));
    }

    @Test
    void whatOnlyAProxyMaySayIsTakenFromEverybodyElse() throws Exception {
        Map<String, List<String>> headers = claims();
        proxies(Header.X_FORWARDED_FOR).settle(address("192.0.2.1"), headers);
        assertThat(headers)
                .isEqualTo(Map.of("host", List.of("internal:8080"), "origin", List.of("https://push.example")));
    }

    @Test
    void aTrustedProxyTellsWhichHostTheClientAskedFor() throws Exception {
        Map<String, List<String>> headers = claims();
        proxies(Header.X_FORWARDED_FOR).settle(address(PROXY), headers);
        assertThat(headers).containsEntry("host", List.of("push.example")).containsKey("x-forwarded-proto");

        headers = claims();
        proxies(Header.FORWARDED).settle(address(PROXY), headers);
        assertThat(headers).containsEntry("host", List.of("forwarded.example"));
    }

    @Test
    void anEndlessListCostsNoMoreThanItsEnd() throws Exception {
        assertThat(clientOf(Header.X_FORWARDED_FOR, PROXY, "x-forwarded-for", "10.0.0.1, ".repeat(100_000)))
                .isEqualTo(address("10.0.0.1"));
    }

    private static Map<String, List<String>> claims() {
        Map<String, List<String>> headers = new HashMap<>();
        headers.put("host", List.of("internal:8080"));
        headers.put("origin", List.of("https://push.example"));
        headers.put("x-forwarded-host", List.of("evil.example, push.example"));
        headers.put("x-forwarded-proto", List.of("https"));
        headers.put("x-forwarded-for", List.of("1.1.1.1"));
        headers.put("x-real-ip", List.of("1.1.1.1"));
        headers.put("forwarded", List.of("for=1.1.1.1;host=\"forwarded.example\""));
        return headers;
    }

    private static InetAddress clientOf(Header which, String peer, String name, String value) throws Exception {
        return proxies(which).clientOf(address(peer), Map.of(name, List.of(value)));
    }

    private static Proxies proxies(Header header) {
        return new Proxies(new ProxyConfig(List.of(Network.parse("10.0.0.0/8")), header, false));
    }

    private static InetAddress address(String text) {
        return Objects.requireNonNull(Network.literal(text));
    }
}
