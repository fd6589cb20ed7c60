package pushbridge.delivery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import pushbridge.config.DeliveryConfig;
import pushbridge.delivery.Happening.Kind;
import pushbridge.delivery.LaneMessage.Place;
import pushbridge.envelope.Address;
import pushbridge.envelope.Envelope;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;
import pushbridge.outbox.Frame;

/**
 * Delivery to one user or one connection: what is offered to whom, and where the copy of what is not delivered yet
 * lives. A lane is live while its messages are only in the broker's queue; from the moment one of them is in the held log
 * every later one goes there too, until all are delivered (I3). That moves copies, not messages: cursors stay, and what
 * was offered is not offered again. Loop thread only.
 */
final class Lanes {

    /** Messages of one lane in one held record: so many at once that waiting for the record costs little. */
    private static final int RECORD_MESSAGES = 256;

    /** Bytes of bodies of one lane in one held record; one message always fits. */
    private static final int RECORD_BYTES = 64 * 1024;

    private static final String EARLIER_ARE_HELD = "earlier messages of this address are held";

    private final DeliveryConfig config;
    private final Directory directory;
    private final Holding holding;
    private final DeliveryCore core;
    private final Watchers watchers;

    private final Map<String, Lane> lanes = new HashMap<>();
    /** Above every lane index used so far. */
    private long nextLaneIndex;
    /** Lanes whose next bodies wait until there is room for them in memory. */
    private final Deque<Lane> queue = new ArrayDeque<>();

    private boolean roomInOutboxes = true;
    /** Whether the lanes of the queue have their turn, and which of its ends. */
    private boolean reading;

    private boolean newestNext;

    Lanes(DeliveryConfig config, Directory directory, Holding holding, DeliveryCore core, Watchers watchers) {
        this.config = config;
        this.directory = directory;
        this.holding = holding;
        this.core = core;
        this.watchers = watchers;
    }

    int count() {
        return lanes.size();
    }

    boolean has(String address) {
        return lanes.containsKey(address);
    }

    // ---- in ----------------------------------------------------------------------------------------------------

    void take(Instruction instruction, Address to) {
        if (isDuplicate(instruction, to)) {
            return;
        }
        List<Session> sessions = sessionsOf(to);
        if (sessions.isEmpty() && !mayHold(instruction)) {
            core.undeliverable(instruction, "nobody is connected as " + to.text());
            return;
        }
        Lane lane = lanes.get(to.text());
        if (lane == null) {
            lane = new Lane(to.text(), to.kind() == Address.Kind.USER, nextLaneIndex);
            lanes.put(to.text(), lane);
        }
        instruction.state = Instruction.State.IN_LANE;
        LaneMessage message = LaneMessage.inHand(instruction);
        instruction.laneMessage = message;
        append(lane, message);
        offer(lane, sessions);
        if (watchers.any() && !sessions.isEmpty() && message.lane == lane && !lane.isOffered(message)) {
            watchers.tell(Kind.WAITING, lane.address(), message, null, whyNotOffered(sessions));
        }
        if (sessions.isEmpty()) {
            hold(lane, "nobody is connected as " + to.text(), any -> true);
        } else if (lane.isHeld()) {
            hold(lane, EARLIER_ARE_HELD, any -> false);
        } else if (holding.isThere() && lane.waiting() > config.windowMessages()) {
            hold(lane, "more than " + config.windowMessages() + " wait to be offered", any -> false);
        }
        forgetIfEmpty(lane);
    }

    private String whyNotOffered(List<Session> sessions) {
        if (holding.isInDoubt()) {
            return "the bridge stood still, and makes sure that it is still the owner";
        }
        for (Session session : sessions) {
            if (!session.full) {
                return "as many are offered and not confirmed as may be, or earlier ones are being read";
            }
        }
        return "its outbox is full";
    }

    private void append(Lane lane, LaneMessage message) {
        lane.append(message);
        nextLaneIndex = Math.max(nextLaneIndex, lane.tail());
    }

