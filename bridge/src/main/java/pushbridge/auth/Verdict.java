package pushbridge.auth;

/** What a token is worth. */
public sealed interface Verdict {

    /** It is what it says. */
    record Valid(Credentials credentials) implements Verdict {}

    /**
     * It opens nothing.
     *
     * @param reason one sentence for the developer of the page. Before the signature is known to be right it tells nothing
     *     that a forger could use to get further
     */
    record Invalid(String reason) implements Verdict {}

    /**
     * Nobody can tell now, for want of the key that may have signed it.
     *
     * @param reason one sentence for the developer of the page
     * @param retryAfterSeconds when to ask again; at least 1
     */
    record Undecided(String reason, int retryAfterSeconds) implements Verdict {}
}
