package pushbridge.hold;

/** Whether more may be held for an address; everything else is a reason for {@code hold-full}. */
public enum Admission {
    /** There is room. */
    ADMITTED,
    /** This address has as many messages as one may have. */
    ADDRESS_FULL,
    /** There are as many messages as may be held. */
    MESSAGES_FULL,
    /** What is held takes as much of the log as it may. */
    BYTES_FULL
}