    private boolean mayHold(Instruction instruction) {
        return instruction.policy() == OfflinePolicy.HOLD && holding.isThere();
    }

    /** Whether the held log has it, or is about to: delivered once more because its acknowledgement was lost. */
    private boolean isDuplicate(Instruction instruction, Address to) {
        if (!instruction.isRedelivered() || !mayHold(instruction)) {
            return false;
        }
        long hash = instruction.contentHash();
        if (holding.isHeld(to.text(), hash, ((Envelope) instruction.reading()).body().length)) {
            if (watchers.any()) {
                watchers.tell(Kind.DUPLICATE, instruction, "the held log has it");
            }
            core.settleHeld(instruction); // I1: its record is in the log
            return true;
        }
        Lane lane = lanes.get(to.text());
        if (lane != null) {
            for (LaneMessage message : lane.appending()) {
                if (message.instruction == null && message.contentHash == hash) {
                    instruction.state = Instruction.State.IN_LANE;
                    instruction.laneMessage = message;
                    message.instruction = instruction; // settled when its record comes back
                    if (watchers.any()) {
                        watchers.tell(Kind.DUPLICATE, instruction, "it is on its way into the held log");
                    }
                    return true;
                }
            }
        }
        return false;
    }

    // ---- out ---------------------------------------------------------------------------------------------------

    private void offer(Lane lane, List<Session> sessions) {
        for (Session session : sessions) {
            offer(lane, session);
        }
    }

    /** Offers a connection everything of a lane that it has not been offered and that the window admits, in order. */
    private void offer(Lane lane, Session session) {
        if (session.full || holding.isInDoubt()) {
            return; // it reports when there is room again; and what is in doubt ends
        }
        for (long index = Math.max(session.cursor(lane) + 1, lane.head()); index < lane.tail(); index++) {
            LaneMessage message = lane.get(index);
            if (message != null) {
                if (isOver(lane, message)) {
                    expire(lane, message);
                } else if (!lane.windowAdmits(message, config.windowMessages(), config.windowBytes())) {
                    return;
                } else if (!isHere(lane, message)) {
                    return; // I3: nothing overtakes it, so everything behind waits too
                } else if (session.offer(message)) {
                    lane.offered(message);
                    core.offered(session);
                    if (watchers.any()) {
                        watchers.tell(Kind.OFFERED, lane.address(), message, session.id(), "");
                    }
                    if (message.wanted && isLastOffered(message, lane, session)) {
                        holding.unwant(message); // I5: from here on it counts where it waits to be written
                    }
                } else {
                    session.full = true;
                    if (watchers.any()) {
                        String why = session.isClosed() ? "it is closing" : "";
                        watchers.tell(Kind.FULL, lane.address(), message, session.id(), why);
                    }
                    return;
                }
            }
            session.moveCursor(lane, index);
        }
    }

    /** Offers everybody what waited while it was in doubt whose users these are. */
    void offerAll() {
        for (Lane lane : List.copyOf(lanes.values())) {
            offer(lane, sessionsOf(lane));
            forgetIfEmpty(lane);
        }
    }

    private boolean isLastOffered(LaneMessage message, Lane lane, Session session) {
        for (Session other : sessionsOf(lane)) {
            if (other != session && other.cursor(lane) < message.laneIndex) {
                return false;
            }
        }
        return true;
    }

    private boolean isHere(Lane lane, LaneMessage message) {
        if (message.frame == null) {
            want(lane, message.laneIndex);
        }
        return message.frame != null; // it may have been in memory still
    }

