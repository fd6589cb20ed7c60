package pushbridge.letters;

/** Publishes in order, and tells what RabbitMQ says to each. For one thread. */
public interface Sender extends AutoCloseable {

    /** What became of a publish. */
    enum Fate {
        /** A queue has it, safely. */
        TAKEN,
        /** There is no queue for it. */
        RETURNED,
        /** The queue refuses: it is full or has no leader. */
        REFUSED
    }

    /** Told by the thread that sends, in the course of {@link #send} or {@link #flush}. */
    interface Answer {
        void is(Fate fate) throws LetterException;
    }

    /** Publishes; waits while too many are unanswered. */
    void send(Outgoing outgoing, Answer answer) throws LetterException, InterruptedException;

    /** Waits until everything is answered. */
    void flush() throws LetterException, InterruptedException;

    @Override
    void close();
}
