package pushbridge.app;

/** A port cannot be opened; the message is a sentence for the operator. */
public final class ListenerException extends Exception {
    ListenerException(String message, Throwable cause) {
        super(message, cause);
    }
}
