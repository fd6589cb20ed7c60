package pushbridge.letters;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * What can be done with letters. Answers are JSON, the same whether they come from this process or over HTTP; the README
 * describes them.
 */
public interface LetterDesk extends AutoCloseable {

    /** Takes letters one by one. */
    @FunctionalInterface
    interface Taker {
        void take(ObjectNode letter) throws LetterException;
    }

    /**
     * A page of the list.
     *
     * @param limit at most so many
     * @param after the id of the last letter of the page before; null for the first page
     * @param newestFirst else the oldest come first
     */
    ObjectNode list(LetterQueue queue, Filter filter, int limit, @Nullable String after, boolean newestFirst)
            throws LetterException, InterruptedException;

    /** How many there are, by reason, type, and what exactly. */
    ObjectNode count(LetterQueue queue, Filter filter) throws LetterException, InterruptedException;

    /**
     * One in full.
     *
     * @param id its beginning, as long as only one begins so
     */
    ObjectNode show(LetterQueue queue, String id) throws LetterException, InterruptedException;

    /** All in full, oldest first. */
    void export(LetterQueue queue, Filter filter, Taker taker) throws LetterException, InterruptedException;

    /**
     * Publishes them again, oldest first, each one removed when RabbitMQ has it safely: a crash in between leaves a
     * duplicate at most.
     *
     * @param dryRun only says what would be done
     */
    ObjectNode replay(LetterQueue queue, Filter filter, Replay how, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException;

    /**
     * Removes them for good.
     *
     * @param dryRun only says what would be done
     */
    ObjectNode discard(LetterQueue queue, Filter filter, boolean dryRun, Progress progress)
            throws LetterException, InterruptedException;

    /**
     * Puts exported letters into the queues they were exported from. What is in its queue already is left out.
     *
     * @param dryRun only says what would be done
     */
    ObjectNode put(List<Letter> letters, boolean dryRun) throws LetterException, InterruptedException;

    /** Gives the letters back, in order. */
    @Override
    void close();
}
