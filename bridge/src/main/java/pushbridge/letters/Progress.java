package pushbridge.letters;

/** Told how far something long has come. Called often, by the thread that works. */
@FunctionalInterface
public interface Progress {

    /** For whoever does not look. */
    Progress NONE = (done, of) -> {};

    void at(long done, long of);
}
