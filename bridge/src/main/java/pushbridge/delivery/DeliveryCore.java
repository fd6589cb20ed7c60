package pushbridge.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.config.DeliveryConfig;
import pushbridge.delivery.Instruction.State;
import pushbridge.envelope.Address;
import pushbridge.envelope.ClientError;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;
import pushbridge.envelope.ServerFrames;
import pushbridge.outbox.Frame;

/**
 * Decides what happens to every instruction. One thread calls it, so nothing here is synchronized; it never parses,
 * blocks or touches a socket. Time comes in from outside.
 *
 * <p>Invariants kept here (all of them are listed in ARCHITECTURE.md):
 * <ul>
 *   <li>I1 an instruction is settled only in {@link #settle}, called for: confirmed by the client, accepted by every
 *       subscriber's outbox, dropped by policy, or its copy confirmed by the broker;
 *   <li>I2 {@link #deliver} settles a lane's messages as a prefix;
 *   <li>I4 {@link #tick} moves on what stayed unsettled too long;
 *   <li>I6 an instruction of another generation than the current one is never touched.
 * </ul>
 */
final class DeliveryCore {

    private final DeliveryConfig config;
    private final Clock clock;
    private final Copies copies;
    private final LoopQueue queue;
    private final int prefetch;
    private final DeliveryStats stats;

    private final Directory directory = new Directory();
    private final Map<String, Lane> lanes = new HashMap<>();
    /** Sessions to flush at the end of the batch. */
    private final List<Session> touched = new ArrayList<>();

