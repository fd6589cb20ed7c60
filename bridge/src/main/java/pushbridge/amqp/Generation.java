package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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

    private static final Logger log = LoggerFactory.getLogger(Generation.class);

    private final long number;
    private final Channel channel;
    private final InstructionReader reader;
    private final InstructionHandler handler;
    private final BooleanSupplier taking;
    private final Consumer<String> lost;
    private final Thread ackWriter;

    /** Held while an instruction is handed over, so that {@code channelLost} comes after the last one. */
    private final Object handover = new Object();

    private volatile boolean ended;

    // Acknowledgements not yet written. Guarded by acks. At most one entry an unsettled instruction (I5).
    private final Object acks = new Object();
    /** Everything up to this tag; 0 for none. */
    private long ackedUpTo;
    /** Tags past it that are settled out of turn. */
    private List<Long> ackedSingly = new ArrayList<>();

    private boolean flushing;
    private boolean finishing;

    /**
     * @param taking false once no more instructions are wanted
     * @param lost told, on any thread and perhaps more than once, that the channel is of no use any more
     */
    Generation(
            long number,
            Channel channel,
            InstructionReader reader,
            InstructionHandler handler,
            BooleanSupplier taking,
            Consumer<String> lost) {
        this.number = number;
        this.channel = channel;
        this.reader = reader;
        this.handler = handler;
        this.taking = taking;
        this.lost = lost;
        this.ackWriter = new Thread(this::writeAcks, "pushbridge-amqp-acks");
        this.ackWriter.setDaemon(true);
    }

    /** Announces the generation, then consumes. Supervisor only. {@link #end} must follow, also after an exception. */
    void open(String queue, int prefetch, String consumerTag) throws IOException {
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
    public void ack(long tag, boolean multiple) {
        synchronized (acks) {
            if (ended) {
                return; // I6: the tag means nothing on any later channel
            }
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
            lost.accept(Connector.describe(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody interrupts this thread; if so, it ends with its channel
            lost.accept("the ack writer was interrupted");
        } catch (RuntimeException e) {
            // Without it nothing would be acknowledged any more: what is unsettled comes again, to a new writer.
            log.error("Acknowledging failed", e);
            lost.accept("acknowledging failed: " + Connector.describe(e));
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
            if (ended || !taking.getAsBoolean()) {
                return; // left unsettled: it returns to the queue in order when the channel ends (I7)
            }
            Instruction instruction = reader.read(Generation.this, envelope, properties, body);
            synchronized (handover) {
                if (!ended) {
                    handler.take(instruction);
                }
            }
        }

        @Override
        public void handleCancel(String consumerTag) {
            // The queue was deleted or its leader is gone. Closing everything returns what is unsettled in order.
            lost.accept("RabbitMQ cancelled the consumer: its queue was deleted or became unavailable");
        }

        @Override
        public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
            lost.accept(Connector.describe(signal));
        }
    }
}
