package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import pushbridge.config.DeliveryConfig;
import pushbridge.delivery.Happening.Kind;
import pushbridge.delivery.Instruction.State;
import pushbridge.envelope.Address;
import pushbridge.envelope.AskedReceipt;
import pushbridge.envelope.ClientError;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;
import pushbridge.envelope.ServerFrames;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;
import pushbridge.outbox.Frame;

/**
 * Decides what happens to every instruction. One thread calls it, so nothing here is synchronized; it never parses,
 * blocks or touches a socket. Time comes in from outside.
 *
 * <p>Invariants kept here (all of them are listed in ARCHITECTURE.md):
 * <ul>
 *   <li>I1 an instruction is settled only in {@link #settle}, called for: confirmed by the client, accepted by every
 *       subscriber's outbox, dropped by policy, or its copy confirmed by the broker;
 *   <li>I2, I3 are kept by {@link Lanes};
 *   <li>I4 {@link #tick} moves on what stayed unsettled too long;
 *   <li>I6 an instruction of another generation than the current one is never touched.
 * </ul>
 */
final class DeliveryCore {

    private final DeliveryConfig config;
    private final Clock clock;
    private final Copies copies;
    private final Receipts receipts;
    private final LoopQueue queue;
    private final DeliveryStats stats;

    private final LaneWatch laneWatch;
    private final Watchers watchers;
    private final Directory directory = new Directory();
    private final Holding holding;
    private final Lanes lanes;
    private final Interventions interventions;
    private final Relief relief;
    private final Pacing pacing;
    private final Departures departures;
    /** Sessions to flush at the end of the batch. */
    private final List<Session> touched = new ArrayList<>();

    /** The current generation; null while there is none. */
    private @Nullable Settlement settlement;
    /** The message to many that waits for room; null when none does. */
    private @Nullable FanOut pending;
    /** Told when the held log is ours; null while nobody waits for it. */
    private @Nullable CompletableFuture<Void> claimed;
    /** Told when it is another's again. */
    private Runnable onFenced = () -> {};
    /** Whether the bridge is leaving: what cannot be delivered is left to the broker, for the next one. */
    private boolean leaving;
    /** Instructions of the current generation left to the broker. */
    private int left;
    /**
     * The loop's clock for patience, in nanoseconds: it stands still while the loop itself was stopped, because then a
     * client could not be heard either.
     */
    private long patienceNanos;

    DeliveryCore(
            DeliveryConfig config,
            Clock clock,
            Copies copies,
            Receipts receipts,
            Holding holding,
            LoopQueue queue,
            DeliveryStats stats,
            LaneWatch laneWatch) {
        this.config = config;
        this.clock = clock;
        this.copies = copies;
        this.receipts = receipts;
        this.queue = queue;
        this.stats = stats;
        this.laneWatch = laneWatch;
        this.holding = holding;
        this.relief = new Relief(config.fanoutPatience().toNanos());
        this.departures = new Departures(config.rememberedConnections());
        this.pacing = new Pacing(config.fanoutPatience().toNanos());
        this.watchers = new Watchers(clock);
        this.lanes = new Lanes(config, directory, holding, this, watchers);
        this.interventions = new Interventions(directory, holding, lanes, copies, stats, clock, watchers);
    }

    // ---- the broker's side -------------------------------------------------------------------------------------

    /** A generation has ended; the broker redelivers what it has not settled, so the loop forgets it (I6). */
    void channelLost(IntakeChannel channel) {
        queue.discardUpTo(channel.generation());
        if (settlement == null || settlement.channel() != channel) {
            return;
        }
        stats.countReturned(settlement.unsettled());
        if (watchers.any()) {
            watchers.tell(Kind.RETURNED, null, null, settlement.unsettled(), "the channel to RabbitMQ ended");
        }
        settlement = null;
        left = 0;
        pending = null;
        // Cursors stay: a redelivered message gets a new index behind all of them, so it is offered again, in order.
        lanes.channelLost();
    }

    /** Whether the next instruction may come: not while a fan-out waits for outboxes to be read, or after a freeze. */
    boolean takesInstructions() {
        return pending == null && !holding.isInDoubt();
    }

