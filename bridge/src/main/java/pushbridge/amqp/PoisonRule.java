package pushbridge.amqp;

/**
 * Tells the message that breaks the bridge from those that were only in hand when it broke. Everything unsettled comes
 * back when a channel ends, and the broker counts that for each message; so the count alone accuses up to a whole prefetch
 * of innocents. Above half the limit deliveries are therefore taken one by one: what is innocent is settled, and from
 * there on a count grows only by failing alone. The count is the broker's, so this outlives the process.
 *
 * @param after so many deliveries without settlement make a message poisoned; at least 4, or there would be none alone
 */
record PoisonRule(int after) {

    /** How deliveries are taken. */
    enum Mode {
        /** As many at once as the prefetch allows. */
        USUAL,
        /** One at a time. */
        CAREFUL
    }

    /** What becomes of one delivery. */
    enum Verdict {
        /** It is handled like any other. */
        TAKE,
        /** It has failed alone, again and again. */
        POISONED,
        /** It goes back, with everything else in hand, to be taken one by one. */
        TURN_CAREFUL,
        /** It goes back, alone in hand, to be taken with others again. */
        TURN_USUAL
    }

    /** From this count on a message is suspected. */
    int suspectedAfter() {
        return after / 2;
    }

    /**
     * Judges a delivery before anybody looks into it.
     *
     * @param returns how often it came back unsettled
     */
    Verdict judge(Mode mode, long returns) {
        return switch (mode) {
            case USUAL -> returns >= suspectedAfter() ? Verdict.TURN_CAREFUL : Verdict.TAKE;
            case CAREFUL -> {
                if (returns >= after) {
                    yield Verdict.POISONED;
                }
                // Going back counts, too: one more must not bring the careful mode straight back.
                yield returns + 1 < suspectedAfter() ? Verdict.TURN_USUAL : Verdict.TAKE;
            }
        };
    }
}
