package pushbridge.letters;

import org.jspecify.annotations.Nullable;
import pushbridge.envelope.Reading;

/** The way to the letters. Thread-safe. */
public interface Shelves {

    /**
     * Reads a queue, or goes on with what was read and is still in hand.
     *
     * @throws LetterException somebody else reads, or RabbitMQ does not answer
     */
    Shelf open(LetterQueue queue) throws LetterException, InterruptedException;

    /** Connects for publishing. */
    Sender sender() throws LetterException;

    /** Why a bridge with this configuration would not take what is to be published; null when it would. */
    Reading.@Nullable Refusal refusal(Outgoing outgoing);
}
