package pushbridge.delivery;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import pushbridge.config.DeliveryConfig;
import pushbridge.config.HoldConfig;
import pushbridge.envelope.Address;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.KeepingRules;
import pushbridge.hold.LogRecord;
import pushbridge.outbox.OutboxTotals;

/**
 * The delivery loop: one thread that owns all delivery state, fed by one queue. Its methods may be called from any
 * thread and none blocks.
 */
public final class DeliveryLoop {

    /** So long the loop sleeps at most; patience and expiry are as exact as this. */
    private static final long TICK_NANOS = 20_000_000;

    /** A step of the clock beyond this means that the loop itself was stopped, not that clients were silent. */
    private static final long LONGEST_STEP_NANOS = 10 * TICK_NANOS;

    /** Instructions and events of one batch: enough to coalesce writes, few enough to keep the others waiting shortly. */
    private static final int BATCH = 512;

    /**
     * Under load the loop naps for so long between two turns, so that a turn, and the wake-ups and system calls it
     * causes, serves several messages. It is what a message waits longer for that at most.
     */
    private static final long NAP_NANOS = 250_000;

    /** Work that comes again within this time is load. */
    private static final long LOAD_NANOS = 1_000_000;

    /** A larger span factor takes more disk and copies less; below the floor nothing is worth copying. */
    private static final KeepingRules KEEPING =
            new KeepingRules(100_000, 64 << 20, 3, 64 << 20, Duration.ofDays(3650), 1_000, 1 << 20);

    private final DeliveryConfig config;
    private final Clock clock;
    private final Duration freeze;
    private final @Nullable HeldLog log;
    private final OutboxTotals outboxes;
    private final Consumer<Throwable> onFailure;
    private final LoopQueue queue = new LoopQueue();
    private final DeliveryStats stats;
    private final DeliveryCore core;
    private final Thread thread;

    private volatile boolean stopped;
    // Loop thread only.
    private long lastNanos;
    private long lastMachineMillis;
    private long lastTickNanos;
    private long lastWorkNanos;
    private boolean roomInOutboxes = true;
    private @Nullable CompletableFuture<Void> draining;

    /**
     * Starts nothing yet.
     *
     * @param freeze after standing still for this long, another bridge may have taken over
     * @param log null for none: then what is to be held becomes a dead letter
     * @param keeping how the held log is kept short; usually {@link #keepingRules}
     * @param outboxes what waits in all of them; while that is too much, instructions wait too
     * @param laneWatch told which lanes of connected users are held
     * @param onFailure told when the loop has died of a bug; nothing is delivered or settled from then on
     */
    public DeliveryLoop(
            DeliveryConfig config,
            Clock clock,
            Duration freeze,
            Copies copies,
            Receipts receipts,
            HoldConfig hold,
            @Nullable HeldLog log,
            KeepingRules keeping,
            OutboxTotals outboxes,
            LaneWatch laneWatch,
            Consumer<Throwable> onFailure) {
        this.config = config;
        this.clock = clock;
        this.freeze = freeze;
        this.log = log;
        this.outboxes = outboxes;
        this.onFailure = onFailure;
        this.stats = new DeliveryStats(clock.nanoTime());
        this.core = new DeliveryCore(
                config, clock, copies, receipts, new Holding(hold, log, keeping), queue, stats, laneWatch);
        this.thread = new Thread(this::run, "pushbridge-delivery");
    }

    /** How a bridge keeps the held log short, which says how long it gets at most. */
    public static KeepingRules keepingRules() {
        return KEEPING;
    }

    /** Starts the loop's thread. */
    public void start() {
        thread.start();
    }

    /** What it has done and where it stands. */
    public DeliveryStats stats() {
        return stats;
    }

    /**
     * A client has connected; from now on it is offered what is addressed to it.
     *
     * @param confirmation what tells that it has a message
     * @param sink the way to it
     */
    public SessionReports open(Newcomer client, Confirmation confirmation, FrameSink sink) {
        Session session = new Session(client.id(), client.user(), confirmation, sink, queue, config.maxRequests());
        session.resumes = client.resumes();
        queue.post(loop -> loop.open(session, client.channels(), client.refused(), client.expiresAt()));
        return session;
    }

    /** Closes every connection with this code; new ones are still taken. */
    public void closeAll(CloseCode code) {
        queue.post(loop -> loop.closeAll(code));
    }

    /**
     * The held log is read from here on, before the first record: what was read of it before counts no more.
     *
     * @param checkpoint where the fold begins; null for the first record there is
     */
    public void logBegins(LogRecord.@Nullable Checkpoint checkpoint) {
        queue.post(loop -> loop.logBegins(checkpoint));
    }

    /** A record of the held log cannot be read, or belongs to a later version. */
    public void logSkipped(long offset) {
        queue.post(loop -> loop.logSkipped(offset));
    }

    /** A part of the held log is gone: counted as lost when it is needed. */
    public void logTruncated() {
        queue.post(DeliveryCore::logTruncated);
    }

    /** Takes one instruction; the broker's prefetch bounds how many wait (I5). Those of one channel come in order. */
    public void take(Instruction instruction) {
        queue.take(instruction);
    }

    /** A generation of the intake has ended: whatever it has not settled will be redelivered by the broker. */
    public void channelLost(IntakeChannel channel) {
        queue.post(loop -> loop.channelLost(channel));
    }

    /** The copy of this instruction is safe: it may be acknowledged (I1). */
    public void copySafe(Instruction instruction) {
        queue.post(loop -> loop.copySafe(instruction));
    }

