package pushbridge.delivery;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.AskedReceipt;
import pushbridge.envelope.DeadLetterReason;

/**
 * What became of a message, for the publisher who asked.
 *
 * @param address whom it was for; null when it had no usable address
 * @param reason why it is a dead letter; null for any other outcome
 * @param detail one sentence on that; null when there is none
 * @param atMillis when that was certain, in milliseconds since 1970
 */
public record Receipt(
        AskedReceipt asked,
        Outcome outcome,
        @Nullable String address,
        @Nullable DeadLetterReason reason,
        @Nullable String detail,
        long atMillis) {

    /** The outcomes of an instruction. {@link #HELD} is the only one that another one follows. */
    public enum Outcome {
        DELIVERED,
        HELD,
        DEAD_LETTERED,
        EXPIRED,
        DROPPED;

        /** As in the receipt: {@code dead-lettered}. */
        public String slug() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
