package pushbridge.amqp;

import java.util.concurrent.CompletableFuture;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;

/**
 * Who takes the instructions: the delivery loop, or a recorder in tests. For each generation there is one {@code
 * channelOpened}, then its instructions in order, then one {@code channelLost}.
 */
interface InstructionHandler {

    /** This process is the owner; nothing may be taken before the future has ended. */
    CompletableFuture<Void> becomeOwner();

    void channelOpened(IntakeChannel channel);

    void take(Instruction instruction);

    void channelLost(IntakeChannel channel);

    static InstructionHandler of(DeliveryLoop loop) {
        return new InstructionHandler() {
            @Override
            public CompletableFuture<Void> becomeOwner() {
                return loop.claim();
            }

            @Override
            public void channelOpened(IntakeChannel channel) {
                // The loop begins a generation with its first instruction.
            }

            @Override
            public void take(Instruction instruction) {
                loop.take(instruction);
            }

            @Override
            public void channelLost(IntakeChannel channel) {
                loop.channelLost(channel);
            }
        };
    }
}
