package pushbridge.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.Health;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.BrokerStatus.Ownership;
import pushbridge.amqp.CopyPublisher;
import pushbridge.auth.KeySource;
import pushbridge.delivery.Clock;
import pushbridge.delivery.DeliveryStats;

/** Judges how the bridge is. Live is a narrow question, so that trouble at the broker never gets it restarted. */
final class BridgeHealth {

    /** The loop turns many times a second; silent for so long it hangs, or the machine is beyond help. */
    private static final long DEAD_LOOP_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final DeliveryStats stats;
    private final BrokerStatus broker;
    private final CopyPublisher copies;
    private final @Nullable KeySource keys;
    private final Clock clock;
    private final BooleanSupplier failed;
    private final BooleanSupplier stopping;

    BridgeHealth(
            DeliveryStats stats,
            BrokerStatus broker,
            CopyPublisher copies,
            @Nullable KeySource keys,
            Clock clock,
            BooleanSupplier failed,
            BooleanSupplier stopping) {
        this.stats = stats;
        this.broker = broker;
        this.copies = copies;
        this.keys = keys;
        this.clock = clock;
        this.failed = failed;
        this.stopping = stopping;
    }

    Health now() {
        BrokerStatus.Snapshot state = broker.snapshot();
        boolean loopRuns = !failed.getAsBoolean() && clock.nanoTime() - stats.lastTurnNanos() < DEAD_LOOP_NANOS;
        List<String> problems = new ArrayList<>();
        if (!loopRuns) {
            problems.add("The delivery loop has stopped: restart this process; its log says why.");
        }
        if (stopping.getAsBoolean()) {
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
        problems.addAll(state.alarms());
        KeySource.State tokens = keys == null ? null : keys.state();
        if (tokens != null && tokens.problem() != null) {
            problems.add(tokens.problem());
        }

        Map<String, String> checks = new LinkedHashMap<>();
        checks.put("delivery", loopRuns ? "running" : "stopped");
        checks.put("broker", state.intakeConnected() ? "connected" : "not connected");
        checks.put("ownership", state.ownership().name().toLowerCase(Locale.ROOT));
        checks.put("copies", state.publisherConnected() ? "connected" : "not connected");
        checks.put("copies waiting", Integer.toString(copies.waiting()));
        if (tokens != null) {
            checks.put("token keys", tokens.usable() ? "known" : "not known");
        }
        boolean ready = loopRuns
                && (tokens == null || tokens.usable())
                && !stopping.getAsBoolean()
                && state.intakeConnected()
                && state.publisherConnected()
                && state.ownership() == Ownership.OWNER;
        return new Health(loopRuns, ready, checks, problems);
    }
}
