package pushbridge.letters;

import java.util.List;

/** All letters of one queue, in hand of the one who may read them, until it is closed. Thread-safe. */
public interface Shelf extends AutoCloseable {

    /** Those that are there now, in {@link Entry#ORDER}. */
    List<Entry> entries();

    /** How many lie in the queue beyond those that may be in hand at a time, as far as known. */
    long beyond();

    /** Reads one in full. */
    Letter read(Entry entry) throws LetterException;

    /** Takes one out of the queue, for good. */
    void remove(Entry entry) throws LetterException;

    /** Waits until RabbitMQ knows what was removed. */
    void settle() throws LetterException;

    /** We look no more; the letters may go back when nobody else does. Idempotent. */
    @Override
    void close();
}