    /** The current generation; null while there is none. */
    private @Nullable Settlement settlement;
    /** The message to many that waits for room; null when none does. */
    private @Nullable FanOut pending;
    /** Above every lane index used so far. */
    private long nextLaneIndex;
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
            DeliveryConfig config, int prefetch, Clock clock, Copies copies, LoopQueue queue, DeliveryStats stats) {
        this.config = config;
        this.prefetch = prefetch;
        this.clock = clock;
        this.copies = copies;
        this.queue = queue;
        this.stats = stats;
    }

    // ---- the broker's side -------------------------------------------------------------------------------------

    /** A generation has ended; the broker redelivers what it has not settled, so the loop forgets it (I6). */
    void channelLost(IntakeChannel channel) {
        queue.discardUpTo(channel.generation());
        if (settlement == null || settlement.channel() != channel) {
            return;
        }
        stats.countReturned(settlement.unsettled());
        settlement = null;
        left = 0;
        pending = null;
        // Cursors stay: a redelivered message gets a new index behind all of them, so it is offered again, in order.
        lanes.values().forEach(Lane::abandon);
        lanes.clear();
    }

    /** Whether the next instruction may come: not while a fan-out waits for outboxes to be read. */
    boolean takesInstructions() {
        return pending == null;
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
            current = new Settlement(instruction.channel(), prefetch);
            settlement = current;
        }
        current.take(instruction);
        stats.countReceived();
        instruction.takenAtNanos = patienceNanos;
        if (instruction.reading() instanceof Envelope envelope) {
            route(instruction, envelope.to());
        } else {
            Reading.Refusal refusal = (Reading.Refusal) instruction.reading();
            copyDead(instruction, refusal.reason(), refusal.detail());
        }
    }

    /** The broker has confirmed the copy of an instruction. */
    void copySafe(Instruction instruction) {
        if (settlement == null || settlement.channel() != instruction.channel()) {
            return; // I6: the original is the broker's again; the copy is a duplicate of it
        }
        if (instruction.deadReason == null) {
            stats.countExpired();
        } else {
            stats.countDead(instruction.deadReason);
        }
        settle(instruction); // I1: its copy is safe
    }

    private void route(Instruction instruction, Address to) {
        if (isExpired(instruction)) {
            copyExpired(instruction);
            return;
        }
        switch (to.kind()) {
            case USER -> intoLane(instruction, to, directory.ofUser(to.id()));
            case CONNECTION -> intoLane(instruction, to, directory.ofConnection(to.id()));
            case CHANNEL -> fanOut(instruction, to, directory.ofChannel(to.id()));
            case ALL -> fanOut(instruction, to, directory.all());
        }
    }

    // ---- lanes -------------------------------------------------------------------------------------------------

    private void intoLane(Instruction instruction, Address to, List<Session> sessions) {
        if (sessions.isEmpty()) {
            undeliverable(instruction, "nobody is connected as " + to.text());
            return;
        }
        Lane lane = lanes.get(to.text());
        if (lane == null) {
            lane = new Lane(to.text(), to.kind() == Address.Kind.USER, nextLaneIndex);
            lanes.put(to.text(), lane);
        }
        lane.append(instruction);
        nextLaneIndex = Math.max(nextLaneIndex, lane.tail());
        offerLane(lane, sessions);
    }

    private void offerLane(Lane lane, List<Session> sessions) {
        for (Session session : sessions) {
            offerLane(lane, session);
        }
        forgetIfEmpty(lane);
    }

    /** Offers a connection everything of a lane that it has not been offered and that the window admits, in order. */
    private void offerLane(Lane lane, Session session) {
        if (session.full) {
            return; // it reports when there is room again
        }
        for (long index = Math.max(session.cursor(lane) + 1, lane.head()); index < lane.tail(); index++) {
            Instruction instruction = lane.get(index);
            if (instruction != null) {
                if (!lane.isOffered(instruction) && isExpired(instruction)) {
                    lane.remove(instruction);
                    copyExpired(instruction);
                } else if (!lane.windowAdmits(index, config.windowMessages(), config.windowBytes())) {
                    return;
                } else if (session.offer(instruction)) {
                    lane.offered(instruction);
                    stats.countOffered();
                    touch(session);
                } else {
                    session.full = true;
                    return;
                }
            }
            session.moveCursor(lane, index);
        }
    }

    /**
     * The client behind a connection has everything of the lane up to this message: settles that prefix, whatever other
     * connections have (I2: nothing is settled before what came earlier).
     */
    private void deliver(Lane lane, long upTo, List<Session> sessions) {
        for (long index = lane.head(); index <= upTo; index++) {
            Instruction instruction = lane.get(index);
            if (instruction != null) {
                lane.remove(instruction);
                stats.countDelivered();
                settle(instruction); // I1: the client has it
            }
        }
        for (Session other : sessions) {
            if (other.cursor(lane) < upTo) {
                // It was never offered what is settled now: it would miss a message, so it has to come back.
                other.sink().close(CloseCode.BEHIND);
            }
        }
        offerLane(lane, sessions);
    }

    private void forgetIfEmpty(Lane lane) {
        if (lane.isEmpty()) {
            lanes.remove(lane.address(), lane);
        }
    }

    /** Moves all unsettled messages of a lane elsewhere, in order. */
    private void spill(Lane lane, String detail) {
        lanes.remove(lane.address());
        for (long index = lane.head(); index < lane.tail(); index++) {
            Instruction instruction = lane.get(index);
            if (instruction != null) {
                instruction.lane = null;
                undeliverable(instruction, detail);
            }
        }
    }

    private List<Session> sessionsOf(Lane lane) {
        return lane.isOfUser()
                ? directory.ofUser(lane.address().substring("user.".length()))
                : directory.ofConnection(lane.address().substring("connection.".length()));
    }

    // ---- to many -----------------------------------------------------------------------------------------------

    private void fanOut(Instruction instruction, Address to, Collection<Session> subscribers) {
        if (subscribers.isEmpty()) {
            undeliverable(instruction, "nobody is subscribed to " + to.text());
            return;
        }
        FanOut waiting = null;
        for (Session session : subscribers) {
            if (!offerTo(session, instruction) && !session.isClosed()) {
                if (waiting == null) {
                    waiting = new FanOut(instruction, patienceNanos);
                }
                waiting.add(session);
            }
        }
        if (waiting == null) {
            stats.countDelivered();
            settle(instruction); // I1: every subscriber's outbox has it
        } else {
            instruction.state = State.FANNING_OUT;
            pending = waiting;
        }
    }

    boolean offerTo(Session session, Instruction instruction) {
        if (!session.offer(instruction.frame())) {
            return false;
        }
        stats.countOffered();
        touch(session);
        return true;
    }

    private void retryFanOut() {
        FanOut fanOut = pending;
        if (fanOut == null) {
            return;
        }
        fanOut.retry(this, patienceNanos, config.fanoutPatience().toNanos());
        if (fanOut.isDone()) {
            pending = null;
            stats.countPaced(patienceNanos - fanOut.startedAtNanos());
            stats.countDelivered();
            settle(fanOut.instruction()); // I1: every subscriber that is still there has it in its outbox
        }
    }

    // ---- what cannot be delivered ------------------------------------------------------------------------------

    private void undeliverable(Instruction instruction, String detail) {
        if (isExpired(instruction)) {
            copyExpired(instruction);
            return;
        }
        if (leaving) {
            instruction.state = State.LEFT;
            left++;
            return;
        }
        switch (instruction.policy()) {
            case DROP -> {
                stats.countDropped();
                settle(instruction); // I1: its policy says that it may be forgotten
            }
            // Without a held log a message that is to be held must not be lost either.
            case HOLD, DEAD_LETTER -> copyDead(instruction, DeadLetterReason.OFFLINE, detail);
        }
    }

    private void copyDead(Instruction instruction, DeadLetterReason reason, String detail) {
        instruction.state = State.COPYING;
        instruction.deadReason = reason;
        copies.dead(instruction, reason, detail);
    }

    private void copyExpired(Instruction instruction) {
        instruction.state = State.COPYING;
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
    }

    // ---- the clients' side -------------------------------------------------------------------------------------

    /** A client has connected. What waits for it is offered at once, from the head of its lane. */
    void open(Session session, List<String> channels) {
        if (session.isClosed()) {
            return;
        }
        directory.add(session);
        for (String channel : channels) {
            directory.subscribe(session, channel);
        }
        if (session.user() != null) {
            Lane lane = lanes.get("user." + session.user());
            if (lane != null) {
                offerLane(lane, session);
                forgetIfEmpty(lane);
            }
        }
    }

    /** Deals with everything a connection has reported since the last time. */
    void report(Session session) {
        if (!session.present) {
            return;
        }
        takeConfirmations(session);
        for (ClientRequest request = session.takeRequest(); request != null; request = session.takeRequest()) {
            answer(session, request);
        }
        if (session.takeProgressed()) {
            session.full = false;
            offerLanesOf(session);
            retryFanOut();
        }
        if (session.isClosed()) {
            close(session);
        }
    }

    private void takeConfirmations(Session session) {
        Lane lane = null;
        long upTo = -1;
        for (Instruction confirmed = session.takeConfirmed(); confirmed != null; confirmed = session.takeConfirmed()) {
            if (confirmed.lane == null) {
                continue; // settled meanwhile, or of a generation that has ended (I6)
            }
            if (lane != null && lane != confirmed.lane) {
                confirmed(session, lane, upTo);
                if (confirmed.lane == null) {
                    continue;
                }
            }
            lane = confirmed.lane;
            upTo = confirmed.laneIndex;
        }
        if (lane != null) {
            confirmed(session, lane, upTo);
        }
    }

    private void confirmed(Session session, Lane lane, long upTo) {
        List<Session> sessions = sessionsOf(lane);
        if (session.confirmation() == Confirmation.ACK || !anyAcknowledges(sessions)) {
            deliver(lane, upTo, sessions);
        } else {
            // While the user has a page that acknowledges, only that counts; this one got a copy.
            session.confirmedIndex = upTo;
        }
    }

    private static boolean anyAcknowledges(List<Session> sessions) {
        for (Session session : sessions) {
            if (session.confirmation() == Confirmation.ACK) {
                return true;
            }
        }
        return false;
    }

    private void offerLanesOf(Session session) {
        Lane own = lanes.get("connection." + session.id());
        if (own != null) {
            offerLane(own, session);
            forgetIfEmpty(own);
        }
        if (session.user() != null) {
            Lane lane = lanes.get("user." + session.user());
            if (lane != null) {
                offerLane(lane, session);
                forgetIfEmpty(lane);
            }
        }
    }

    private void answer(Session session, ClientRequest request) {
        String answer;
        if (request instanceof ClientRequest.Subscribe subscribe) {
            if (session.channels().size() >= config.maxChannels()
                    && !session.channels().contains(subscribe.channel())) {
                answer = ServerFrames.error(
                        ClientError.TOO_MANY_CHANNELS,
                        "at most " + config.maxChannels() + " channels a connection",
                        subscribe.seq());
            } else {
                directory.subscribe(session, subscribe.channel());
                // What was published before is not known to have been seen, so it is not complete.
                answer = ServerFrames.subscribed(subscribe.channel(), false, subscribe.seq());
            }
        } else {
            directory.unsubscribe(session, request.channel());
            answer = ServerFrames.unsubscribed(request.channel(), request.seq());
        }
        if (session.offer(Frame.text(answer))) {
            touch(session);
        } else {
            // An answer that cannot be given would leave the client waiting for ever; it asked faster than it reads.
            session.sink().close(CloseCode.TOO_MANY);
        }
    }

    private void close(Session session) {
        directory.remove(session);
        Lane own = lanes.get("connection." + session.id());
        if (own != null) {
            spill(own, "connection." + session.id() + " closed before it had the message");
        }
        if (session.user() == null) {
            return;
        }
        Lane lane = lanes.get("user." + session.user());
        if (lane == null) {
            return;
        }
        List<Session> others = directory.ofUser(session.user());
        if (others.isEmpty()) {
            spill(lane, "the last connection of user." + session.user() + " closed before it had the message");
        } else if (session.confirmation() == Confirmation.ACK && !anyAcknowledges(others)) {
            // From now on the plain connections have the say; what they have confirmed counts.
            long upTo = -1;
            for (Session other : others) {
                upTo = Math.max(upTo, other.confirmedIndex);
            }
            deliver(lane, upTo, others);
        }
    }

    /** Closes every connection. */
    void closeAll(CloseCode code) {
        for (Session session : directory.all()) {
            session.sink().close(code);
        }
    }

    // ---- batches and time --------------------------------------------------------------------------------------

    private void touch(Session session) {
        if (!session.touched) {
            session.touched = true;
            touched.add(session);
        }
    }

    /** Lets frames and acknowledgements of the batch go out. */
    void endBatch() {
        for (Session session : touched) {
            session.touched = false;
            session.sink().flush();
        }
        touched.clear();
        if (settlement != null) {
            // Leaving: the channel is closed as soon as the loop says that it is idle, so no acknowledgement may wait.
            settlement.flush(leaving);
        }
        stats.turned(directory, lanes.size(), settlement == null ? 0 : settlement.unsettled(), clock.nanoTime());
    }

    /** Passes time for everything that waits for a client. */
    void advance(long nanos) {
        patienceNanos += nanos;
    }

    /** Looks after what waits; called several times a second. */
    void tick() {
        retryFanOut();
        Settlement current = settlement;
        if (current == null) {
            return;
        }
        long takenBefore = patienceNanos - holdAfterNanos(current.unsettled());
        for (Instruction stale : current.stale(takenBefore)) {
            if (stale.lane != null) {
                spill( // I4: whatever its client does, it does not stay unsettled
                        stale.lane,
                        "no connection of " + stale.address() + " confirmed it within "
                                + config.holdAfter().toMillis() + " ms");
            }
        }
        current.flush(true);
    }

    /** The patience with a silent client: shorter as the prefetch fills, because then it holds up the others (I4). */
    private long holdAfterNanos(int unsettled) {
        long whole = config.holdAfter().toNanos();
        if (unsettled * 4L < prefetch * 3L) {
            return whole;
        }
        return unsettled * 8L < prefetch * 7L ? whole / 2 : whole / 4;
    }

    /** From now on what cannot be delivered stays unsettled; the broker gives it to the next bridge, in order. */
    void leave() {
        leaving = true;
    }

    /** Whether nothing is in hand that could still be settled. */
    boolean isIdle() {
        return settlement == null || settlement.unsettled() == left;
    }
}