    /**
     * A record of the held log, in the order of the log.
     *
     * @param bytes what it takes in the log
     * @param writtenMillis when it was written, in milliseconds since 1970; 0 when that is not known
     * @param done run when the loop is through with it, so that the caller can bound what waits (I5)
     */
    public void logged(long offset, LogRecord record, int bytes, long writtenMillis, Runnable done) {
        queue.post(loop -> {
            loop.logged(offset, record, bytes, writtenMillis);
            done.run();
        });
    }

    /**
     * Becomes the one that writes the held log. Until the future ends no instruction may be taken. Whoever loses the
     * ownership before that cancels it; otherwise the claim would be repeated against the next owner.
     *
     * @param fenced run, on the loop's thread, when another bridge has claimed the log since
     */
    public CompletableFuture<Void> claim(Runnable fenced) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        queue.post(loop -> loop.claim(done, fenced));
        return done;
    }

    /**
     * A message that {@link HeldLog#read} was asked for.
     *
     * @param done run when the loop is through with it, so that the caller can bound what waits (I5)
     */
    public void heldRead(String address, HeldMessage message, Runnable done) {
        queue.post(loop -> {
            loop.heldRead(address, message);
            done.run();
        });
    }

    /**
     * A message that {@link HeldLog#read} was asked for is not there any more: it is lost, unless it was copied forward
     * meanwhile.
     *
     * @param offset where it was looked for
     */
    public void heldMissing(long id, long offset) {
        queue.post(loop -> loop.heldMissing(id, offset));
    }

    /** Something for the loop's thread; whoever posts bounds how much waits (I5). */
    void post(LoopEvent event) {
        queue.post(event);
    }

    /** Makes the original of a held message again. */
    Original original(HeldMessage message) {
        return Objects.requireNonNull(log, "there is a held log where something is held")
                .restore(message.properties(), message.body());
    }

    /**
     * From now on the watcher is told what happens. At most a few at a time, since all of them are told on the loop's thread.
     *
     * @param addresses a few
     * @return how it stands with each of these addresses, as of then
     */
    public CompletableFuture<List<Standing>> watch(Watcher watcher, List<Address> addresses) {
        CompletableFuture<List<Standing>> standing = new CompletableFuture<>();
        queue.post(loop -> {
            loop.watch(watcher);
            standing.complete(addresses.stream().map(loop::standing).toList());
        });
        return standing;
    }

    /** The watcher is told nothing any more, from a moment on that is soon. */
    public void unwatch(Watcher watcher) {
        queue.post(loop -> loop.unwatch(watcher));
    }

    /**
     * Takes no instruction any more, and leaves to the broker what cannot be delivered. The future ends when everything
     * else taken before is settled.
     */
    public CompletableFuture<Void> drain() {
        CompletableFuture<Void> drained = new CompletableFuture<>();
        queue.post(loop -> {
            loop.leave();
            draining = drained;
        });
        return drained;
    }

    /** Ends the loop's thread and waits for it. What is unsettled stays so. */
    public void stop() throws InterruptedException {
        stopped = true;
        queue.post(loop -> {});
        thread.join();
    }

    private void run() {
        lastNanos = clock.nanoTime();
        lastMachineMillis = clock.machineMillis();
        lastTickNanos = lastNanos;
        lastWorkNanos = lastNanos - LOAD_NANOS;
        try {
            while (!stopped) {
                long before = lastWorkNanos;
                int work = turn();
                if (work > 0 && work < BATCH / 2 && lastWorkNanos - before < LOAD_NANOS) {
                    LoopQueue.nap(NAP_NANOS);
                } else {
                    queue.await(takesInstructions(), TICK_NANOS);
                }
            }
        } catch (RuntimeException | Error failure) {
            // The state may be half changed, so going on could break any promise; the broker still has everything.
            onFailure.accept(failure);
        }
    }

    /**
     * One batch: what has happened, then instructions, then what is due by time.
     *
     * @return how many events and instructions there were
     */
    private int turn() {
        long now = clock.nanoTime();
        core.advance(Math.min(now - lastNanos, LONGEST_STEP_NANOS));
        if (stoodStill(now)) {
            core.thawed();
        }
        lastNanos = now;

        int room = BATCH;
        for (LoopEvent event = queue.nextEvent(); event != null; event = room > 0 ? queue.nextEvent() : null) {
            event.run(core);
            room--;
        }
        int work = BATCH - room;
        room = BATCH;
        roomInOutboxes = !outboxes.isFull(); // I5: looked at once a batch, so exceeded by one batch at most
        core.roomInOutboxes(roomInOutboxes);
        while (room > 0 && takesInstructions()) {
            Instruction instruction = queue.nextInstruction();
            if (instruction == null) {
                break;
            }
            core.take(instruction);
            room--;
        }
        work += BATCH - room;
        if (work > 0) {
            lastWorkNanos = now;
        }
        if (now - lastTickNanos >= TICK_NANOS) {
            lastTickNanos = now;
            core.tick();
            core.relieve(outboxes.bytes(), outboxes.maxBytes());
        }
        core.endBatch();
        if (draining != null && core.isIdle()) {
            draining.complete(null);
        }
        return work;
    }

    /** By either clock: the monotonic one need not count while the machine sleeps, the machine's one may be set. */
    private boolean stoodStill(long nowNanos) {
        long millis = clock.machineMillis();
        long machine = millis - lastMachineMillis;
        lastMachineMillis = millis;
        return nowNanos - lastNanos > freeze.toNanos() || machine > freeze.toMillis();
    }

    private boolean takesInstructions() {
        return roomInOutboxes && draining == null && core.takesInstructions();
    }
}
