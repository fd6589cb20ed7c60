package pushbridge.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.Health;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.BrokerStatus.Ownership;
import pushbridge.auth.KeySource;

/**
 * Judges how the bridge is. Live is a narrow question that fails slowly, so that trouble at the broker never gets it
 * restarted; ready fails at the next probe, whatever it is that keeps the bridge from its work.
 */
final class BridgeHealth {

    /** The loop turns many times a second; silent for so long it hangs, or the machine is beyond help. */
    static final long DEAD_LOOP_NANOS = TimeUnit.SECONDS.toNanos(30);

    /**
     * What is judged.
     *
     * @param failed whether the loop or the held log has given up
     * @param loopIdleNanos how long ago the loop last finished a turn
     * @param stopping whether the bridge leaves
     * @param copiesWaiting copies that RabbitMQ has not confirmed
     * @param heldLogRead whether it is known what is held
     * @param heldLogLag records of the held log that were not read yet, about; -1 while that is not known
     * @param keys what tokens are checked with; null without tokens
     */
    record Signs(
            boolean failed,
            long loopIdleNanos,
            boolean stopping,
            BrokerStatus.Snapshot broker,
            int copiesWaiting,
            boolean heldLogRead,
            long heldLogLag,
            KeySource.@Nullable State keys) {}

    private final Supplier<Signs> signs;

    /** @param signs asked at every probe */
    BridgeHealth(Supplier<Signs> signs) {
        this.signs = signs;
    }

    Health now() {
        Signs now = signs.get();
        BrokerStatus.Snapshot state = now.broker();
        boolean loopRuns = !now.failed() && now.loopIdleNanos() < DEAD_LOOP_NANOS;
        List<String> problems = new ArrayList<>();
        if (!loopRuns) {
            problems.add("The delivery loop has stopped: restart this process; its log says why.");
        }
        if (now.stopping()) {
            problems.add("The bridge is stopping.");
        }
        if (state.problem() != null) {
            problems.add(state.problem());
        }
        if (state.blocked() != null) {
            problems.add("RabbitMQ takes no messages at the moment (" + state.blocked()
                    + "): dead letters wait, and so do their originals. Free memory or disk there.");
        }
        if (state.ownership() == Ownership.STANDBY) {
            problems.add("Another bridge is the owner; this one takes over when that one goes.");
        }
        if (state.intakeConnected() && !now.heldLogRead()) {
            problems.add("The held log is being read; instructions are taken when that is done.");
        }
        problems.addAll(state.alarms());
        KeySource.State tokens = now.keys();
        if (tokens != null && tokens.problem() != null) {
            problems.add(tokens.problem());
        }

        Map<String, String> checks = new LinkedHashMap<>();
        checks.put("delivery", loopRuns ? "running" : "stopped");
        checks.put("broker", state.intakeConnected() ? "connected" : "not connected");
        checks.put("ownership", state.ownership().name().toLowerCase(Locale.ROOT));
        checks.put("intake", intake(now));
        checks.put("held log", now.heldLogRead() ? behind(now.heldLogLag()) : "being read");
        checks.put("copies", state.publisherConnected() ? "connected" : "not connected");
        checks.put("copies waiting", Integer.toString(now.copiesWaiting()));
        if (tokens != null) {
            checks.put("token keys", tokens.usable() ? "known" : "not known");
        }
        boolean ready = loopRuns
                && (tokens == null || tokens.usable())
                && !now.stopping()
                && state.intakeConnected()
                && state.publisherConnected()
                && state.ownership() == Ownership.OWNER
                && now.heldLogRead();
        Map<String, String> liveChecks = new LinkedHashMap<>();
        liveChecks.put("delivery", loopRuns ? "running" : "stopped");
        liveChecks.put("last turn", TimeUnit.NANOSECONDS.toMillis(now.loopIdleNanos()) + " ms ago");
        return new Health(loopRuns, ready, liveChecks, checks, problems);
    }

    private static String intake(Signs now) {
        BrokerStatus.Snapshot state = now.broker();
        if (now.stopping()) {
            return "stopping";
        }
        if (state.ownership() != Ownership.OWNER) {
            return "not taking";
        }
        return state.careful() ? "taking one by one" : "taking";
    }

    private static String behind(long lag) {
        return lag < 0 ? "read" : lag + " records behind";
    }
}
