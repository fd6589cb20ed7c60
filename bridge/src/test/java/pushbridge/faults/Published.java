package pushbridge.faults;

/** One message as its publisher knows it. Written by the publisher's thread, read by any. */
final class Published {

    private final String address;
    private final long seq;
    private final String text;
    private volatile int attempts;
    private volatile boolean confirmed;

    Published(String address, long seq, String text) {
        this.address = address;
        this.seq = seq;
        this.text = text;
    }

    String address() {
        return address;
    }

    long seq() {
        return seq;
    }

    /** The whole body; it names the address, so a client must get exactly this. */
    String text() {
        return text;
    }

    /** How often it was published: more than once when a confirm never came. Each may have become a message. */
    int attempts() {
        return attempts;
    }

    boolean confirmed() {
        return confirmed;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void attempted() {
        attempts++;
    }

    void confirm() {
        confirmed = true;
    }

    String key() {
        return Frame.key(address, seq);
    }
}
