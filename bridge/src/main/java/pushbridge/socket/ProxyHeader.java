package pushbridge.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import pushbridge.config.Network;

/** The header that HAProxy's PROXY protocol, version 1 or 2, puts in front of everything else on a connection. */
sealed interface ProxyHeader {

    /** More bytes are needed. */
    record Incomplete() implements ProxyHeader {}

    /** This is none. */
    record Broken(String why) implements ProxyHeader {}

    /**
     * A whole one.
     *
     * @param length how many bytes it has
     * @param source whom the proxy was connected from; null when the proxy speaks for itself, as when it looks whether we
     *     are alive
     */
    record Whole(int length, @Nullable InetAddress source) implements ProxyHeader {}

    /** The longest of version 1, by its specification. */
    int V1_MAX = 107;

    /** What is read of version 2: addresses, and room for the extensions that proxies are known to send. */
    int V2_MAX = 4096;

    /** The fixed part of version 2. */
    int V2_HEAD = 16;

    /** Reads the beginning of a connection; the buffer's position stays. */
    static ProxyHeader read(ByteBuffer bytes) {
        if (!bytes.hasRemaining()) {
            return new Incomplete();
        }
        return bytes.get(bytes.position()) == 'P' ? readV1(bytes) : readV2(bytes);
    }

    private static ProxyHeader readV1(ByteBuffer bytes) {
        int length = Math.min(bytes.remaining(), V1_MAX);
        byte[] head = new byte[length];
        bytes.duplicate().get(head);
        String text = new String(head, US_ASCII);
        int end = text.indexOf("\r\n");
        String expected = "PROXY ";
        if (!text.regionMatches(0, expected, 0, Math.min(length, expected.length()))) {
            return new Broken("it does not begin with PROXY");
        }
        if (end < 0) {
            return length < V1_MAX ? new Incomplete() : new Broken("its first line is too long");
        }
        String[] words = text.substring(0, end).split(" ", -1);
        if (words.length >= 2 && words[1].equals("UNKNOWN")) {
            return new Whole(end + 2, null);
        }
        if (words.length != 6 || !(words[1].equals("TCP4") || words[1].equals("TCP6"))) {
            return new Broken("its first line is malformed");
        }
        InetAddress source = Network.literal(words[2]);
        return source == null ? new Broken("its source is no address") : new Whole(end + 2, source);
    }

    private static ProxyHeader readV2(ByteBuffer bytes) {
        byte[] signature = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
        int at = bytes.position();
        for (int i = 0; i < Math.min(signature.length, bytes.remaining()); i++) {
            if (bytes.get(at + i) != signature[i]) {
                return new Broken("it is neither version 1 nor 2");
            }
        }
        if (bytes.remaining() < V2_HEAD) {
            return new Incomplete();
        }
        int versionAndCommand = bytes.get(at + 12) & 0xFF;
        int family = (bytes.get(at + 13) & 0xFF) >> 4;
        int length = bytes.getShort(at + 14) & 0xFFFF;
        if (versionAndCommand != 0x20 && versionAndCommand != 0x21) {
            return new Broken("its version or command is unknown");
        }
        if (V2_HEAD + length > V2_MAX) {
            return new Broken("it is longer than " + V2_MAX + " bytes");
        }
        if (bytes.remaining() < V2_HEAD + length) {
            return new Incomplete();
        }
        boolean local = versionAndCommand == 0x20;
        // Source, destination and their ports; anything but IPv4 and IPv6 has no address for us.
        int addressBytes = family == 1 ? 4 : family == 2 ? 16 : 0;
        if (local || addressBytes == 0) {
            return new Whole(V2_HEAD + length, null);
        }
        if (length < 2 * addressBytes + 4) {
            return new Broken("it has no room for its addresses");
        }
        byte[] source = new byte[addressBytes];
        bytes.duplicate().position(at + V2_HEAD).get(source);
        try {
            return new Whole(V2_HEAD + length, InetAddress.getByAddress(Arrays.copyOf(source, addressBytes)));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 and 16 bytes are addresses", e);
        }
    }
}
