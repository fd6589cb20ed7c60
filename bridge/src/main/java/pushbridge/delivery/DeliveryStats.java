package pushbridge.delivery;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.hold.HeldIndex;
import pushbridge.timing.Durations;

/**
 * What the delivery loop has done and where it stands. Written by the loop, read by anybody; the counters only grow,
 * the gauges are as of the end of the loop's last batch. Every instruction received is counted once as delivered, held,
 * dead, expired or dropped when it is settled, or is still unsettled, or was returned to the queue with its generation.
 */
public final class DeliveryStats {

    private final LongAdder received = new LongAdder();
    private final LongAdder delivered = new LongAdder();
    private final LongAdder held = new LongAdder();
    private final LongAdder heldDelivered = new LongAdder();
    private final LongAdder heldLost = new LongAdder();
    private final LongAdder heldReleased = new LongAdder();
    private final LongAdder heldDropped = new LongAdder();
    private final LongAdder heldDead = new LongAdder();
    private final LongAdder expired = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder returned = new LongAdder();
    private final LongAdder framesOffered = new LongAdder();
    private final LongAdder pacedNanos = new LongAdder();
    private final Map<DeadLetterReason, LongAdder> dead = new EnumMap<>(DeadLetterReason.class);

    private final Durations publishedToAcked = new Durations();
    private final Durations settling = new Durations();

    private volatile int sessions;
    private volatile int users;
    private volatile int channels;
    private volatile int lanes;
    private volatile int unsettled;
    private volatile long oldestUnsettledNanos;
    private volatile int heldMessages;
    private volatile int heldAddresses;
    private volatile long heldBytes;
    private volatile long heldSpanBytes;
    private volatile long heldOldestMillis;
    private volatile long recordsVoid;
    private volatile long recordsRepeated;
    private volatile long recordsAhead;
    private volatile long recordsSkipped;
    private volatile long failedCheckpoints;
    private volatile long cacheHits;
    private volatile long cacheMisses;
    private volatile long epoch;
    private volatile long lastTurnNanos;

    /** @param nowNanos on the loop's clock */
    DeliveryStats(long nowNanos) {
        lastTurnNanos = nowNanos;
        for (DeadLetterReason reason : DeadLetterReason.values()) {
            dead.put(reason, new LongAdder());
        }
    }

    /** Instructions taken from the intake. */
    public long received() {
        return received.sum();
    }

    /** Instructions settled because a client, or every subscriber's outbox, has them. */
    public long delivered() {
        return delivered.sum();
    }

    /** Instructions settled because their copy is safe in the dead-letter queue. */
    public long dead(DeadLetterReason reason) {
        return counterOf(reason).sum();
    }

    /** Instructions settled because the held log has them. */
    public long held() {
        return held.sum();
    }

    /** Held messages that a client has got since. */
    public long heldDelivered() {
        return heldDelivered.sum();
    }

    /** Held messages that the log had no more when they were needed. */
    public long heldLost() {
        return heldLost.sum();
    }

    /** Addresses whose held messages were offered once more because an operator wanted it. */
    public long heldReleased() {
        return heldReleased.sum();
    }

    /** Held messages that an operator had dropped. */
    public long heldDropped() {
        return heldDropped.sum();
    }

    /** Held messages that an operator had moved to the dead letters; they are not counted in {@link #dead}. */
    public long heldDead() {
        return heldDead.sum();
    }

    /** Instructions settled because their time was over and their copy is safe. */
    public long expired() {
        return expired.sum();
    }

    /** Instructions settled because nobody was there and their policy is to forget them. */
    public long dropped() {
        return dropped.sum();
    }

    /** Instructions that were unsettled when their channel ended; the broker redelivers them. */
    public long returned() {
        return returned.sum();
    }

    /** Envelopes put into outboxes: one a connection an instruction goes to. */
    public long framesOffered() {
        return framesOffered.sum();
    }

    /** How long the intake was held back to let outboxes be read, in nanoseconds. */
    public long pacedNanos() {
        return pacedNanos.sum();
    }

    /** Connections the loop knows. */
    public int sessions() {
        return sessions;
    }

    /** Users with at least one connection. */
    public int users() {
        return users;
    }

    /** Channels with at least one subscriber. */
    public int channels() {
        return channels;
    }

    /** Addresses with unsettled messages. */
    public int lanes() {
        return lanes;
    }