    /**
     * Asks for the bodies of held messages from this one on, so that the window is full of what is on its way, is here or
     * was offered. Only when that is no more than half of it, since many bodies are read for little more than one; so
     * early that they come while the client deals with the other half. What was offered to another connection, and is not
     * here any more, is asked for at once.
     */
    private void want(Lane lane, long from) {
        long end = Math.min(lane.tail(), lane.head() + config.windowMessages());
        int before = 0;
        long bytesBefore = 0;
        boolean asking = false;
        for (long index = lane.head(); index < end; index++) {
            LaneMessage message = lane.get(index);
            if (message == null) {
                continue;
            }
            if (index >= from && message.frame == null && !message.wanted) {
                if (!lane.isOffered(message)) {
                    asking |= before <= config.windowMessages() / 2 && bytesBefore <= config.windowBytes() / 2;
                    if (!asking || (bytesBefore > 0 && bytesBefore + message.size > config.windowBytes())) {
                        return;
                    }
                }
                // A lane that has bodies gets the one it lacks to go on, beyond all limits: else bodies that only
                // one of its connections still needs could wait for room that they take themselves.
                if (!mayRead() && (index > from || lane.bodies == 0)) {
                    queue(lane);
                    return;
                }
                holding.want(message);
            }
            before++;
            bytesBefore += message.size;
        }
    }

    /** Who comes later stands behind those that wait already. */
    private boolean mayRead() {
        return roomInOutboxes && holding.hasRoom() && (reading || queue.isEmpty());
    }

    private void queue(Lane lane) {
        if (!lane.queuesForBodies) {
            lane.queuesForBodies = true;
            queue.addLast(lane);
        }
    }

    void roomInOutboxes(boolean room) {
        roomInOutboxes = room;
    }

    /**
     * Lets lanes that wait for room in memory go on: by turns the one that has waited longest, so that each is reached,
     * and the one that came last, so that a single reader who returns behind thousands does not wait for all of them.
     */
    void readOn() {
        reading = true;
        while (!queue.isEmpty() && mayRead()) {
            Lane lane = newestNext ? queue.removeLast() : queue.removeFirst();
            newestNext = !newestNext;
            lane.queuesForBodies = false;
            if (lanes.get(lane.address()) == lane) {
                offer(lane, sessionsOf(lane));
                forgetIfEmpty(lane);
            }
        }
        reading = false;
    }

    /** A held message that was asked for is here. */
    void read(HeldMessage read) {
        LaneMessage message = holding.read(read);
        if (message != null && message.lane != null) {
            Lane lane = message.lane;
            offer(lane, sessionsOf(lane));
            forgetIfEmpty(lane);
        }
    }

    /** The log has a held message no more. */
    void missing(long id) {
        LaneMessage message = holding.missing(id);
        if (message != null && message.lane != null) {
            Lane lane = message.lane;
            holding.unwant(message);
            lane.remove(message);
            offer(lane, sessionsOf(lane));
            forgetIfEmpty(lane);
        }
    }

