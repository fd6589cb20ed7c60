package pushbridge.delivery;

/** What becomes of a message when nobody is there to take it: the header {@code x-push-offline}. */
public enum OfflinePolicy {
    /** Keep it until the user comes back. The default for {@code user.}, and only for it. */
    HOLD,
    /** Forget it; counted. The default for {@code channel.} and {@code all}. */
    DROP,
    /** Put it in the dead-letter queue as {@code offline}. The default for {@code connection.}. */
    DEAD_LETTER
}
