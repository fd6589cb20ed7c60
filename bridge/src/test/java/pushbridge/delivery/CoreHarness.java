package pushbridge.delivery;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import pushbridge.config.DeliveryConfig;
import pushbridge.config.HoldConfig;
import pushbridge.envelope.Address;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.KeepingRules;
import pushbridge.hold.LogRecord;
import pushbridge.testing.ManualClock;

/** A core with everything around it in the test's hands: broker, clients and time. */
final class CoreHarness {

    /** What publishers were told. */
    final List<Receipt> receipts = new ArrayList<>();

    static final int PREFETCH = 64;
    static final DeliveryConfig CONFIG =
            new DeliveryConfig(4, 1_000, Duration.ofSeconds(1), Duration.ofSeconds(2), 3, 2, 5);
    static final HoldConfig HOLD = new HoldConfig(Duration.ofHours(1), 50, 20, 1_000_000, 30, 1);

    /** So strict that a handful of records is worth copying forward. */
    private static final KeepingRules KEEPING = new KeepingRules(7, 1 << 20, 2, 300, Duration.ofDays(3650), 3, 1_000);

    final ManualClock clock = new ManualClock();
    final DeliveryStats stats = new DeliveryStats(0);
    final LoopQueue queue = new LoopQueue();
    /** Copies asked for and not confirmed, in order. */
    final List<Instruction> copying = new ArrayList<>();
    /** What became of each instruction that was copied: "offline: detail" or "expired". */
    final Map<Instruction, String> copies = new LinkedHashMap<>();

    /** What was told of lanes of connected users. */
    final List<String> lanes = new ArrayList<>();

    /** The held log: what was appended and has not come back, and what has, with its offset as the place in the list. */
    final Deque<LogRecord> appended = new ArrayDeque<>();

    final List<LogRecord> log;
    /** Held messages that were asked for and not read yet: id and offset. */
    final Deque<long[]> reads = new ArrayDeque<>();
    /** The one among them whose answer is in the queue, not yet known to the core. */
    private long @Nullable [] answered;

    /** Checkpoints that were found to be wrong. */
    final List<LogRecord.Checkpoint> rewinds = new ArrayList<>();

    final DeliveryCore core;
    final Holding holding;
    Channel channel = new Channel(1);
    private long lastTag;
    private int lastId;
    /** Records of the log that the core was told of. */
    private int tailed;

    boolean redelivering;
    int fenced;

    /** Without a held log. */
    CoreHarness() {
        this(CONFIG, HOLD, null);
    }

    /** With a new held log that is ours. */
    static CoreHarness holding() {
        return holding(new ArrayList<>());
    }

    /** With the held log that a bridge before this one has left. */
    static CoreHarness holding(List<LogRecord> log) {
        CoreHarness harness = starting(log);
        harness.own();
        return harness;
    }

    /** The same with room in memory for so many bytes of bodies. */
    static CoreHarness holding(List<LogRecord> log, long cacheBytes) {
        HoldConfig hold = new HoldConfig(
                HOLD.ttl(), HOLD.maxMessages(), HOLD.maxPerAddress(), HOLD.maxBytes(), cacheBytes, HOLD.segmentBytes());
        CoreHarness harness = new CoreHarness(CONFIG, hold, log);
        harness.own();
        return harness;
    }

    /** With an empty held log that takes so many messages. */
    static CoreHarness holdingUpTo(int messages) {
        HoldConfig hold = new HoldConfig(
                HOLD.ttl(), messages, HOLD.maxPerAddress(), HOLD.maxBytes(), HOLD.cacheBytes(), HOLD.segmentBytes());
        CoreHarness harness = new CoreHarness(CONFIG, hold, new ArrayList<>());
        harness.own();
        return harness;
    }

    /** With a held log that it has not read yet. */
    static CoreHarness starting(List<LogRecord> log) {
        return new CoreHarness(CONFIG, HOLD, log);
    }

