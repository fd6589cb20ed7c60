package pushbridge.socket;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.auth.Credentials;
import pushbridge.envelope.ClientError;

/** Decides who may connect, before the upgrade. Called on a selector thread: must not block. */
@FunctionalInterface
public interface HandshakeGate {

    /** The verdict on one handshake; must not throw. */
    Admission admit(Handshake handshake);

    /**
     * The verdict on new credentials that a client sends on its open connection; must not throw.
     *
     * @param current what it was let in with, or has renewed to
     * @param sinceLast how long ago it sent the last ones; null for its first
     */
    default Renewal renew(Credentials current, @Nullable Duration sinceLast, String token) {
        return new NotRenewed(
                ClientError.NOT_AVAILABLE, "This bridge takes no tokens: connections are not authenticated.");
    }

    /** Whether credentials have expired, by the clock that tokens are written for. */
    default boolean isOver(Credentials credentials) {
        return false;
    }

    /**
     * What is known of a client that asks for the upgrade.
     *
     * @param headers all values by lower-case name; {@code host} is what the client asked for even when a trusted proxy
     *     asked for something else, and what claims to come from a proxy is here only when a trusted one sent it
     * @param query all values by name, decoded
     * @param remoteAddress IP address of the client; of the last proxy that is not trusted when there is one between
     */
    record Handshake(Map<String, List<String>> headers, Map<String, List<String>> query, String remoteAddress) {

        /** The first value of a header; null when it is absent. */
        public @Nullable String header(String lowerCaseName) {
            List<String> values = headers.get(lowerCaseName);
            return values == null || values.isEmpty() ? null : values.get(0);
        }

        /** The host that the client believes to talk to, as {@code name:port} or {@code name}; null when it did not say. */
        public @Nullable String host() {
            return header("host");
        }

        /** The first value of a query parameter; null when it is absent. */
        public @Nullable String parameter(String name) {
            List<String> values = query.get(name);
            return values == null || values.isEmpty() ? null : values.get(0);
        }
    }

    /** A verdict. */
    sealed interface Admission {}

    /**
     * May connect.
     *
     * @param credentials who it is and what it may do
     * @param channels names of the channels it listens to from the start
     * @param refused names of those that it asked for and may not listen to
     */
    record Admitted(Credentials credentials, List<String> channels, List<String> refused) implements Admission {

        /** Without asking for credentials. */
        public Admitted(@Nullable String user, List<String> channels) {
            this(Credentials.unchecked(user), channels, List.of());
        }

        /** Who it is; null for an anonymous client. */
        public @Nullable String user() {
            return credentials.user();
        }
    }

    /**
     * May not connect.
     *
     * @param why which of the closed list, for counting
     * @param status of the HTTP response, 400 to 599
     * @param reason one sentence for the developer of the page, without a secret
     * @param retryAfterSeconds when to come back; 0 to say nothing about that
     */
    record Refused(Refusal why, int status, String reason, int retryAfterSeconds) implements Admission {

        /** Counted as what most answers with this status are. */
        public Refused(int status, String reason, int retryAfterSeconds) {
            this(Refusal.of(status), status, reason, retryAfterSeconds);
        }

        /** A refusal that says nothing about coming back. */
        public Refused(int status, String reason) {
            this(status, reason, 0);
        }

        /** A page whose origin may not connect. */
        static Refused foreignOrigin(String reason) {
            return new Refused(Refusal.FOREIGN_ORIGIN, 403, reason, 0);
        }
    }

    /** A verdict on new credentials. */
    sealed interface Renewal {}

    /** They take the place of the old ones. */
    record Renewed(Credentials credentials) implements Renewal {}

    /**
     * The old ones stay.
     *
     * @param detail one sentence for the developer of the page
     */
    record NotRenewed(ClientError code, String detail) implements Renewal {}
}