    /** Takes one instruction and decides. */
    void take(Instruction instruction) {
        Settlement current = settlement;
        if (current == null || current.channel() != instruction.channel()) {
            if (current != null
                    && current.channel().generation() > instruction.channel().generation()) {
                return; // I6: of a generation that has ended; the broker redelivers it
            }
            if (current != null) {
                // The report of its end is behind others in the queue, but one generation at a time is all there is.
                channelLost(current.channel());
            }
            current = new Settlement(instruction.channel());
            settlement = current;
        }
        current.take(instruction);
        stats.countReceived();
        instruction.takenAtNanos = patienceNanos;
        if (watchers.any()) {
            watchers.received(instruction);
        }
        if (instruction.reading() instanceof Envelope envelope) {
            route(instruction, envelope.to());
        } else {
            Reading.Refusal refusal = (Reading.Refusal) instruction.reading();
            copyDead(instruction, refusal.reason(), refusal.detail());
        }
    }

    /** The broker has confirmed the copy of an instruction. */
    void copySafe(Instruction instruction) {
        if (holding.isRestored(instruction)) {
            holding.release(instruction.tag()); // I1: its copy is safe
            if (watchers.any()) {
                watchers.copied(instruction);
            }
            if (instruction.deadReason == null) {
                stats.countExpired();
            } else {
                interventions.copied(instruction.tag());
            }
            tellCopied(instruction);
            return;
        }
        if (settlement == null || settlement.channel() != instruction.channel()) {
            return; // I6: the original is the broker's again; the copy is a duplicate of it
        }
        if (instruction.deadReason == null) {
            stats.countExpired();
        } else {
            stats.countDead(instruction.deadReason);
        }
        tellCopied(instruction);
        if (watchers.any()) {
            watchers.copied(instruction);
        }
        settle(instruction); // I1: its copy is safe
    }

    private void tellCopied(Instruction instruction) {
        if (instruction.deadReason == null) {
            tell(instruction, Receipt.Outcome.EXPIRED);
        } else {
            tell(instruction, Receipt.Outcome.DEAD_LETTERED);
        }
    }

    private void tell(Instruction instruction, Receipt.Outcome outcome) {
        AskedReceipt asked = instruction.original().askedReceipt();
        if (asked != null) {
            receipts.send(new Receipt(
                    asked,
                    outcome,
                    instruction.address(),
                    instruction.deadReason,
                    instruction.deadDetail,
                    clock.wallMillis()));
        }
    }

    /** Tells whoever asked what became of a message. */
    void tell(@Nullable AskedReceipt asked, Receipt.Outcome outcome, String address) {
        if (asked != null) {
            receipts.send(new Receipt(asked, outcome, address, null, null, clock.wallMillis()));
        }
    }

    private void route(Instruction instruction, Address to) {
        if (isExpired(instruction)) {
            copyExpired(instruction);
            return;
        }
        switch (to.kind()) {
            case USER, CONNECTION -> lanes.take(instruction, to);
            case CHANNEL -> {
                departures.sentTo(to.id());
                fanOut(instruction, to, directory.ofChannel(to.id()));
            }
            case ALL -> {
                departures.sentToAll();
                fanOut(instruction, to, directory.all());
            }
        }
    }

    // ---- to many -----------------------------------------------------------------------------------------------

    private void fanOut(Instruction instruction, Address to, Collection<Session> subscribers) {
        if (subscribers.isEmpty()) {
            undeliverable(instruction, "nobody is subscribed to " + to.text());
            return;
        }
        FanOut waiting = null;
        for (Session session : subscribers) {
            if (offerTo(session, instruction)) {
                continue;
            }
            if (session.isClosed()) {
                session.skipped = true;
            } else {
                if (waiting == null) {
                    waiting = new FanOut(instruction, subscribers.size(), patienceNanos);
                }
                waiting.add(session);
            }
        }
        if (watchers.any()) {
            watchers.tell(Kind.OFFERED, instruction, subscribers.size() - (waiting == null ? 0 : waiting.left()), "");
        }
        if (waiting == null) {
            settleFannedOut(instruction, subscribers.size()); // I1: every subscriber's outbox has it
        } else {
            if (watchers.any()) {
                watchers.tell(Kind.WAITING, instruction, waiting.left(), "so many outboxes are full");
            }
            instruction.state = State.FANNING_OUT;
            pending = waiting;
            if (pacing.patienceNanos(waiting.waitsForFew()) == 0) {
                retryFanOut();
            }
        }
    }

