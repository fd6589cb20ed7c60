package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.delivery.IntakeChannel;

/**
 * One broker channel that takes instructions, with everything tied to it: the consumer, the delivery tags and the
 * thread that writes acknowledgements. All of it dies with the channel, so a stale tag cannot be used (I6).
 *
 * <p>Threads: the one that {@linkplain ReaderThread reads from the connection} takes deliveries apart and hands them over; the delivery loop queues acknowledgements;
 * the ack writer, {@code pushbridge-amqp-acks}, is the only one that makes socket calls for them, and hands over the next
 * delivery where they go one by one; the intake's supervisor opens and ends it.
 *
 * <p>Where the first delivery is suspected of breaking the bridge, it begins in careful mode: one is handed over when the
 * one before is settled, until a delivery comes that is not suspected. What waits meanwhile is delivered, because the
 * prefetch stays as it is: RabbitMQ puts what comes back behind whatever else has come back before, so a smaller
 * prefetch would change the order each time the channel ends.
 */
final class Generation implements IntakeChannel {

    private static final Logger log = LoggerFactory.getLogger(Generation.class);

    /**
     * Acknowledgements are gathered for so long: each one is a command in the log of the broker's quorum queue, which costs it
     * more than a message. The first after a pause goes out at once.
     */
    private static final long ACK_PAUSE_NANOS = 5_000_000;

    /** With more than this part of the prefetch unacknowledged they go out at once, so that the broker never waits. */
    private static final int ACK_PARTS = 16;

    private static final String NOT_HANDED_OVER = "an instruction could not be handed over";

    private final long number;
    private final Channel channel;
    private final InstructionReader reader;
    private final InstructionHandler handler;
    private final int prefetch;
    private final PoisonRule rule;
    private final boolean excused;
    private final Supervisor supervisor;
    private final Thread ackWriter;

    /** Held while an instruction is handed over, so that {@code channelLost} comes after the last one. */
    private final Object handover = new Object();

    // Guarded by handover. At most the prefetch waits (I5).
    private final Deque<Delivery> waiting = new ArrayDeque<>();
    /** Whether there was a delivery. */
    private boolean begun;
    /** The tag handed over last. */
    private long handedTag;
    /** The tag whose acknowledgement the broker has; kept while careful. */
    private long settledTag;

    /** Written under handover. */
    private volatile boolean careful;
    /** Whether handing an instruction over has failed; then nothing more is, so that the order stays. */
    private volatile boolean broken;

    private volatile boolean ended;

    // Acknowledgements not yet written. Guarded by acks. At most one entry an unsettled instruction (I5).
    private final Object acks = new Object();
    /** Everything up to this tag; 0 for none. */
    private long ackedUpTo;
    /** Tags past it that are settled out of turn. */
    private List<Long> ackedSingly = new ArrayList<>();
    /** The highest of all, also when it is written. */
    private long ackedTag;

    /** How far the broker has acknowledgements, when nothing lags. */
    private long writtenUpTo;

    private boolean flushing;
    private boolean finishing;
    /** Whether the writer lets acknowledgements gather. */
    private boolean gathering;

    /** Who opened it. Called on any thread, perhaps more than once; must not block. */
    interface Supervisor {

        /** Whether instructions are wanted at all. */
        boolean isTaking();

        /** Instructions are handed over one by one, because the first is suspected. */
        void beginsCarefully();

        /** The channel is of no use any more. */
        void lost(String reason);
    }

    /** @param excused see {@link PoisonRule#condemns} */
    Generation(
            long number,
            Channel channel,
            int prefetch,
            PoisonRule rule,
            boolean excused,
            InstructionReader reader,
            InstructionHandler handler,
            Supervisor supervisor) {
        this.number = number;
        this.channel = channel;
        this.prefetch = prefetch;
        this.rule = rule;
        this.excused = excused;
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

    @Override
    public int atMostInHand() {
        return careful ? 1 : prefetch;
    }

    /** Whether it broke over what it was handing over, rather than because of the broker or the network. */
    boolean isBroken() {
        return broken;
    }

    /** Whether something suspected is handled or waits for that. */
    boolean isBusyCarefully() {
        synchronized (handover) {
            return careful && !(waiting.isEmpty() && isAllSettled());
        }
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
            if (!gathering || isMuchToAcknowledge()) {
                acks.notifyAll();
            }
        }
    }

