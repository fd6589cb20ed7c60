package pushbridge.socket;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Decides who may connect, before the upgrade. Called on a selector thread: must not block. */
@FunctionalInterface
public interface HandshakeGate {

    /** The verdict on one handshake; must not throw. */
    Admission admit(Handshake handshake);

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
     * @param user who it is; null for an anonymous client
     * @param channels names of the channels it listens to from the start
     */
    record Admitted(@Nullable String user, List<String> channels) implements Admission {}

    /**
     * May not connect.
     *
     * @param status of the HTTP response, 400 to 599
     * @param reason one sentence for the developer of the page, without a secret
     * @param retryAfterSeconds when to come back; 0 to say nothing about that
     */
    record Refused(int status, String reason, int retryAfterSeconds) implements Admission {

        /** A refusal that says nothing about coming back. */
        public Refused(int status, String reason) {
            this(status, reason, 0);
        }
    }
}
