package pushbridge.faults;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits for conditions, with limits that only a failure reaches. */
final class Waiting {

    /** Everything heals within this, on a machine that does a lot besides. */
    static final Duration LONG = Duration.ofSeconds(90);

    private static final Duration POLL = Duration.ofMillis(50);

    private Waiting() {}

    static void until(String what, Callable<Boolean> condition) {
        until(what, LONG, condition);
    }

    static void until(String what, Duration limit, Callable<Boolean> condition) {
        Awaitility.await(what).atMost(limit).pollInterval(POLL).until(condition);
    }

    /** Whether it became so in time: for what the checker judges afterwards, and better. */
    static boolean wasSo(String what, Callable<Boolean> condition) {
        try {
            until(what, condition);
            return true;
        } catch (ConditionTimeoutException e) {
            return false;
        }
    }
}
