package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import pushbridge.amqp.PoisonRule.Mode;
import pushbridge.amqp.PoisonRule.Verdict;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;

/**
 * One broker channel that takes instructions, with everything tied to it: the consumer, the delivery tags and the
 * thread that writes acknowledgements. All of it dies with the channel, so a stale tag cannot be used (I6).
 *
 * <p>Threads: the connection's worker reads deliveries and hands them over; the delivery loop queues acknowledgements;
 * the ack writer, {@code pushbridge-amqp-acks}, is the only one that makes socket calls for them; the intake's
 * supervisor opens and ends it.
 */
final class Generation implements IntakeChannel {

    private final long number;
    private final Channel channel;
    private final Mode mode;
    private final int prefetch;
    private final PoisonRule rule;
    private final InstructionReader reader;
    private final InstructionHandler handler;
    private final Supervisor supervisor;
    private final Thread ackWriter;

    /** Held while an instruction is handed over, so that {@code channelLost} comes after the last one. */
    private final Object handover = new Object();
    /** The last one handed over. Guarded by handover, as the next. */
    private long handedTag;
    /** Whether nothing more is handed over, because a generation in another mode is to follow. */
    private boolean retiring;

    private volatile boolean ended;
    /** Whether the supervisor knows that this careful generation has reason to be. Worker only. */
    private boolean suspicionTold;

    // Acknowledgements not yet written. Guarded by acks. At most one entry an unsettled instruction (I5).
    private final Object acks = new Object();
    /** Everything up to this tag; 0 for none. */
    private long ackedUpTo;
    /** Tags past it that are settled out of turn. */
    private List<Long> ackedSingly = new ArrayList<>();
    /** The highest of all, also when it is written. */
    private long ackedTag;

    private boolean flushing;
    private boolean finishing;

    /** Who opened it. Called on any thread, perhaps more than once, also after its end; must not block. */
    interface Supervisor {

        /** Whether instructions are wanted at all. */
        boolean isTaking();

        /** A delivery calls for this mode; when that is another one, nothing more is handed over. */
        void turn(Generation from, Mode to);

        /** The channel is of no use any more. */
        void lost(String reason);
    }

    /** @param prefetch of the usual mode */
    Generation(
            long number,
            Channel channel,
            Mode mode,
            int prefetch,
            PoisonRule rule,
            InstructionReader reader,
            InstructionHandler handler,
            Supervisor supervisor) {
        this.number = number;
        this.channel = channel;
        this.mode = mode;
        this.prefetch = mode == Mode.CAREFUL ? 1 : prefetch;
        this.rule = rule;
        this.reader = reader;
        this.handler = handler;
        this.supervisor = supervisor;
        this.ackWriter = new Thread(this::writeAcks, "pushbridge-amqp-acks");
        this.ackWriter.setDaemon(true);
    }

    /** Announces the generation, then consumes. Supervisor only. {@link #end} must follow, also after an exception. */
    void open(String queue, String consumerTag) throws IOException {
        handler.channelOpened(this);
        ackWriter.start();
        channel.basicQos(prefetch);
        channel.basicConsume(queue, false, consumerTag, new Deliveries(channel));
    }

    /** Nothing is handed over any more and acknowledgements go nowhere. Supervisor only, once. */
    void end() {
        synchronized (handover) {
            ended = true;
        }
        synchronized (acks) {
            finishing = true;
            acks.notifyAll();
        }
        handler.channelLost(this);
    }

    /**
     * Ends it and its channel, but not the connection: what is in hand returns to the queue, in order. The next consumer
     * gets that before anything else, since the broker makes it the active one only then.
     */
    void retire(long millis) throws IOException, InterruptedException {
        synchronized (handover) {
            retiring = true;
        }
        finishAcks(millis);
        end();
        try {
            channel.close();
        } catch (TimeoutException e) {
            throw new IOException(e);
        }
    }

    /** From now on nothing is handed over, unless something is in hand; tells whether that is so. Careful mode only. */
    boolean retireIfIdle() {
        synchronized (handover) {
            synchronized (acks) {
                retiring |= handedTag == ackedTag;
            }
            return retiring;
        }
    }

