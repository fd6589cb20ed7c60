package pushbridge.delivery;

import org.jspecify.annotations.Nullable;
import pushbridge.envelope.AskedReceipt;

/**
 * An instruction as it was published, with everything a copy of it has to carry. The loop only hands it on: to
 * {@link Copies}, and as bytes to the held log.
 */
public interface Original {

    /** The published body, byte for byte; shared, never modified. */
    byte[] body();

    /** Everything but the body as bytes, from which {@link HeldLog#restore} makes it again; made anew by each call. */
    byte[] serialized();

    /** Whether it may have been delivered to a bridge before. */
    boolean redelivered();

    /** The publisher's name for it; null when it has none. */
    @Nullable
    String messageId();

    /** What its publisher wants to be told; null when that is nothing. */
    default @Nullable AskedReceipt askedReceipt() {
        return null;
    }

    /**
     * When it was published, in milliseconds since 1970 by the clock of the publisher or the broker; 0 when nobody noted
     * that. Only to be counted, never to decide by.
     */
    default long publishedMillis() {
        return 0;
    }
}
