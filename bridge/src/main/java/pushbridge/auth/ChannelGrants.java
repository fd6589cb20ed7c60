package pushbridge.auth;

import java.util.List;

/** The channels that somebody may subscribe to, as patterns in which {@code *} stands for any characters. Immutable. */
public final class ChannelGrants {

    /** Every channel. */
    public static final ChannelGrants ALL = new ChannelGrants(List.of("*"));

    /** No channel. */
    public static final ChannelGrants NONE = new ChannelGrants(List.of());

    private final List<String> patterns;

    private ChannelGrants(List<String> patterns) {
        this.patterns = patterns;
    }

    /** What these patterns grant together. */
    public static ChannelGrants of(List<String> patterns) {
        return patterns.isEmpty() ? NONE : new ChannelGrants(List.copyOf(patterns));
    }

    /** Whether a channel, named without {@code channel.}, is granted. */
    public boolean allow(String channel) {
        for (String pattern : patterns) {
            if (matches(pattern, channel)) {
                return true;
            }
        }
        return false;
    }

    /**
     * By hand, since a regular expression made of a token's text could be made to run for ever. At worst it takes the length
     * of the pattern times that of the name: only the last star is ever gone back to.
     */
    private static boolean matches(String pattern, String name) {
        int p = 0;
        int n = 0;
        int star = -1;
        int resume = 0;
        while (n < name.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                resume = n;
            } else if (p < pattern.length() && pattern.charAt(p) == name.charAt(n)) {
                p++;
                n++;
            } else if (star >= 0) {
                p = star + 1;
                n = ++resume;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    @Override
    public String toString() {
        return patterns.toString();
    }
}
