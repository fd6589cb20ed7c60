package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.core.ConditionTimeoutException;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;
import pushbridge.testing.Broker;

/** Stands in for the delivery loop: records what it is told, in order, and settles nothing by itself. */
final class RecordingHandler implements InstructionHandler {

    private final List<String> events = new ArrayList<>(); // guarded by this, as the next
    private final List<Instruction> instructions = new ArrayList<>();

    @Override
    public CompletableFuture<Void> becomeOwner(Runnable fenced) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public synchronized void channelOpened(IntakeChannel channel) {
        events.add("opened");
    }

    @Override
    public synchronized void take(Instruction instruction) {
        events.add(body(instruction));
        instructions.add(instruction);
    }

    @Override
    public synchronized void channelLost(IntakeChannel channel) {
        events.add("lost");
    }

    /** {@code opened}, the bodies taken, {@code lost}. */
    synchronized List<String> events() {
        return List.copyOf(events);
    }

    synchronized List<Instruction> instructions() {
        return List.copyOf(instructions);
    }

    List<Instruction> awaitInstructions(int count) {
        Broker.await(count + " instructions", () -> instructions().size() >= count);
        return instructions();
    }

    void awaitEvents(String... expected) {
        List<String> all = List.of(expected);
        try {
            Broker.await("events " + all, () -> events().equals(all));
        } catch (ConditionTimeoutException e) {
            assertThat(events()).isEqualTo(all); // tells what there was instead
        }
    }

    static String body(Instruction instruction) {
        return new String(instruction.original().body(), StandardCharsets.UTF_8);
    }
}