    /** Writes what is queued, before an orderly end. Waits at most this long. */
    void finishAcks(long millis) throws InterruptedException {
        synchronized (acks) {
            finishing = true;
            acks.notifyAll();
        }
        ackWriter.join(millis);
    }

    /** Whether it is over: what it has not settled is redelivered by the broker. */
    boolean ended() {
        return ended;
    }

    @Override
    public long generation() {
        return number;
    }

    Mode mode() {
        return mode;
    }

    @Override
    public int prefetch() {
        return prefetch;
    }

    @Override
    public void ack(long tag, boolean multiple) {
        synchronized (acks) {
            if (ended) {
                return; // I6: the tag means nothing on any later channel
            }
            ackedTag = Math.max(ackedTag, tag);
            if (multiple) {
                ackedUpTo = Math.max(ackedUpTo, tag);
            } else {
                ackedSingly.add(tag);
            }
        }
    }

    @Override
    public void flush() {
        synchronized (acks) {
            flushing = true;
            acks.notifyAll();
        }
    }

    private void writeAcks() {
        try {
            while (true) {
                long upTo;
                List<Long> singly;
                boolean last;
                synchronized (acks) {
                    while (!flushing && !finishing) {
                        acks.wait();
                    }
                    flushing = false;
                    last = finishing;
                    upTo = ackedUpTo;
                    singly = ackedSingly;
                    ackedUpTo = 0;
                    ackedSingly = new ArrayList<>();
                }
                if (ended) {
                    return;
                }
                if (upTo > 0) {
                    channel.basicAck(upTo, true);
                }
                for (long tag : singly) {
                    if (tag > upTo) { // the others are included, and a tag acknowledged twice closes the channel
                        channel.basicAck(tag, false);
                    }
                }
                if (last) {
                    return;
                }
            }
        } catch (IOException | ShutdownSignalException e) {
            lost(Connector.describe(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody interrupts this thread; if so, it ends with its channel
            lost("the ack writer was interrupted");
        }
    }

    private void lost(String reason) {
        if (!ended) { // else it is no news: a retired generation's channel is closed while its connection goes on
            supervisor.lost(reason);
        }
    }

    @Override
    public String toString() {
        return "generation " + number;
    }

    /** Calls of one channel come in order, one at a time. */
    private final class Deliveries extends DefaultConsumer {
        Deliveries(Channel channel) {
            super(channel);
        }

        @Override
        public void handleDelivery(
                String consumerTag, Envelope envelope, @Nullable BasicProperties properties, byte[] body) {
            if (properties == null) {
                throw new IllegalStateException("a delivery without properties");
            }
            if (ended || !supervisor.isTaking()) {
                return; // left unsettled: it returns to the queue in order when the channel ends (I7)
            }
            // Before the body is read: that may be what breaks.
            Verdict verdict = rule.judge(mode, AmqpOriginal.returns(envelope.isRedeliver(), properties));
            switch (verdict) {
                case TURN_CAREFUL -> retireFor(Mode.CAREFUL);
                case TURN_USUAL -> retireFor(Mode.USUAL);
                case TAKE, POISONED -> {
                    tellSuspicion();
                    handOver(
                            verdict == Verdict.POISONED
                                    ? reader.poisoned(Generation.this, envelope, properties, body)
                                    : reader.read(Generation.this, envelope, properties, body));
                }
            }
        }

        private void handOver(Instruction instruction) {
            synchronized (handover) {
                if (!ended && !retiring) {
                    handedTag = instruction.tag();
                    handler.take(instruction);
                }
            }
        }

        /** Nothing from this delivery on is handed over, so that the order stays as it is when all of it comes back. */
        private void retireFor(Mode next) {
            synchronized (handover) {
                if (retiring) {
                    return;
                }
                retiring = true;
            }
            supervisor.turn(Generation.this, next);
        }

        private void tellSuspicion() {
            if (mode == Mode.CAREFUL && !suspicionTold) {
                suspicionTold = true;
                supervisor.turn(Generation.this, Mode.CAREFUL);
            }
        }

        @Override
        public void handleCancel(String consumerTag) {
            // The queue was deleted or its leader is gone. Closing everything returns what is unsettled in order.
            lost("RabbitMQ cancelled the consumer: its queue was deleted or became unavailable");
        }

        @Override
        public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
            lost(Connector.describe(signal));
        }
    }
}