    /** The client behind a connection has these; for a lane that means everything up to the last of them. */
    void confirmed(Session session) {
        Lane lane = null;
        long upTo = -1;
        for (LaneMessage confirmed = session.takeConfirmed(); confirmed != null; confirmed = session.takeConfirmed()) {
            if (confirmed.lane == null) {
                continue; // delivered meanwhile, or of a generation that has ended (I6)
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
            deliver(lane, upTo, sessions, session);
        } else {
            // While the user has a page that acknowledges, only that counts; this one got a copy.
            session.confirmedIndex = upTo;
            LaneMessage last = watchers.any() ? lane.get(upTo) : null;
            if (last != null) {
                watchers.tell(
                        Kind.COPIED,
                        lane.address(),
                        last,
                        session.id(),
                        "and all before; a connection that acknowledges has the say");
            }
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

    /** Settles or releases a prefix of a lane (I2), whatever other connections have. */
    private void deliver(Lane lane, long upTo, List<Session> sessions, Session by) {
        for (long index = lane.head(); index <= upTo; index++) {
            LaneMessage message = lane.get(index);
            if (message != null) {
                if (watchers.any()) {
                    String how = Watchers.how(by.confirmation());
                    watchers.tell(Kind.DELIVERED, lane.address(), message, by.id(), how);
                }
                lane.remove(message);
                delivered(lane.address(), message);
            }
        }
        core.passed(lane.address());
        for (Session other : sessions) {
            if (other.cursor(lane) < upTo) {
                // It was never offered what is delivered now: it would miss a message, so it has to come back.
                other.skipped = true;
                other.sink().close(CloseCode.BEHIND);
            }
        }
        offer(lane, sessions);
        forgetIfEmpty(lane);
    }

    private void delivered(String address, LaneMessage message) {
        if (message.publishedMillis != 0) {
            core.countAcked(message.publishedMillis);
        }
        core.tell(message.asked, Receipt.Outcome.DELIVERED, address);
        if (message.instruction != null) {
            core.settleDelivered(message.instruction); // I1: the client has it
            message.instruction = null;
        }
        switch (message.place) {
            case IN_HAND -> {}
            case APPENDING -> message.delivered = true; // released as soon as the log has it
            case HELD -> {
                core.countHeldDelivered();
                holding.unwant(message);
                holding.release(message.id);
            }
        }
    }

    // ---- who is there ------------------------------------------------------------------------------------------

    /** A client has connected: what waits for it is offered at once, the held messages first. */
    void opened(Session session) {
        if (session.user() == null) {
            return;
        }
        String address = "user." + session.user();
        if (holding.isWriter() && directory.ofUser(session.user()).size() == 1) {
            restore(address);
        }
        Lane lane = lanes.get(address);
        if (lane != null) {
            offer(lane, session);
            forgetIfEmpty(lane);
        }
    }

    /** For those who connected before the log was read to its end: only now it is known what is held for them (I3). */
    void restoreAll() {
        for (String user : directory.connectedUsers()) {
            restore("user." + user);
            Lane lane = lanes.get("user." + user);
            if (lane != null) {
                offer(lane, directory.ofUser(user));
                forgetIfEmpty(lane);
            }
        }
    }

    /** Brings what is held for an address back into its lane, in front of what is in hand. */
    private void restore(String address) {
        List<LaneMessage> held = holding.heldFor(address);
        if (held.isEmpty()) {
            return;
        }
        Lane old = lanes.get(address);
        Lane lane = new Lane(address, true, nextLaneIndex);
        held.forEach(lane::append);
        if (old != null) {
            for (long index = old.head(); index < old.tail(); index++) {
                LaneMessage message = old.get(index);
                if (message != null) {
                    lane.append(message);
                }
            }
            lane.takeAppendingOf(old, Map.of());
            lane.heldSinceMillis = old.heldSinceMillis;
        }
        nextLaneIndex = Math.max(nextLaneIndex, lane.tail());
        lanes.put(address, lane);
        if (watchers.any()) {
            watchers.tell(Kind.RELEASED, address, null, held.size(), "to be offered, the oldest first");
        }
    }

    /** A connection has room again. */
    void roomAgain(Session session) {
        offerIfThere("connection." + session.id(), session);
        if (session.user() != null) {
            offerIfThere("user." + session.user(), session);
        }
    }

    private void offerIfThere(String address, Session session) {
        Lane lane = lanes.get(address);
        if (lane != null) {
            offer(lane, session);
            forgetIfEmpty(lane);
        }
    }

    /** A connection has gone, and the directory knows it. */
    void closed(Session session) {
        Lane own = lanes.get("connection." + session.id());
        if (own != null) {
            leave(own, "connection." + session.id() + " closed before it had the message");
        }
        Lane lane = session.user() == null ? null : lanes.get("user." + session.user());
        if (lane == null) {
            return;
        }
        List<Session> others = sessionsOf(lane);
        if (others.isEmpty()) {
            leave(lane, "the last connection of " + lane.address() + " closed before it had the message");
        } else if (session.confirmation() == Confirmation.ACK && !anyAcknowledges(others)) {
            // From now on the plain connections have the say; what they have confirmed counts.
            Session by = others.get(0);
            for (Session other : others) {
                if (other.confirmedIndex > by.confirmedIndex) {
                    by = other;
                }
            }
            deliver(lane, by.confirmedIndex, others, by);
        }
    }

    /** Nobody is there any more: what is held is the index' again, the rest follows it. */
    private void leave(Lane lane, String detail) {
        for (long index = lane.head(); index < lane.tail(); index++) {
            LaneMessage message = lane.get(index);
            if (message != null && message.place == Place.HELD) {
                holding.unwant(message);
                lane.remove(message);
            }
        }
        hold(lane, detail, any -> true);
        forgetIfEmpty(lane);
    }

    // ---- holding -----------------------------------------------------------------------------------------------

    /**
     * Moves what is only in the broker's queue into the held log, in order, as part of one record. While a record of the
     * lane is on its way the rest waits for it.
     *
     * @param detail why nobody has got what may not be held
     * @param giveUp which of what may not be held becomes what its policy says; one that does not is still waited for, and
     *     so is everything behind it (I2)
     */
    private void hold(Lane lane, String detail, Predicate<Instruction> giveUp) {
        if (lane.inHand() == 0 || !lane.appending().isEmpty() || (holding.isThere() && !holding.isOpen())) {
            return;
        }
        List<LaneMessage> batch = new ArrayList<>(Math.min(lane.inHand(), RECORD_MESSAGES));
        int bytes = 0;
        boolean removed = false;
        for (long index = lane.head(); index < lane.tail(); index++) {
            LaneMessage message = lane.get(index);
            if (message == null || message.place != Place.IN_HAND) {
                continue;
            }
            if (batch.size() >= RECORD_MESSAGES || (bytes > 0 && bytes + message.size > RECORD_BYTES)) {
                break; // the next record follows when this one is back
            }
            Instruction instruction = message.requireInstruction();
            if (!mayHold(instruction)) {
                if (!giveUp.test(instruction)) {
                    break; // its client is there and reading
                }
                lane.remove(message);
                removed = true;
                core.undeliverable(instruction, detail);
            } else if (!holding.admits(lane.address(), batch.size(), message.size)) {
                lane.remove(message);
                removed = true;
                core.holdFull(instruction);
            } else {
                batch.add(message);
                bytes += message.size;
            }
        }
        if (!batch.isEmpty()) {
            boolean wasHeld = lane.isHeld();
            holding.append(lane, batch, core.wallMillis());
            if (watchers.any()) {
                batch.forEach(message -> watchers.tell(Kind.HOLDING, lane.address(), message, null, detail));
            }
            if (!wasHeld && !sessionsOf(lane).isEmpty()) {
                core.laneHeld(lane, batch.size(), detail);
            }
        }
        if (removed) {
            offer(lane, sessionsOf(lane)); // the window has moved, and no confirmation need come to say so
        }
    }

    /** A hold record of ours has come back: what it holds is safe. */
    void held(LogRecord.Hold record) {
        for (LogRecord.Part part : record.parts()) {
            held(part.address(), record.ordinal());
        }
    }

    private void held(String address, long ordinal) {
        Lane lane = lanes.get(address);
        if (lane == null || !lane.isAppending(ordinal)) {
            return;
        }
        List<Session> sessions = sessionsOf(lane);
        for (LaneMessage message : lane.appended()) {
            if (watchers.any()) {
                watchers.tell(Kind.HELD, lane.address(), message, null, "");
            }
            if (message.instruction != null) {
                core.settleHeld(message.instruction); // I1: its record came back through our own tail
                message.instruction = null;
                if (!message.delivered) {
                    core.tell(message.asked, Receipt.Outcome.HELD, address);
                }
            }
            lane.moved(message, Place.HELD);
            Frame frame = message.frame;
            message.frame = null; // I5: a slow client's messages are not kept in memory; the latest are in the cache
            if (message.delivered) {
                core.countHeldDelivered();
                holding.release(message.id);
                continue;
            }
            if (frame != null) {
                holding.remember(message.id, frame);
            }
            if (sessions.isEmpty() && message.lane == lane) {
                lane.remove(message); // the index has it
            }
        }
        if (sessions.isEmpty() || lane.isHeld()) {
            hold(lane, whyHeld(lane, sessions), any -> sessions.isEmpty());
        }
        forgetIfEmpty(lane);
    }

    private static String whyHeld(Lane lane, List<Session> sessions) {
        return sessions.isEmpty() ? "nobody is connected as " + lane.address() : EARLIER_ARE_HELD;
    }

    /**
     * A new epoch of ours has begun: records that have not come back by now stand behind it and are void, since the broker
     * refused them the first time. What they hold is appended once more, unless it was delivered meanwhile, or the broker
     * delivers it again.
     */
    void appendAnew() {
        for (Lane lane : List.copyOf(lanes.values())) {
            for (LaneMessage message : lane.appended()) {
                if (message.lane == lane) {
                    if (message.instruction == null) {
                        lane.remove(message);
                    } else {
                        lane.moved(message, Place.IN_HAND);
                    }
                }
            }
            List<Session> sessions = sessionsOf(lane);
            if (sessions.isEmpty() || lane.isHeld()) {
                hold(lane, whyHeld(lane, sessions), any -> sessions.isEmpty());
            }
            offer(lane, sessions);
            forgetIfEmpty(lane);
        }
    }

    /** A message has waited for too long in the broker's queue alone (I4). */
    void stale(Instruction stale, String detail) {
        Lane lane = stale.laneMessage == null ? null : stale.laneMessage.lane;
        if (lane != null) {
            hold(lane, detail, other -> other.takenAtNanos - stale.takenAtNanos <= 0);
            forgetIfEmpty(lane);
        }
    }

    private boolean isOver(Lane lane, LaneMessage message) {
        return !lane.isOffered(message)
                && message.place != Place.APPENDING
                && message.deadlineMillis != Instruction.NEVER
                && core.wallMillis() >= message.deadlineMillis;
    }

    private void expire(Lane lane, LaneMessage message) {
        holding.unwant(message);
        lane.remove(message);
        if (message.instruction != null) {
            core.copyExpired(message.instruction);
        } else {
            holding.depart(message.id);
        }
    }

    // ---- operators' hands ----------------------------------------------------------------------------------------

    /**
     * Held messages go elsewhere because an operator wants it. A late confirmation of one of them means nothing any more.
     *
     * @param ids of messages that the index has, and that are released or departing by now
     */
    void takeOut(String address, Set<Long> ids) {
        core.passed(address);
        Lane lane = lanes.get(address);
        if (lane == null) {
            return;
        }
        int left = ids.size();
        for (long index = lane.head(); index < lane.tail() && left > 0; index++) {
            LaneMessage message = lane.get(index);
            if (message != null && message.place == Place.HELD && ids.contains(message.id)) {
                holding.unwant(message);
                lane.remove(message);
                left--;
            }
        }
        List<Session> sessions = sessionsOf(lane);
        for (Session session : sessions) {
            session.skipped = true; // no page of theirs is told that it missed nothing
        }
        offer(lane, sessions); // the window has moved, and no confirmation need come to say so
        forgetIfEmpty(lane);
    }

    /**
     * Offers everything of an address once more, from the head, to every connection, whatever it was offered before, and
     * without waiting for its turn among those whose bodies wait for room. All of it gets new places behind every cursor,
     * as after a lost channel.
     *
     * @return whether anybody is there
     */
    boolean offerAgain(String address) {
        Lane old = lanes.get(address);
        if (old == null || sessionsOf(old).isEmpty()) {
            return false;
        }
        Lane lane = new Lane(address, old.isOfUser(), nextLaneIndex);
        Map<LaneMessage, LaneMessage> replaced = new HashMap<>();
        for (long index = old.head(); index < old.tail(); index++) {
            LaneMessage message = old.get(index);
            if (message != null) {
                if (message.place == Place.HELD) {
                    holding.unwant(message);
                }
                old.remove(message); // what the client says of the earlier offer means nothing any more
                LaneMessage again = message.again();
                replaced.put(message, again);
                append(lane, again);
            }
        }
        lane.takeAppendingOf(old, replaced);
        lane.heldSinceMillis = old.heldSinceMillis;
        lanes.put(address, lane);
        boolean wasReading = reading;
        reading = true;
        offer(lane, sessionsOf(lane));
        reading = wasReading;
        forgetIfEmpty(lane);
        return true;
    }

    /** How many messages at the head of an address were offered to anybody and are not confirmed. */
    int offered(String address) {
        Lane lane = lanes.get(address);
        int offered = 0;
        if (lane != null) {
            for (long index = lane.head(); index < lane.tail(); index++) {
                LaneMessage message = lane.get(index);
                if (message != null && lane.isOffered(message)) {
                    offered++;
                }
            }
        }
        return offered;
    }

    /** Whether an address waits until there is room in memory for what is held for it. */
    boolean queuesForBodies(String address) {
        Lane lane = lanes.get(address);
        return lane != null && lane.queuesForBodies;
    }

    // ---- ends --------------------------------------------------------------------------------------------------

    /** The generation has ended: the broker delivers again what it had not settled, so that is forgotten (I6). */
    void channelLost() {
        for (Lane lane : List.copyOf(lanes.values())) {
            forgetInHand(lane);
            offer(lane, sessionsOf(lane)); // the window has moved, and no confirmation need come to say so
            forgetIfEmpty(lane);
        }
    }

    private static void forgetInHand(Lane lane) {
        for (long index = lane.head(); index < lane.tail(); index++) {
            LaneMessage message = lane.get(index);
            if (message != null && message.place == Place.IN_HAND) {
                lane.remove(message);
            }
        }
        // What is on its way into the log gets there; the redelivery is recognised by its content.
        for (LaneMessage message : lane.appending()) {
            message.instruction = null;
        }
    }

    /** Everything here is somebody else's business now. */
    void abandon() {
        lanes.values().forEach(Lanes::forgetInHand);
        for (Lane lane : lanes.values()) {
            for (long index = lane.head(); index < lane.tail(); index++) {
                LaneMessage message = lane.get(index);
                if (message != null) {
                    lane.remove(message); // a late confirmation means nothing any more
                }
            }
        }
        lanes.clear();
        queue.clear();
    }

    private void forgetIfEmpty(Lane lane) {
        if (lane.isEmpty()) {
            lanes.remove(lane.address(), lane);
        }
        if (lane.heldSinceMillis != 0 && !lane.isHeld()) {
            core.laneOver(lane, sessionsOf(lane).isEmpty());
        }
    }

    // ---- who looks on ------------------------------------------------------------------------------------------

    /** How it stands with an address. */
    Standing standing(Address address) {
        Collection<Session> sessions = switch (address.kind()) {
            case USER, CONNECTION -> sessionsOf(address);
            case CHANNEL -> directory.ofChannel(address.id());
            case ALL -> directory.all();
        };
        Lane lane = lanes.get(address.text());
        List<LaneMessage> held = holding.heldFor(address.text());
        boolean goesToTheLog = lane == null ? !held.isEmpty() : lane.isHeld();
        return new Standing(
                address.text(),
                sessions.size(),
                sessions.stream()
                        .limit(Standing.MOST_CONNECTIONS)
                        .map(Session::standing)
                        .toList(),
                goesToTheLog ? Standing.Lane.HELD : lane == null ? Standing.Lane.IDLE : Standing.Lane.LIVE,
                lane == null ? 0 : lane.inHand() + lane.appending().size(),
                held.size(),
                held.stream().mapToLong(message -> message.deadlineMillis).min().orElse(0));
    }

    private List<Session> sessionsOf(Lane lane) {
        return lane.isOfUser()
                ? directory.ofUser(lane.address().substring("user.".length()))
                : directory.ofConnection(lane.address().substring("connection.".length()));
    }

    private List<Session> sessionsOf(Address to) {
        return to.kind() == Address.Kind.USER ? directory.ofUser(to.id()) : directory.ofConnection(to.id());
    }
}
