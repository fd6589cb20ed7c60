package pushbridge.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProxyHeaderTest {

    /** What HAProxy 2.6 sends with {@code send-proxy-v2} for a client 192.0.2.10:4711 of a server 127.0.0.1:80. */
    private static final byte[] V2 = HexFormat.of()
            .parseHex("0d0a0d0a000d0a515549540a" + "21" + "11" + "000c" + "c000020a7f0000011267" + "0050");

    @Test
    void versionOneNamesTheSource() throws Exception {
        assertThat(read("PROXY TCP4 192.0.2.10 127.0.0.1 4711 80\r\nGET /"))
                .isEqualTo(new ProxyHeader.Whole(41, InetAddress.getByName("192.0.2.10")));
        assertThat(read("PROXY TCP6 2001:db8::1 ::1 4711 80\r\n"))
                .isEqualTo(new ProxyHeader.Whole(36, InetAddress.getByName("2001:db8::1")));
        assertThat(read("PROXY UNKNOWN\r\n")).isEqualTo(new ProxyHeader.Whole(15, null));
    }

    @Test
    void versionTwoNamesTheSource() throws Exception {
        assertThat(ProxyHeader.read(ByteBuffer.wrap(V2)))
                .isEqualTo(new ProxyHeader.Whole(28, InetAddress.getByName("192.0.2.10")));
        byte[] local = V2.clone();
        local[12] = 0x20;
        assertThat(ProxyHeader.read(ByteBuffer.wrap(local))).isEqualTo(new ProxyHeader.Whole(28, null));
        byte[] v6 = HexFormat.of()
                .parseHex("0d0a0d0a000d0a515549540a" + "21" + "21" + "0024" + "20010db8" + "0".repeat(22) + "01"
                        + "0".repeat(31) + "1" + "12670050");
        assertThat(ProxyHeader.read(ByteBuffer.wrap(v6)))
                .isEqualTo(new ProxyHeader.Whole(52, InetAddress.getByName("2001:db8::1")));
    }

    @Test
    void extensionsOfVersionTwoAreSkipped() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(V2);
        bytes.write(new byte[300]);
        byte[] extended = bytes.toByteArray();
        ByteBuffer.wrap(extended).putShort(14, (short) 312);
        assertThat(ProxyHeader.read(ByteBuffer.wrap(extended)))
                .isEqualTo(new ProxyHeader.Whole(328, InetAddress.getByName("192.0.2.10")));
    }

    @Test
    void howTcpCutsItMakesNoDifference() {
        for (byte[] whole : List.of(V2, "PROXY TCP4 192.0.2.10 127.0.0.1 4711 80\r\n".getBytes(US_ASCII))) {
            for (int length = 0; length < whole.length; length++) {
                assertThat(ProxyHeader.read(ByteBuffer.wrap(whole, 0, length)))
                        .as("%d bytes", length)
                        .isInstanceOf(ProxyHeader.Incomplete.class);
            }
        }
    }

    @Test
    void anythingElseIsBroken() {
        byte[] unknownVersion = V2.clone();
        unknownVersion[12] = 0x31;
        byte[] tooShort = V2.clone();
        tooShort[15] = 4;
        byte[] tooLong = V2.clone();
        tooLong[14] = 0x7F;
        for (byte[] bytes : List.of(
                unknownVersion,
                tooShort,
                tooLong,
                "GET / HTTP/1.1\r\n".getBytes(US_ASCII),
                "POST".getBytes(US_ASCII),
                "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n".getBytes(US_ASCII),
                "PROXY TCP4 localhost 5.6.7.8 1 2\r\n".getBytes(US_ASCII),
                "PROXY TCP9 1.2.3.4 5.6.7.8 1 2\r\n".getBytes(US_ASCII),
                ("PROXY TCP4 " + "1".repeat(200)).getBytes(US_ASCII))) {
            assertThat(ProxyHeader.read(ByteBuffer.wrap(bytes)))
                    .as(new String(bytes, US_ASCII))
                    .isInstanceOf(ProxyHeader.Broken.class);
        }
    }

    private static ProxyHeader read(String text) {
        return ProxyHeader.read(ByteBuffer.wrap(text.getBytes(US_ASCII)));
    }
}
