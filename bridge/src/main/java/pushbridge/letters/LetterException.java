package pushbridge.letters;

/** What was asked cannot be done. The message is one sentence for an operator, without its full stop. */
public final class LetterException extends Exception {

    private static final long serialVersionUID = 1;

    /** What kind of obstacle it is; each is an HTTP status and an exit code of the command. */
    public enum Kind {
        /** The request makes no sense. */
        INVALID(400),
        /** The bridge lets nobody in with this token or certificate. */
        REFUSED(403),
        /** There is no such letter. */
        NOT_FOUND(404),
        /** Somebody else reads the letters. */
        LOCKED(409),
        /** RabbitMQ refuses, or there is none. */
        UNAVAILABLE(503);

        private final int status;

        Kind(int status) {
            this.status = status;
        }

        /** The HTTP status. */
        public int status() {
            return status;
        }

        /** For programs: {@code not-found}. */
        public String slug() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }

        /** The kind with that HTTP status, of which 401 is a refusal too; {@link #UNAVAILABLE} for any other. */
        public static Kind of(int status) {
            if (status == 401) {
                return REFUSED;
            }
            for (Kind kind : values()) {
                if (kind.status == status) {
                    return kind;
                }
            }
            return UNAVAILABLE;
        }
    }

    private final Kind kind;

    /** For a reader of letters. */
    public LetterException(Kind kind, String sentence) {
        super(sentence);
        this.kind = kind;
    }

    static LetterException invalid(String sentence) {
        return new LetterException(Kind.INVALID, sentence);
    }

    /** RabbitMQ refuses, or there is none. */
    public static LetterException unavailable(String sentence) {
        return new LetterException(Kind.UNAVAILABLE, sentence);
    }

    public Kind kind() {
        return kind;
    }

    /** The message: one sentence without its full stop. */
    public String sentence() {
        return String.valueOf(getMessage());
    }
}
