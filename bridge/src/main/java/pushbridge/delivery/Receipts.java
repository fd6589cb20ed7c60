package pushbridge.delivery;

/** The way to publishers who want to know what became of their messages. Best effort: nothing here blocks or fails. */
@FunctionalInterface
public interface Receipts {

    /** Sends it some time, or never when there are too many. */
    void send(Receipt receipt);
}
