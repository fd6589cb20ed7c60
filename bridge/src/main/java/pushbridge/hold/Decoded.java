package pushbridge.hold;

/** What {@link RecordCodec} makes of some bytes. */
public sealed interface Decoded {

    /** A record that this version knows. */
    record Known(LogRecord record) implements Decoded {}

    /**
     * A record of another version, or of a type from a later one: to be skipped and counted.
     *
     * @param version its first byte, 0 to 255
     * @param type its second byte, 0 to 255; -1 when there is none
     */
    record Foreign(int version, int type) implements Decoded {}

    /**
     * A record of this version that says something impossible: to be skipped and reported.
     *
     * @param reason a sentence for the operator
     */
    record Corrupt(String reason) implements Decoded {}
}