    boolean offerTo(Session session, Instruction instruction) {
        if (!session.offer(instruction.frame())) {
            return false;
        }
        offered(session);
        return true;
    }

    private void retryFanOut() {
        FanOut fanOut = pending;
        if (fanOut == null || holding.isInDoubt()) {
            return;
        }
        fanOut.retry(this, patienceNanos, pacing);
        if (fanOut.isDone()) {
            pending = null;
            stats.countPaced(patienceNanos - fanOut.startedAtNanos());
            // I1: every subscriber that is still there has it in its outbox
            settleFannedOut(fanOut.instruction(), fanOut.taken());
        }
    }

    private void settleFannedOut(Instruction instruction, int connections) {
        stats.countDelivered();
        tell(instruction, Receipt.Outcome.DELIVERED);
        if (watchers.any()) {
            watchers.tell(Kind.DELIVERED, instruction, connections, "in the outboxes of all that are there");
        }
        settle(instruction);
    }

    // ---- the held log ------------------------------------------------------------------------------------------

    void logBegins(LogRecord.@Nullable Checkpoint checkpoint) {
        holding.begins(checkpoint);
    }

    /** A record of the held log has come back, this process' or another's. */
    void logged(long offset, LogRecord record, int bytes, long writtenMillis) {
        boolean wasInDoubt = holding.isInDoubt();
        dropCancelledClaim();
        Holding.Meaning meaning =
                holding.logged(offset, record, bytes, writtenMillis == 0 ? clock.wallMillis() : writtenMillis);
        stats.countHeldLost(holding.takeMissing());
        switch (meaning) {
            case FOLDED -> {}
            case OWN -> {
                if (record instanceof LogRecord.Hold hold) {
                    lanes.held(hold);
                }
            }
            case BEGUN -> {
                departures.clear();
                lanes.restoreAll();
                claimHolds();
            }
            case RENEWED -> {
                lanes.appendAnew();
                claimHolds();
            }
            case FENCED -> {
                // Another bridge serves these users now; what is in hand here is the broker's, or that one's, already.
                lanes.abandon();
                interventions.fenced();
                closeAll(CloseCode.SERVICE_RESTART);
                if (watchers.any()) {
                    watchers.tell(Kind.FENCED, null, null, 1, "another bridge has claimed the held log");
                }
                onFenced.run();
            }
        }
        if (wasInDoubt && !holding.isInDoubt() && holding.isWriter()) {
            lanes.offerAll();
            retryFanOut();
        }
    }

    /**
     * The loop has stood still so long that the broker may have given this bridge up and another one may have taken
     * over. Nothing is offered until a record appended from now on has come back, or another's epoch.
     */
    void thawed() {
        if (holding.isThere()) {
            holding.doubt();
        }
    }

    /** Nobody wants the log any more who once did: the broker has passed the ownership on meanwhile. */
    private void dropCancelledClaim() {
        if (claimed != null && claimed.isCancelled()) {
            claimed = null;
            holding.abandonClaim();
        }
    }

    private void claimHolds() {
        if (claimed != null) {
            claimed.complete(null);
            claimed = null;
        }
    }

    void logSkipped(long offset) {
        holding.index().skip(offset);
        // It had an ordinal, which nothing else will have.
        holding.index().resynchronize();
    }

    void logTruncated() {
        holding.index().resynchronize();
    }

    /**
     * Becomes the one that writes the held log; at once when there is none.
     *
     * @param done completed then; whoever cancels it does not want the log any more
     * @param fenced run when another one writes it later
     */
    void claim(CompletableFuture<Void> done, Runnable fenced) {
        onFenced = fenced;
        if (!holding.isThere()) {
            done.complete(null);
            return;
        }
        claimed = done;
        holding.claim();
    }

    /** A held message that was asked for has been read. */
    void heldRead(String address, HeldMessage message) {
        if (holding.takeDeparting(message.id())) {
            departures.passed(address);
            Envelope envelope = new Envelope(addressOf(address), "", 0, message.body());
            Instruction restored = holding.restored(message, envelope);
            boolean wanted = interventions.copy(restored);
            if (watchers.any()) {
                watchers.tell(
                        wanted ? Kind.DEAD_LETTERING : Kind.EXPIRING, restored, wanted ? "an operator wants it" : "");
            }
            if (!wanted) {
                copies.expired(restored);
            }
        } else {
            lanes.read(message);
        }
        holding.forward(address, message);
        holding.looked(message.id(), message);
    }

