package pushbridge.amqp;

import com.rabbitmq.client.MetricsCollector;
import com.rabbitmq.client.NoOpMetricsCollector;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How the bridge stands with RabbitMQ. Thread-safe; written by the intake and the publisher of copies. */
public final class BrokerStatus {

    /** Who may take instructions. */
    public enum Ownership {
        /** Not connected, or not yet decided. */
        UNKNOWN,
        /** This bridge: it holds the token. */
        OWNER,
        /** Another one; this bridge takes over when that one goes. */
        STANDBY
    }

    /**
     * The state at one moment.
     *
     * @param intakeConnected connected, and everything needed there is declared
     * @param publisherConnected the separate connection for copies stands
     * @param blocked why RabbitMQ takes no publishes (a memory or disk alarm), or null while it does
     * @param problem what keeps the bridge from working, in one sentence, or null
     * @param careful whether instructions are taken one by one, because one of them may break the bridge
     * @param alarms what needs an operator although the bridge works, one sentence each
     */
    public record Snapshot(
            boolean intakeConnected,
            Ownership ownership,
            boolean publisherConnected,
            @Nullable String blocked,
            @Nullable String problem,
            boolean careful,
            List<String> alarms) {}

    /** What connections whose recoveries are counted are for. */
    public static final List<String> ROLES = List.of("intake", "copies", "held-append", "held-tail");

    private static final String CAREFUL = "careful";

    private final List<Consumer<Ownership>> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, String> alarms = new TreeMap<>(); // guarded by this, as all below
    private boolean intakeConnected;
    private boolean publisherConnected;
    private Ownership ownership = Ownership.UNKNOWN;
    private @Nullable String blocked;
    private @Nullable String intakeProblem;
    private @Nullable String publisherProblem;
    private final Map<String, Long> connects = new TreeMap<>();

    private final MetricsCollector meters;

    /** Before anything is connected, with nobody who counts what goes over the connections. */
    public BrokerStatus() {
        this(new NoOpMetricsCollector());
    }

    /** @param meters told what goes over every connection of the bridge */
    public BrokerStatus(ClientMeters meters) {
        this((MetricsCollector) meters);
    }

    private BrokerStatus(MetricsCollector meters) {
        this.meters = meters;
    }

    MetricsCollector meters() {
        return meters;
    }

    /**
     * How often a connection of the bridge has come back after it was lost.
     *
     * @param role one of {@link #ROLES}
     */
    public synchronized long recoveries(String role) {
        return Math.max(0, connects.getOrDefault(role, 0L) - 1);
    }

    /** A connection of this role works now. */
    synchronized void connected(String role) {
        connects.merge(role, 1L, Long::sum);
    }

    /** The state now. */
    public synchronized Snapshot snapshot() {
        return new Snapshot(
                intakeConnected,
                ownership,
                publisherConnected,
                blocked,
                intakeProblem != null ? intakeProblem : publisherProblem,
                alarms.containsKey(CAREFUL),
                List.copyOf(alarms.values()));
    }

    /** Tells of every later change of the ownership, on the intake's thread: the listener must not block. */
    public void onOwnership(Consumer<Ownership> listener) {
        listeners.add(listener);
    }

    synchronized void intakeUp() {
        intakeConnected = true;
        connected("intake");
        intakeProblem = null;
    }

    void intakeDown(@Nullable String problem) {
        synchronized (this) {
            intakeConnected = false;
            intakeProblem = problem;
        }
        ownership(Ownership.UNKNOWN);
    }

    void ownership(Ownership now) {
        synchronized (this) {
            if (ownership == now) {
                return;
            }
            ownership = now;
        }
        listeners.forEach(listener -> listener.accept(now)); // outside the lock
    }

    synchronized void publisherUp() {
        publisherConnected = true;
        connected("copies");
        publisherProblem = null;
    }

    synchronized void publisherDown(@Nullable String problem) {
        publisherConnected = false;
        publisherProblem = problem;
        blocked = null;
    }

    synchronized void blocked(@Nullable String reason) {
        blocked = reason;
    }

    /**
     * Instructions are taken one by one from now on.
     *
     * @param why null when they no longer are
     */
    synchronized void careful(@Nullable String why) {
        if (why == null) {
            clear(CAREFUL);
        } else {
            raise(CAREFUL, why);
        }
    }

    /** Raises an alarm, or changes its sentence. */
    synchronized void raise(String name, String sentence) {
        alarms.put(name, sentence);
    }

    synchronized void clear(String name) {
        alarms.remove(name);
    }
}
