package pushbridge.admin;

/** What an operator asked for cannot be done: one code for programs and one sentence for people. */
public final class AdminException extends Exception {

    private final int status;
    private final String code;

    /**
     * @param status of the HTTP response, 400 or more
     * @param code a slug
     * @param detail a sentence that says what to do; it is logged with an action, so no secret and no payload
     */
    public AdminException(int status, String code, String detail) {
        super(detail);
        this.status = status;
        this.code = code;
    }

    AdminAnswer answer() {
        return AdminAnswer.problem(status, code, String.valueOf(getMessage()));
    }
}
