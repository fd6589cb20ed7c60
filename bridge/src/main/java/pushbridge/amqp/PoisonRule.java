package pushbridge.amqp;

/**
 * Tells the message that breaks the bridge from those that were only in hand when it broke. Everything unsettled comes
 * back when a channel ends, and the broker counts that for each message; so the count alone accuses up to a whole prefetch
 * of innocents. Messages suspected by their count are therefore handled one by one: what is innocent is settled, and what
 * breaks the bridge is, since everything before it is settled, the first that the next generation is given. Only the first
 * can be condemned. The count is the broker's, so this outlives the process.
 *
 * @param after so many deliveries without settlement make a message poisoned; at least 4, so that it fails alone first
 */
record PoisonRule(int after) {

    /** From this count on a message is handled alone. */
    int suspectedAfter() {
        return after / 2;
    }

    /** @param returns how often the message came back unsettled */
    boolean suspects(long returns) {
        return returns >= suspectedAfter();
    }

    /**
     * Whether the first delivery of a generation is poisoned.
     *
     * @param returns how often it came back unsettled
     * @param excused whether the generation before is known to have ended for another reason than what it handled. That
     *     counts for less, not for nothing: the message might be that reason in a way nobody knows
     */
    boolean condemns(long returns, boolean excused) {
        return returns >= (excused ? 2L * after : after);
    }
}
