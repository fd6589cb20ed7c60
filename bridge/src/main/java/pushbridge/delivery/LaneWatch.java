package pushbridge.delivery;

/**
 * Told when what comes for an address whose user is connected begins to go through the held log, and when no more. That
 * such messages of who is absent are held is no news, and not told. Called by the loop's thread, so it must neither block nor take
 * long, and what it throws ends the loop.
 */
public interface LaneWatch {

    /** Nobody. */
    LaneWatch NOBODY = new LaneWatch() {
        @Override
        public void held(String address, int messages, String why) {}

        @Override
        public void over(String address, long millis, boolean deserted) {}
    };

    /**
     * The lane of an address is held from now on.
     *
     * @param messages on the way into the held log with it
     * @param why without a full stop
     */
    void held(String address, int messages, String why);

    /**
     * It is not held any more.
     *
     * @param millis for how long it was
     * @param deserted whether that is only because nobody is connected any more
     */
    void over(String address, long millis, boolean deserted);
}
