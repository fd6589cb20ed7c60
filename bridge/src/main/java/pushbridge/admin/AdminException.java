package pushbridge.admin;

import java.util.Collection;
import java.util.Map;

/** What an operator asked for cannot be done: one code for programs and one sentence for people. */
public final class AdminException extends Exception {

    private final int status;
    private final String code;
    private final transient Map<String, String> headers;

    /**
     * @param status of the HTTP response, 400 or more
     * @param code a slug
     * @param detail a sentence that says what to do; it is logged with an action, so no secret and no payload
     */
    public AdminException(int status, String code, String detail) {
        this(status, code, detail, Map.of());
    }

    private AdminException(int status, String code, String detail, Map<String, String> headers) {
        super(detail);
        this.status = status;
        this.code = code;
        this.headers = headers;
    }

    /** Another method is possible, as the header {@code Allow} must say. */
    static AdminException wrongMethod(Collection<String> allowed) {
        String allow = String.join(", ", allowed);
        return new AdminException(405, "wrong-method", "Only " + allow + " is possible here.", Map.of("Allow", allow));
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    AdminAnswer answer() {
        AdminAnswer.Whole answer = AdminAnswer.problem(status, code, String.valueOf(getMessage()));
        return new AdminAnswer.Whole(answer.status(), answer.contentType(), answer.bytes(), headers, answer.did());
    }
}
