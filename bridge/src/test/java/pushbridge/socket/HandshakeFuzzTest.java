package pushbridge.socket;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import pushbridge.config.Network;
import pushbridge.config.ProxyConfig;
import pushbridge.config.ProxyConfig.Header;

/** No request, header or PROXY header does harm. */
class HandshakeFuzzTest {

    private static final String REQUEST = """
            GET /ws HTTP/1.1
            Host: localhost
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            Sec-WebSocket-Version: 13
            """.replace("\n", "\r\n");

    private static final TestListener LISTENER = new TestListener();

    private static final Proxies FORWARDED =
            new Proxies(new ProxyConfig(List.of(Network.parse("0.0.0.0/0")), Header.FORWARDED, true));
    private static final Proxies FORWARDED_FOR =
            new Proxies(new ProxyConfig(List.of(Network.parse("10.0.0.0/8")), Header.X_FORWARDED_FOR, true));

    @AfterAll
    static void stop() {
        LISTENER.close();
    }

    /** The first byte says what the others are: most are cheap, one in eight goes to the listener itself. */
    @FuzzTest(maxDuration = "10s")
    void anyHandshakeIsAnsweredOrEnded(byte[] input) throws IOException {
        BugDetectors.allowNetworkConnections(); // to the listener of this very test
        if (input.length == 0) {
            return;
        }
        byte[] bytes = java.util.Arrays.copyOfRange(input, 1, input.length);
        if ((input[0] & 7) == 0) {
            request(bytes);
            return;
        }
        ProxyHeader header = ProxyHeader.read(ByteBuffer.wrap(bytes));
        if (header instanceof ProxyHeader.Whole whole) {
            assertThat(whole.length()).isBetween(1, bytes.length);
        }
        String text = new String(bytes, ISO_8859_1);
        InetAddress peer = InetAddress.getByName("10.0.0.1");
        Map<String, List<String>> headers = Map.of("forwarded", List.of(text), "x-forwarded-for", List.of(text));
        assertThat(Addresses.of(FORWARDED.clientOf(peer, headers))).isNotBlank();
        assertThat(Addresses.of(FORWARDED_FOR.clientOf(peer, headers))).isNotBlank();
        FORWARDED.settle(peer, new java.util.HashMap<>(headers));
    }

    /** Sends headers of a handshake that is good but for them; the answer must not be a failure of ours. */
    private static void request(byte[] headers) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), LISTENER.port()), 10_000);
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(REQUEST.getBytes(ISO_8859_1));
            socket.getOutputStream().write(headers);
            socket.getOutputStream().write("\r\n\r\n".getBytes(ISO_8859_1));
            socket.shutdownOutput();
            InputStream in = socket.getInputStream();
            String answer = new String(in.readNBytes(12), ISO_8859_1);
            assertThat(answer).doesNotContain(" 500");
        } catch (java.net.SocketException e) {
            assertThat(LISTENER.server().port()).isPositive(); // ended: that is an answer as well
        }
    }
}
