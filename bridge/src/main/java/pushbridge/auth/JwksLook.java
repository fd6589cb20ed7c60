package pushbridge.auth;

import java.io.IOException;
import java.text.ParseException;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import pushbridge.config.JwksConfig;

/** One look at an address of keys, for who only wants to know whether it is good for anything. */
public final class JwksLook {

    private JwksLook() {}

    /**
     * Loads the keys once, within {@code auth.jwks-timeout}.
     *
     * @param tls how the server is verified
     * @return why they cannot be used, a part of a sentence; null when they can
     */
    public static @Nullable String problem(JwksConfig config, SSLContext tls) throws InterruptedException {
        try {
            KeySet.read(new JwksRequest(config, tls).load());
            return null;
        } catch (IOException | ParseException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
