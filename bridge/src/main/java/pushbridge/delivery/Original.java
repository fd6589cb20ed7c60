package pushbridge.delivery;

/**
 * An instruction as it was published, with everything a copy of it has to carry. The loop only hands it on to
 * {@link Copies}.
 */
public interface Original {

    /** The published body, byte for byte; shared, never modified. */
    byte[] body();
}
