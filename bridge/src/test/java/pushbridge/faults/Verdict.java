package pushbridge.faults;

import java.util.List;

/**
 * What the checker found.
 *
 * @param published messages to users that RabbitMQ accepted, each once
 * @param delivered those of them that their user got, each once
 * @param copied those that are dead letters or expired, each once
 * @param duplicated frames beyond the first of a message, the publisher's own repetitions not counted
 * @param repeated messages that the publisher itself had to send again, since no confirm came
 * @param lost neither delivered nor copied
 * @param reordered what came behind a later message of its address, at the client named
 * @param altered frames and copies whose text nobody published
 * @param unreasoned copies without a reason
 */
record Verdict(
        int published,
        int delivered,
        int copied,
        int duplicated,
        int repeated,
        List<String> lost,
        List<String> reordered,
        List<String> altered,
        List<String> unreasoned) {

    /** Whether every promise was kept; duplicates are a matter of the fault. */
    boolean flawless() {
        return lost.isEmpty() && reordered.isEmpty() && altered.isEmpty() && unreasoned.isEmpty();
    }
}
