package pushbridge.auth;

import java.util.List;
import pushbridge.envelope.Wildcard;

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
            if (Wildcard.matches(pattern, channel)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return patterns.toString();
    }
}