    /** A held message is not in the log any more: counted, and given up, so that what follows it is delivered. */
    void heldMissing(long id, long offset) {
        if (holding.isLost(id, offset)) {
            stats.countHeldLost(1);
            if (watchers.any()) {
                watchers.held(Kind.LOST, holding.addressOf(id), id, "");
            }
            departures.passed(holding.addressOf(id));
            lanes.missing(id);
            interventions.lost(id);
            holding.looked(id, null);
        } else if (!holding.isHeld(id)) {
            holding.looked(id, null);
        }
    }

    @Nullable
    HeldPage heldPage(long afterId, int most) {
        return holding.page(afterId, most);
    }

    /** What operators can do among the held messages. */
    Interventions interventions() {
        return interventions;
    }

    private static Address addressOf(String address) {
        try {
            return Address.parse(address);
        } catch (Address.InvalidAddressException e) {
            throw new IllegalStateException("the held log names no address: " + address, e);
        }
    }

    long wallMillis() {
        return clock.wallMillis();
    }

    /** A connection was offered an envelope. */
    void offered(Session session) {
        stats.countOffered();
        touch(session);
    }

    void settleDelivered(Instruction instruction) {
        stats.countDelivered();
        settle(instruction);
    }

    void settleHeld(Instruction instruction) {
        stats.countHeld();
        settle(instruction);
    }

    void countAcked(long publishedMillis) {
        stats.publishedToAcked().record(clock.wallMillis() - publishedMillis);
    }

    void countHeldDelivered() {
        stats.countHeldDelivered();
    }

    // ---- what cannot be delivered ------------------------------------------------------------------------------

    /** A message for an address is delivered, or will not be: pages that are away and come back have missed it. */
    void passed(@Nullable String address) {
        if (address != null) {
            departures.passed(address);
        }
    }

    void undeliverable(Instruction instruction, String detail) {
        if (isExpired(instruction)) {
            copyExpired(instruction);
            return;
        }
        if (leaving) {
            instruction.state = State.LEFT;
            left++;
            if (watchers.any()) {
                watchers.tell(Kind.LEFT, instruction, "the bridge is stopping; RabbitMQ gives it to the next one");
            }
            return;
        }
        passed(instruction.address());
        switch (instruction.policy()) {
            case DROP -> {
                stats.countDropped();
                tell(instruction, Receipt.Outcome.DROPPED);
                if (watchers.any()) {
                    watchers.tell(Kind.DROPPED, instruction, detail);
                }
                settle(instruction); // I1: its policy says that it may be forgotten
            }
            // Without a held log a message that is to be held must not be lost either.
            case HOLD, DEAD_LETTER -> copyDead(instruction, DeadLetterReason.OFFLINE, detail);
        }
    }

    /** There is no room for it in the held log. */
    void holdFull(Instruction instruction) {
        passed(instruction.address());
        copyDead(
                instruction,
                DeadLetterReason.HOLD_FULL,
                "as many messages are held as may be, in all or for " + instruction.address());
    }

    private void copyDead(Instruction instruction, DeadLetterReason reason, String detail) {
        instruction.state = State.COPYING;
        instruction.deadReason = reason;
        instruction.deadDetail = detail;
        if (watchers.any()) {
            watchers.tell(Kind.DEAD_LETTERING, instruction, reason.slug() + ": " + detail);
        }
        copies.dead(instruction, reason, detail);
    }

    void copyExpired(Instruction instruction) {
        passed(instruction.address());
        instruction.state = State.COPYING;
        if (watchers.any()) {
            watchers.tell(Kind.EXPIRING, instruction, "");
        }
        copies.expired(instruction);
    }

    private boolean isExpired(Instruction instruction) {
        return instruction.expiresAtMillis() != Instruction.NEVER
                && clock.wallMillis() >= instruction.expiresAtMillis();
    }

    private void settle(Instruction instruction) {
        if (settlement == null) {
            throw new IllegalStateException(
                    "nothing to settle on: generation " + instruction.channel().generation() + " has ended");
        }
        settlement.settle(instruction);
        stats.settling().record((patienceNanos - instruction.takenAtNanos) / 1_000_000);
    }