    private CoreHarness(DeliveryConfig config, HoldConfig hold, @Nullable List<LogRecord> log) {
        this.log = log == null ? new ArrayList<>() : log;
        HeldLog heldLog = new HeldLog() {
            @Override
            public void append(LogRecord record) {
                appended.add(record);
            }

            @Override
            public void read(long id, long offset) {
                reads.add(new long[] {id, offset});
            }

            @Override
            public void forget(long id, long offset) {
                boolean isAnswered = answered != null && answered[0] == id && answered[1] == offset;
                if (!isAnswered && !reads.removeIf(read -> read[0] == id && read[1] == offset)) {
                    throw new AssertionError("nobody asked for " + id + " at " + offset);
                }
            }

            @Override
            public void flush() {}

            @Override
            public void rewind(LogRecord.Checkpoint wrong) {
                rewinds.add(wrong);
            }

            @Override
            public Original restore(byte[] properties, byte[] body) {
                return new Body(body, false);
            }
        };
        holding = new Holding(hold, log == null ? null : heldLog, KEEPING);
        core = new DeliveryCore(
                config,
                clock,
                new Copies() {
                    @Override
                    public void dead(Instruction instruction, DeadLetterReason reason, String detail) {
                        copying.add(instruction);
                        copies.put(instruction, reason.slug() + ": " + detail);
                    }

                    @Override
                    public void expired(Instruction instruction) {
                        copying.add(instruction);
                        copies.put(instruction, "expired");
                    }
                },
                receipts::add,
                holding,
                queue,
                stats,
                new LaneWatch() {
                    @Override
                    public void held(String address, int messages, String why) {
                        lanes.add(address + " is held with " + messages + ": " + why);
                    }

                    @Override
                    public void over(String address, long millis, boolean deserted) {
                        lanes.add(address + (deserted ? " is deserted" : " is live") + " after " + millis);
                    }
                });
    }

    /** The broker's side of one generation: knows which tags are acknowledged and refuses what a broker refuses. */
    static final class Channel implements IntakeChannel {
        private final long generation;
        private final int prefetch;
        private final TreeSet<Long> unacknowledged = new TreeSet<>();
        final List<String> acks = new ArrayList<>();
        int flushes;

        Channel(long generation) {
            this(generation, PREFETCH);
        }

        Channel(long generation, int prefetch) {
            this.generation = generation;
            this.prefetch = prefetch;
        }

        @Override
        public int atMostInHand() {
            return prefetch;
        }

        @Override
        public long generation() {
            return generation;
        }

        @Override
        public void ack(long tag, boolean multiple) {
            if (!unacknowledged.contains(tag)) {
                throw new AssertionError("PRECONDITION_FAILED - unknown delivery tag " + tag);
            }
            acks.add(multiple ? "≤" + tag : "" + tag);
            if (multiple) {
                unacknowledged.headSet(tag, true).clear();
            } else {
                unacknowledged.remove(tag);
            }
        }

        @Override
        public void flush() {
            flushes++;
        }

        boolean isAcknowledged(Instruction instruction) {
            return !unacknowledged.contains(instruction.tag());
        }

        int unacknowledged() {
            return unacknowledged.size();
        }
    }

    record Body(byte[] body, boolean redelivered) implements Original {
        @Override
        public byte[] serialized() {
            return new byte[0];
        }

        @Override
        public @Nullable String messageId() {
            return null;
        }
    }

    /** Publishes to an address under its default policy; the payload is the text. */
    Instruction publish(String address, String text) {
        OfflinePolicy policy = switch (parse(address).kind()) {
            case USER -> OfflinePolicy.HOLD;
            case CHANNEL, ALL -> OfflinePolicy.DROP;
            case CONNECTION -> OfflinePolicy.DEAD_LETTER;
        };
        return publish(address, text, policy, Instruction.NEVER);
    }

