package pushbridge.delivery;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Happening.Kind;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Envelope;
import pushbridge.envelope.Reading;

/**
 * Those who look on. There is nobody mostly; then each place that tells something costs a look at one field. Loop thread
 * only.
 */
final class Watchers {

    private final Clock clock;
    private Watcher[] watchers = {};
    private boolean any;

    Watchers(Clock clock) {
        this.clock = clock;
    }

    /** Whether it is worth telling anything. */
    boolean any() {
        return any;
    }

    void add(Watcher watcher) {
        watchers = Arrays.copyOf(watchers, watchers.length + 1);
        watchers[watchers.length - 1] = watcher;
        any = true;
    }

    /** Does nothing when it is not there. */
    void remove(Watcher watcher) {
        watchers = Arrays.stream(watchers).filter(other -> other != watcher).toArray(Watcher[]::new);
        any = watchers.length > 0;
    }

    void received(Instruction instruction) {
        if (instruction.reading() instanceof Reading.Refusal refusal) {
            tell(Kind.REFUSED, instruction, refusal.reason().slug() + ": " + refusal.detail());
        } else {
            tell(Kind.RECEIVED, instruction, instruction.isRedelivered() ? "not for the first time" : "");
        }
    }

    /** The copy of an instruction is safe. */
    void copied(Instruction instruction) {
        DeadLetterReason reason = instruction.deadReason;
        tell(reason == null ? Kind.EXPIRED : Kind.DEAD_LETTERED, instruction, reason == null ? "" : reason.slug());
    }

    /** About a held message that only its number is known of. */
    void held(Kind kind, @Nullable String address, long heldId, String detail) {
        for (Watcher watcher : watchers) {
            if (watcher.wants(address)) {
                Happening.Message message = new Happening.Message(0, 0, heldId, null, null, -1, 0, null);
                watcher.saw(new Happening(clock.wallMillis(), kind, address, message, null, 1, detail));
            }
        }
    }

    void opened(Session session) {
        tellOwn(Kind.CONNECTED, session, how(session.confirmation()));
    }

    void closed(Session session) {
        tellOwn(Kind.DISCONNECTED, session, "");
        for (String channel : session.channels()) {
            tell(Kind.DISCONNECTED, "channel." + channel, session.id(), 1, "");
        }
    }

    private void tellOwn(Kind kind, Session session, String detail) {
        tell(kind, "connection." + session.id(), session.id(), 1, detail);
        if (session.user() != null) {
            tell(kind, "user." + session.user(), session.id(), 1, detail);
        }
    }

    /** What tells that a connection has a message. */
    static String how(Confirmation confirmation) {
        return confirmation.name().toLowerCase(Locale.ROOT);
    }

    /** About an instruction. */
    void tell(Kind kind, Instruction instruction, String detail) {
        tell(kind, instruction, 1, detail);
    }

    /** About an instruction for many. */
    void tell(Kind kind, Instruction instruction, int count, String detail) {
        String address = instruction.address();
        for (Watcher watcher : watchers) {
            if (watcher.wants(address)) {
                watcher.saw(
                        new Happening(clock.wallMillis(), kind, address, message(instruction, 0), null, count, detail));
            }
        }
    }

    /** About a message of a lane. */
    void tell(Kind kind, String address, LaneMessage message, @Nullable String session, String detail) {
        for (Watcher watcher : watchers) {
            if (watcher.wants(address)) {
                watcher.saw(new Happening(clock.wallMillis(), kind, address, message(message), session, 1, detail));
            }
        }
    }

    /** About no single message. */
    void tell(Kind kind, @Nullable String address, @Nullable String session, int count, String detail) {
        for (Watcher watcher : watchers) {
            if (watcher.wants(address)) {
                watcher.saw(new Happening(clock.wallMillis(), kind, address, null, session, count, detail));
            }
        }
    }

    private static Happening.Message message(LaneMessage message) {
        if (message.instruction != null) {
            return message(message.instruction, message.id);
        }
        byte[] body = message.frame == null ? null : message.frame.payload();
        return new Happening.Message(0, 0, message.id, null, null, -1, body == null ? message.size : body.length, body);
    }

    private static Happening.Message message(Instruction instruction, long heldId) {
        byte[] body = instruction.original().body();
        if (instruction.channel().generation() == 0) { // one from the held log, on its way to the expired ones
            return new Happening.Message(0, 0, instruction.tag(), null, null, -1, body.length, body);
        }
        boolean valid = instruction.reading() instanceof Envelope;
        return new Happening.Message(
                instruction.channel().generation(),
                instruction.tag(),
                heldId,
                instruction.original().messageId(),
                valid ? ((Envelope) instruction.reading()).type() : null,
                valid ? ((Envelope) instruction.reading()).seq() : -1,
                body.length,
                null);
    }
}
