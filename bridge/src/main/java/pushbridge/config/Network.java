package pushbridge.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A block of IP addresses as in {@code 10.0.0.0/8} or {@code 2001:db8::/32}; a single address without the slash.
 *
 * @param address its first address; the bits behind the prefix are zero
 * @param prefix how many bits from the left all its addresses have in common
 */
public record Network(InetAddress address, int prefix) {

    /** Only literals: resolving a name would make trust a matter of the DNS. */
    private static final Pattern LITERAL =
            Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    /**
     * Reads one.
     *
     * @throws IllegalArgumentException with a sentence that names the text
     */
    public static Network parse(String text) {
        int slash = text.indexOf('/');
        InetAddress address = literal(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            throw new IllegalArgumentException(
                    Units.quote(text) + " is no network; write it like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1");
        }
        int bits = address.getAddress().length * Byte.SIZE;
        int prefix = bits;
        if (slash >= 0) {
            String digits = text.substring(slash + 1);
            prefix = digits.matches("[0-9]{1,3}") ? Integer.parseInt(digits) : -1;
            if (prefix < 0 || prefix > bits) {
                throw new IllegalArgumentException(
                        Units.quote(text) + " has no prefix length from 0 to " + bits + " behind its slash");
            }
        }
        Network network = new Network(address, prefix);
        byte[] first = network.firstBits(address.getAddress());
        if (!Arrays.equals(first, address.getAddress())) {
            throw new IllegalArgumentException(
                    Units.quote(text) + " has bits set behind its prefix; write the first address of the network");
        }
        return network;
    }

    /** Reads an IPv4 or IPv6 address without asking anybody; null when it is none. An IPv4-mapped one becomes IPv4. */
    public static @Nullable InetAddress literal(String text) {
        if (text.length() > 45 || !LITERAL.matcher(text).matches()) {
            return null;
        }
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            return null; // looks like an address and is none, as 300.0.0.1
        }
    }

    /** Whether an address lies in it. */
    public boolean contains(InetAddress other) {
        byte[] theirs = other.getAddress();
        return theirs.length == address.getAddress().length && Arrays.equals(firstBits(theirs), address.getAddress());
    }

    private byte[] firstBits(byte[] of) {
        byte[] bits = of.clone();
        for (int i = 0; i < bits.length; i++) {
            int kept = Math.max(0, Math.min(Byte.SIZE, prefix - i * Byte.SIZE));
            bits[i] &= (byte) (0xFF << (Byte.SIZE - kept));
        }
        return bits;
    }

    @Override
    public String toString() {
        String text = address.getHostAddress();
        return prefix == address.getAddress().length * Byte.SIZE ? text : text + "/" + prefix;
    }
}