    /** Instructions in hand and not settled. */
    public int unsettled() {
        return unsettled;
    }

    /** How long the one in hand longest has not been settled, in nanoseconds; 0 while none is in hand. */
    public long oldestUnsettledNanos() {
        return oldestUnsettledNanos;
    }

    /** From the publish to the confirmation of the client, for messages to a user or connection that tell when it was. */
    public Durations publishedToAcked() {
        return publishedToAcked;
    }

    /** From taking an instruction to settling it, whatever the outcome. */
    public Durations settling() {
        return settling;
    }

    /** Messages in the held log that nobody has got yet. */
    public int heldMessages() {
        return heldMessages;
    }

    /** Addresses they are for. */
    public int heldAddresses() {
        return heldAddresses;
    }

    /** What they take in the log. */
    public long heldBytes() {
        return heldBytes;
    }

    /** What the log takes from the oldest of them on. */
    public long heldSpanBytes() {
        return heldSpanBytes;
    }

    /** How long ago the oldest of their records was written or copied forward, in milliseconds; 0 when none is held. */
    public long heldOldestMillis() {
        return heldOldestMillis;
    }

    /** Records of the log that had no effect, because their owner had been replaced. */
    public long recordsVoid() {
        return recordsVoid;
    }

    /** Records of the log that had no effect, because they were there before. */
    public long recordsRepeated() {
        return recordsRepeated;
    }

    /** Records of the log that had no effect yet, because one before them had been refused; they come again. */
    public long recordsAhead() {
        return recordsAhead;
    }

    /** Records of the log that could not be read. */
    public long recordsSkipped() {
        return recordsSkipped;
    }

    /** Checkpoints that did not agree with what this process has read. */
    public long failedCheckpoints() {
        return failedCheckpoints;
    }

    /** Bodies of held messages that were still in memory when their readers wanted them. */
    public long cacheHits() {
        return cacheHits;
    }

    /** Bodies that had to be asked for. */
    public long cacheMisses() {
        return cacheMisses;
    }

    /** The epoch of the log's present owner; 0 when it never had one. */
    public long epoch() {
        return epoch;
    }

    /** When the loop last finished a batch, on its clock; it does so several times a second even when idle. */
    public long lastTurnNanos() {
        return lastTurnNanos;
    }

    // Loop thread only, from here on.

    void countReceived() {
        received.increment();
    }

    void countDelivered() {
        delivered.increment();
    }

    void countDead(DeadLetterReason reason) {
        counterOf(reason).increment();
    }

    void countHeld() {
        held.increment();
    }

    void countHeldLost(long messages) {
        heldLost.add(messages);
    }

    void countReleased() {
        heldReleased.increment();
    }

    void countHeldDropped(int messages) {
        heldDropped.add(messages);
    }

    void countHeldDead() {
        heldDead.increment();
    }

    void countHeldDelivered() {
        heldDelivered.increment();
    }

    void countExpired() {
        expired.increment();
    }

    void countDropped() {
        dropped.increment();
    }

    void countReturned(int instructions) {
        returned.add(instructions);
    }

    void countOffered() {
        framesOffered.increment();
    }

    void countPaced(long nanos) {
        pacedNanos.add(nanos);
    }

    private LongAdder counterOf(DeadLetterReason reason) {
        return Objects.requireNonNull(dead.get(reason), "every reason has a counter");
    }

    void turned(Directory directory, int lanesNow, int unsettledNow, long oldestNanos, long nanos) {
        sessions = directory.all().size();
        users = directory.users();
        channels = directory.channels();
        lanes = lanesNow;
        unsettled = unsettledNow;
        oldestUnsettledNanos = oldestNanos;
        lastTurnNanos = nanos;
    }

    void holding(HeldIndex index, long spanBytes, long oldestAgeMillis, long hits, long misses) {
        cacheHits = hits;
        cacheMisses = misses;
        heldMessages = index.count();
        heldAddresses = index.lanes();
        heldBytes = index.bytes();
        heldSpanBytes = spanBytes;
        heldOldestMillis = oldestAgeMillis;
        recordsVoid = index.voided();
        recordsRepeated = index.repeated();
        recordsAhead = index.ahead();
        recordsSkipped = index.skipped();
        failedCheckpoints = index.failedCheckpoints();
        epoch = Math.max(0, index.epoch());
    }
}
