package pushbridge.tls;

import org.jspecify.annotations.Nullable;

/** A certificate or key cannot be used. The message is one sentence that names the file and what to do. */
public final class TlsException extends Exception {

    private static final long serialVersionUID = 1;

    TlsException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