    /** Under acks. */
    private boolean isMuchToAcknowledge() {
        return ackedUpTo - writtenUpTo + ackedSingly.size() > prefetch / ACK_PARTS;
    }

    private void writeAcks() {
        try {
            long pauseEnds = System.nanoTime();
            while (true) {
                long upTo;
                long highest;
                List<Long> singly;
                boolean last;
                synchronized (acks) {
                    gathering = !careful;
                    for (long left = pauseEnds - System.nanoTime();
                            left > 0 && gathering && !finishing && !isMuchToAcknowledge();
                            left = pauseEnds - System.nanoTime()) {
                        TimeUnit.NANOSECONDS.timedWait(acks, left);
                    }
                    gathering = false;
                    while (!flushing && !finishing) {
                        acks.wait();
                    }
                    flushing = false;
                    last = finishing;
                    upTo = ackedUpTo;
                    singly = ackedSingly;
                    highest = ackedTag;
                    writtenUpTo = Math.max(writtenUpTo, upTo);
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
                pauseEnds = System.nanoTime() + ACK_PAUSE_NANOS;
                if (careful) { // else nothing waits, and the lock is the reader's
                    // It is answered when the broker has the acknowledgements: should the next one end the process,
                    // what went before must not be what comes first again.
                    channel.basicQos(prefetch);
                    synchronized (handover) {
                        settledTag = Math.max(settledTag, highest);
                        handOverWaiting();
                    }
                }
            }
        } catch (IOException | ShutdownSignalException e) {
            supervisor.lost(Connector.describe(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody interrupts this thread; if so, it ends with its channel
            supervisor.lost("the ack writer was interrupted");
        } catch (RuntimeException e) {
            // Without it nothing would be acknowledged any more: what is unsettled comes again, to a new writer.
            log.error("Acknowledging, or handing an instruction over behind it, failed", e);
            supervisor.lost("acknowledging failed: " + Connector.describe(e));
        } finally {
            if (broken) { // an error ends this thread
                supervisor.lost(NOT_HANDED_OVER);
            }
        }
    }

    /** Under handover. */
    private void handOverWaiting() {
        while (!waiting.isEmpty() && !ended && !broken && supervisor.isTaking()) {
            Delivery next = waiting.element();
            if (careful && !isAllSettled()) {
                return;
            }
            waiting.remove();
            handOver(next);
        }
    }

    /** Under handover, in the order of the deliveries. */
    private void handOver(Delivery delivery) {
        long returns = AmqpOriginal.returns(delivery.envelope().isRedeliver(), delivery.properties());
        boolean condemned = !begun && rule.condemns(returns, excused);
        if (!begun && rule.suspects(returns)) {
            careful = true;
            supervisor.beginsCarefully();
        } else if (careful && !rule.suspects(returns)) {
            careful = false; // counts fall along the queue: what came back lies in front
        }
        begun = true;
        handedTag = delivery.envelope().getDeliveryTag();
        broken = true; // unless the next step comes to its end
        // Not even read when it is condemned: that may be what breaks.
        handler.take(
                condemned
                        ? reader.poisoned(this, delivery.envelope(), delivery.properties(), delivery.body())
                        : reader.read(this, delivery.envelope(), delivery.properties(), delivery.body()));
        broken = false;
    }

    /** Whether nothing handed over is unsettled. Under handover, while careful. */
    private boolean isAllSettled() {
        return settledTag == handedTag;
    }

    @Override
    public String toString() {
        return "generation " + number;
    }

    private record Delivery(Envelope envelope, BasicProperties properties, byte[] body) {}

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
            synchronized (handover) {
                // Otherwise left unsettled: it returns to the queue in order when the channel ends (I7). After a
                // failure there may be more until it does.
                if (!ended && !broken && supervisor.isTaking()) {
                    waiting.add(new Delivery(envelope, properties, body));
                    try {
                        handOverWaiting();
                    } finally {
                        if (broken) {
                            supervisor.lost(NOT_HANDED_OVER);
                        }
                    }
                }
            }
        }

        @Override
        public void handleCancel(String consumerTag) {
            // The queue was deleted or its leader is gone. Closing everything returns what is unsettled in order.
            supervisor.lost("RabbitMQ cancelled the consumer: its queue was deleted or became unavailable");
        }

        @Override
        public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
            supervisor.lost(Connector.describe(signal));
        }
    }
}