    // ---- the clients' side -------------------------------------------------------------------------------------

    /** A client has connected. What waits for it is offered at once, from the head of its lane. */
    void open(Session session, List<String> channels) {
        open(session, channels, List.of(), Newcomer.NEVER);
    }

    /**
     * The same.
     *
     * @param refused channels that the client is told it may not listen to
     * @param expiresAt of its credentials
     */
    void open(Session session, List<String> channels, List<String> refused, long expiresAt) {
        if (session.isClosed()) {
            return;
        }
        directory.add(session);
        if (watchers.any()) {
            watchers.opened(session);
        }
        for (String channel : channels) {
            subscribe(session, channel);
        }
        if (session.resumes != null && holding.isWriter()) {
            session.departure = departures.back(session.resumes, session.user());
        }
        if (session.confirmation() == Confirmation.ACK) {
            // Before anything else the page gets from here; a page without acknowledgements expects no such frames.
            boolean complete = Departures.isComplete(session.departure);
            session.sink().reply(Frame.text(ServerFrames.welcome(session.id(), session.user(), complete, expiresAt)));
            touch(session);
        }
        for (String channel : refused) {
            reply(session, ServerFrames.forbidden(channel, 0));
        }
        lanes.opened(session);
    }

    /** Deals with everything a connection has reported since the last time. */
    void report(Session session) {
        if (!session.present) {
            return;
        }
        lanes.confirmed(session);
        for (ClientRequest request = session.takeRequest(); request != null; request = session.takeRequest()) {
            answer(session, request);
        }
        if (session.takeProgressed()) {
            session.full = false;
            lanes.roomAgain(session);
            retryFanOut();
        }
        if (session.isClosed()) {
            close(session);
        }
    }

    private void answer(Session session, ClientRequest request) {
        if (request instanceof ClientRequest.Subscribe subscribe) {
            if (session.channels().size() >= config.maxChannels()
                    && !session.channels().contains(subscribe.channel())) {
                reply(
                        session,
                        ServerFrames.error(
                                ClientError.TOO_MANY_CHANNELS,
                                "at most " + config.maxChannels() + " channels a connection",
                                subscribe.seq()));
            } else {
                subscribe(session, subscribe.channel());
                boolean complete = departures.isComplete(session.departure, subscribe.channel());
                reply(session, ServerFrames.subscribed(subscribe.channel(), complete, subscribe.seq()));
            }
        } else if (request instanceof ClientRequest.Unsubscribe unsubscribe) {
            unsubscribe(session, unsubscribe.channel());
            reply(session, ServerFrames.unsubscribed(unsubscribe.channel(), unsubscribe.seq()));
        } else if (request instanceof ClientRequest.Renew renew) {
            for (String channel : List.copyOf(session.channels())) {
                if (!renew.granted().test(channel)) {
                    unsubscribe(session, channel);
                    reply(session, ServerFrames.unsubscribed(channel, renew.seq()));
                }
            }
            reply(session, ServerFrames.renewed(renew.expiresAt(), renew.seq()));
        }
    }

    private void subscribe(Session session, String channel) {
        directory.subscribe(session, channel);
        if (watchers.any()) {
            watchers.tell(Kind.SUBSCRIBED, "channel." + channel, session.id(), 1, "");
        }
    }

    private void unsubscribe(Session session, String channel) {
        directory.unsubscribe(session, channel);
        if (watchers.any()) {
            watchers.tell(Kind.UNSUBSCRIBED, "channel." + channel, session.id(), 1, "");
        }
    }

    private void reply(Session session, String answer) {
        if (session.sink().reply(Frame.text(answer))) {
            touch(session);
        } else {
            // An answer that cannot be given would leave the client waiting for ever; it asked faster than it reads.
            session.sink().close(CloseCode.TOO_MANY);
        }
    }

    private void close(Session session) {
        directory.remove(session);
        if (watchers.any()) {
            watchers.closed(session);
        }
        if (session.departure != null) {
            departures.forget(session.departure);
        }
        if (holding.isWriter()) {
            departures.left(session);
        }
        lanes.closed(session);
    }

    /** Looks whether all outboxes together have more than they may; what waits and the bound, in bytes. */
    void relieve(long outboxBytes, long maxBytes) {
        relief.look(outboxBytes, maxBytes, directory.all(), patienceNanos);
    }

