package pushbridge.delivery;

/** What an operator wants of held messages cannot be done. The message is one sentence with its full stop. */
public final class HeldException extends Exception {

    private static final long serialVersionUID = 1;

    /** What kind of obstacle it is. */
    public enum Kind {
        /** The request makes no sense. */
        INVALID,
        /** Nothing is held there. */
        NOT_FOUND,
        /** Somebody else acts among the held messages. */
        BUSY,
        /** This bridge cannot do it now. */
        UNAVAILABLE
    }

    private final Kind kind;

    HeldException(Kind kind, String sentence) {
        super(sentence);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** For people. */
    public String sentence() {
        return String.valueOf(getMessage());
    }
}
