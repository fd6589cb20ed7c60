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

    /**
     * This process is the owner; nothing may be taken before the future has ended, and it is cancelled when the ownership
     * is lost before that.
     *
     * @param fenced run when another one has become the owner behind the broker's back
     */
    CompletableFuture<Void> becomeOwner(Runnable fenced);

    void channelOpened(IntakeChannel channel);

    void take(Instruction instruction);

    void channelLost(IntakeChannel channel);

    static InstructionHandler of(DeliveryLoop loop) {
        return new InstructionHandler() {
            @Override
            public CompletableFuture<Void> becomeOwner(Runnable fenced) {
                return loop.claim(fenced);
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
