package pushbridge.hold;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Which (epoch, ordinal) stands at which offset, as runs in which both count up together. In a healthy log there is one
 * run an owner; a foreign, void or repeated record ends a run. Runs below the lowest live offset are forgotten.
 */
final class Runs {

    private record Run(long offset, long epoch, long ordinal) {}

    private final Deque<Run> runs = new ArrayDeque<>();

    /** A record took effect. Offsets only go up. */
    void add(long offset, long epoch, long ordinal) {
        Run last = runs.peekLast();
        if (last == null || last.epoch != epoch || last.offset - offset != last.ordinal - ordinal) {
            runs.addLast(new Run(offset, epoch, ordinal));
        }
    }

    /** Forgets what is only needed below this offset. */
    void forgetBelow(long offset) {
        while (runs.size() > 1) {
            Run first = runs.removeFirst();
            if (runs.getFirst().offset > offset) {
                runs.addFirst(first);
                return;
            }
        }
    }

    /** The epoch of the record at this offset, which took effect and is not forgotten. */
    long epochAt(long offset) {
        return at(offset).epoch;
    }

    /** The ordinal of the record at this offset, which took effect and is not forgotten. */
    long ordinalAt(long offset) {
        Run run = at(offset);
        return run.ordinal + (offset - run.offset);
    }

    private Run at(long offset) {
        Run found = runs.getFirst();
        for (Run run : runs) {
            if (run.offset > offset) {
                break;
            }
            found = run;
        }
        return found;
    }

    int size() {
        return runs.size();
    }
}