    Instruction publish(String address, String text, OfflinePolicy policy, long expiresAtMillis) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        return take(new Envelope(parse(address), "note", ++lastId, body), body, policy, expiresAtMillis);
    }

    Instruction publishRefused(DeadLetterReason reason, String detail) {
        return take(
                new Reading.Refusal(reason, detail, null), new byte[0], OfflinePolicy.DEAD_LETTER, Instruction.NEVER);
    }

    private Instruction take(Reading reading, byte[] body, OfflinePolicy policy, long expiresAtMillis) {
        Instruction instruction =
                new Instruction(channel, ++lastTag, new Body(body, redelivering), reading, policy, expiresAtMillis);
        channel.unacknowledged.add(instruction.tag());
        queue.take(instruction);
        return instruction;
    }

    private static Address parse(String address) {
        try {
            return Address.parse(address);
        } catch (Address.InvalidAddressException e) {
            throw new AssertionError(e);
        }
    }

    FakeClient connect(String id, @Nullable String user, Confirmation confirmation, String... channels) {
        return comeBack(null, id, user, confirmation, channels);
    }

    /** Connects as one that had another connection before. */
    FakeClient comeBack(
            @Nullable String resumes, String id, @Nullable String user, Confirmation confirmation, String... channels) {
        FakeClient client = new FakeClient();
        Session session = new Session(id, user, confirmation, client, queue, 3);
        session.resumes = resumes;
        client.session = session;
        queue.post(loop -> loop.open(session, List.of(channels)));
        run();
        return client;
    }

    /** Folds what is in the log and begins an epoch of its own. */
    void own() {
        tail();
        CompletableFuture<Void> done = claim();
        allComeBack();
        if (!done.isDone() || !rewinds.isEmpty()) {
            throw new AssertionError("the claim does not hold, or the fold began at a wrong checkpoint: " + rewinds);
        }
    }

    CompletableFuture<Void> claim() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        core.claim(done, () -> fenced++);
        return done;
    }

    /** The fold begins at the last checkpoint, if there is one, instead of the first record. */
    void beginAtCheckpoint() {
        long epoch = -1;
        LogRecord.Checkpoint last = null;
        for (LogRecord record : log) {
            epoch = Math.max(epoch, record.epoch());
            if (record instanceof LogRecord.Checkpoint checkpoint && checkpoint.epoch() == epoch) {
                last = checkpoint;
            }
        }
        if (last != null) {
            core.logBegins(last);
            tailed = (int) last.lowestLiveOffset();
        }
    }

    /** The core is told what it does not know of the log yet. */
    void tail() {
        for (; tailed < log.size(); tailed++) {
            int offset = tailed;
            queue.post(loop -> loop.logged(offset, log.get(offset), 100, 0));
        }
        run();
    }

    /** The oldest record on its way comes back. */
    void comeBack() {
        log.add(appended.remove());
        tail();
    }

    /** The oldest record on its way comes back, but its confirm gets lost: it will be appended once more. */
    void comeBackUnconfirmed() {
        log.add(appended.element());
        tail();
    }

    /** The broker refuses the oldest record on its way and takes the next one: both will be appended once more. */
    void comeBackWithoutTheOldest() {
        Iterator<LogRecord> records = appended.iterator();
        records.next();
        log.add(records.next());
        tail();
    }

    void allComeBack() {
        while (!appended.isEmpty()) {
            comeBack();
        }
    }

    /** The oldest read is answered; what stands in the queue before may still call it off, as it may in a bridge. */
    void answerRead() {
        long[] read = reads.remove();
        answered = read;
        LogRecord.Hold hold = (LogRecord.Hold) log.get((int) read[1]);
        for (LogRecord.Part part : hold.parts()) {
            for (HeldMessage message : part.messages()) {
                if (message.id() == read[0]) {
                    queue.post(loop -> loop.heldRead(part.address(), message));
                }
            }
        }
        run();
        answered = null;
    }

    /** The broker delivers something again. */
    Instruction redeliver(String address, String text) {
        redelivering = true;
        try {
            return publish(address, text);
        } finally {
            redelivering = false;
        }
    }

    /** The channel ends, and a new generation begins. */
    void loseChannel() {
        Channel lost = channel;
        queue.post(loop -> loop.channelLost(lost));
        beginGeneration();
        run();
    }

    /** A new generation begins; of the last one's end nobody was told yet. */
    void beginGeneration() {
        channel = new Channel(channel.generation + 1);
        lastTag = 0;
    }

    /** The broker confirms the oldest copy. */
    void confirmCopy() {
        Instruction instruction = copying.remove(0);
        queue.post(loop -> loop.copySafe(instruction));
        run();
    }

    /** One batch of the loop, as {@link DeliveryLoop} does it. */
    void run() {
        for (LoopEvent event = queue.nextEvent(); event != null; event = queue.nextEvent()) {
            event.run(core);
        }
        while (core.takesInstructions()) {
            Instruction instruction = queue.nextInstruction();
            if (instruction == null) {
                break;
            }
            core.take(instruction);
        }
        core.endBatch();
    }

    /** Time passes while the loop runs. */
    void pass(Duration time) {
        clock.advance(time);
        core.advance(time.toNanos());
        core.tick();
        run();
    }

    boolean isSettled(Instruction instruction) {
        return instruction.channel() == channel && channel.isAcknowledged(instruction);
    }
}
