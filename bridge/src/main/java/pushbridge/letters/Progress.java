package pushbridge.letters;

/** Told how far something long has come. Called often, by the thread that works. */
@FunctionalInterface
public interface Progress {

    /** For whoever does not look. */
    Progress NONE = (done, of) -> true;

    /** Answers whether to go on; if not, it ends in order and says how far it came. */
    boolean at(long done, long of);
}