    /** Closes every connection. */
    void closeAll(CloseCode code) {
        for (Session session : directory.all()) {
            session.sink().close(code);
        }
    }

    // ---- who looks on ------------------------------------------------------------------------------------------

    void watch(Watcher watcher) {
        watchers.add(watcher);
    }

    void unwatch(Watcher watcher) {
        watchers.remove(watcher);
    }

    /** A lane is held from now on although somebody is connected. */
    void laneHeld(Lane lane, int messages, String why) {
        lane.heldSinceMillis = Math.max(1, clock.wallMillis());
        laneWatch.held(lane.address(), messages, why);
        if (watchers.any()) {
            watchers.tell(Kind.LANE_HELD, lane.address(), null, messages, why);
        }
    }

    /** That is over; no news when it is because everybody has left. */
    void laneOver(Lane lane, boolean deserted) {
        long millis = clock.wallMillis() - lane.heldSinceMillis;
        lane.heldSinceMillis = 0;
        laneWatch.over(lane.address(), millis, deserted);
        if (watchers.any() && !deserted) {
            watchers.tell(Kind.LANE_LIVE, lane.address(), null, 1, "after " + millis + " ms");
        }
    }

    /** How it stands with an address. */
    Standing standing(Address address) {
        return lanes.standing(address);
    }

    // ---- batches and time --------------------------------------------------------------------------------------

    private void touch(Session session) {
        if (!session.touched) {
            session.touched = true;
            touched.add(session);
        }
    }

    /** Whether what is held may be read for its clients: not while what waits for all of them takes too much (I5). */
    void roomInOutboxes(boolean room) {
        lanes.roomInOutboxes(room);
    }

    /** Lets frames and acknowledgements of the batch go out. */
    void endBatch() {
        lanes.readOn();
        for (Session session : touched) {
            session.touched = false;
            session.sink().flush();
        }
        touched.clear();
        holding.flush();
        interventions.endBatch();
        if (settlement != null) {
            // Leaving: the channel is closed as soon as the loop says that it is idle, so no acknowledgement may wait.
            settlement.flush(leaving);
        }
        stats.holding(
                holding.index(),
                holding.spanBytes(),
                holding.oldestAgeMillis(clock.wallMillis()),
                holding.cacheHits(),
                holding.cacheMisses());
        Instruction oldest = settlement == null ? null : settlement.oldest();
        stats.turned(
                directory,
                lanes.count(),
                settlement == null ? 0 : settlement.unsettled(),
                oldest == null ? 0 : patienceNanos - oldest.takenAtNanos,
                clock.nanoTime());
    }

    /** Passes time for everything that waits for a client. */
    void advance(long nanos) {
        patienceNanos += nanos;
    }

    /** Looks after what waits; called several times a second. */
    void tick() {
        pacing.pass(patienceNanos, pending != null && pending.isHeldUpByFew());
        retryFanOut();
        holding.sweep(clock.wallMillis(), lanes::has);
        holding.keep(clock.wallMillis());
        Settlement current = settlement;
        if (current == null) {
            return;
        }
        long takenBefore = patienceNanos - holdAfterNanos(current);
        for (Instruction stale : current.stale(takenBefore)) {
            lanes.stale( // I4: whatever its client does, it does not stay unsettled
                    stale,
                    "no connection of " + stale.address() + " confirmed it within "
                            + config.holdAfter().toMillis() + " ms");
        }
        current.flush(true);
    }

    /** The patience with a silent client: shorter as the room for others fills, because then it holds up the others (I4). */
    private long holdAfterNanos(Settlement current) {
        long whole = config.holdAfter().toNanos();
        int unsettled = current.unsettled();
        int most = current.channel().atMostInHand();
        if (unsettled * 4L < most * 3L) {
            return whole;
        }
        return unsettled * 8L < most * 7L ? whole / 2 : whole / 4;
    }

    /** From now on what cannot be delivered stays unsettled; the broker gives it to the next bridge, in order. */
    void leave() {
        leaving = true;
        interventions.cancel();
        holding.leave();
    }

    /** Whether nothing is in hand that could still be settled. */
    boolean isIdle() {
        return settlement == null || settlement.unsettled() == left;
    }
}
