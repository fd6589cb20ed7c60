package pushbridge.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may connect.
 *
 * @param mode how a client says who it is
 * @param devAllowRemote lets {@link Mode#DEV} listen on an address that is not loopback
 * @param origins the origins of pages that may connect; empty when nobody has said any
 * @param token how tokens are checked; null in {@link Mode#DEV}
 */
public record AuthConfig(
        Mode mode,
        boolean devAllowRemote,
        List<String> origins,
        @Nullable TokenConfig token) {

    /** All that {@link Mode#DEV} needs. */
    public AuthConfig(Mode mode, boolean devAllowRemote) {
        this(mode, devAllowRemote, List.of(), null);
    }

    /** The ways to say who is connecting. */
    public enum Mode {
        /** The query names the user, unchecked: {@code /ws?user=42&channels=news}. For trying out only. */
        DEV,
        /** A signed JSON Web Token names the user and the channels. */
        TOKEN
    }
}
