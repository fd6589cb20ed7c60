package pushbridge.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The delivery loop's public face: every method may be called from any thread and none blocks. */
@SuppressWarnings({"DoNotCallSuggester", "UnusedVariable"}) // a stub until the loop is written
public final class DeliveryLoop {

    /** A client has connected; from now on it is offered what is addressed to it. */
    public Session open(
            String id, @Nullable String user, List<String> channels, Confirmation confirmation, FrameSink sink) {
        throw new UnsupportedOperationException();
    }

    /** Closes every session with this code; new ones are still taken. */
    public void closeAll(CloseCode code) {
        throw new UnsupportedOperationException();
    }

    /** A new generation of the intake begins; its instructions follow. */
    public void channelOpened(IntakeChannel channel) {
        throw new UnsupportedOperationException();
    }

    /** Takes one instruction; the broker's prefetch bounds how many wait (I5). Calls of one channel come in order. */
    public void take(Instruction instruction) {
        throw new UnsupportedOperationException();
    }

    /** The generation has ended: whatever it has not settled will be redelivered by the broker. */
    public void channelLost(IntakeChannel channel) {
        throw new UnsupportedOperationException();
    }

    /** The copy of this instruction is safe: it may be acknowledged (I1). */
    public void copySafe(Instruction instruction) {
        throw new UnsupportedOperationException();
    }
}
