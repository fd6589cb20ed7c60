package pushbridge.config;

/**
 * Who may connect.
 *
 * @param mode how a client says who it is
 * @param devAllowRemote lets {@link Mode#DEV} listen on an address that is not loopback
 */
public record AuthConfig(Mode mode, boolean devAllowRemote) {

    /** The ways to say who is connecting. */
    public enum Mode {
        /** The query names the user, unchecked: {@code /ws?user=42&channels=news}. For trying out only. */
        DEV
    }
}
