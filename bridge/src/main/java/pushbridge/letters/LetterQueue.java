package pushbridge.letters;

import java.util.Locale;

/** The queues in which letters lie. */
public enum LetterQueue {
    /** {@code push.dead}: real errors. */
    DEAD,
    /** {@code push.expired}: what ran out of time; drops its oldest. */
    EXPIRED;

    /** The name in commands, addresses and exports: {@code dead}, {@code expired}. */
    public String slug() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The queue of that name.
     *
     * @throws LetterException there is none
     */
    public static LetterQueue of(String slug) throws LetterException {
        for (LetterQueue queue : values()) {
            if (queue.slug().equals(slug)) {
                return queue;
            }
        }
        throw LetterException.invalid("there is no queue " + Printable.quoted(slug) + ": it is dead or expired");
    }
}
