package pushbridge.envelope;

import org.jspecify.annotations.Nullable;

/** What came of reading one instruction's body: a valid {@link Envelope} or a {@link Refusal}. */
public sealed interface Reading permits Envelope, Reading.Refusal {

    /**
     * The instruction can never be delivered.
     *
     * @param detail one sentence for the publisher, starting with the JSON pointer of the place where there is one
     * @param address what it was addressed to as far as that can be told, or null
     */
    record Refusal(
            DeadLetterReason reason,
            String detail,
            @Nullable String address) implements Reading {}
}
