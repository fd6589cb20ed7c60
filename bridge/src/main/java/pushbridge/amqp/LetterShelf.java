package pushbridge.amqp;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.LettersConfig;
import pushbridge.letters.Entry;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterQueue;

/**
 * All letters of one queue, unsettled on one channel: looking settles nothing, and the end of the channel, however it comes,
 * gives them back.
 *
 * <p>They are taken in windows, each by a consumer of its own that is cancelled once it has as many as it asked for, so that
 * RabbitMQ never has more than a window on its way (it would keep 65,535 bodies in memory for one consumer). The order they
 * go back in rests on what RabbitMQ 3.10 to 4.x do when a channel ends: consumer by consumer in the order of their tags, as
 * long as there are no more than 32, and each one's letters in the order it got them. Nothing is ever rejected or put back
 * singly, since that order is not kept.
 */
final class LetterShelf {

    private static final Logger log = LoggerFactory.getLogger(LetterShelf.class);

    /** RabbitMQ keeps the order of no more than 32 consumers of one channel. */
    static final int WINDOWS = 30;

    /** How many letters the first window asks for, when nobody knows yet how large they are. */
    static final int FIRST_WINDOW = 1_000;

    private static final int SMALLEST_WINDOW = 100;

    /** AMQP counts a prefetch in 16 bits. */
    private static final int LARGEST_WINDOW = 65_535;

    /** Two would do; see {@link #settle}. */
    private static final int SETTLING = 3;

    /** How often it is looked whether anything still comes. */
    private static final long LISTENING_MILLIS = 500;

    /** How long RabbitMQ may take to put back what it was given back; it takes milliseconds. */
    private static final long RETURN_MILLIS = 5_000;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final LetterQueue queue;
    private final String name;
    private final LettersConfig config;
    private final Connection connection;
    private final Channel channel;
    private final Spool spool;
    private final long stepMillis;
    private final LetterCodec.Shared shared = new LetterCodec.Shared();

    // Guarded by this.
    /** By delivery tag, which RabbitMQ counts from 1 on a channel; null where one was removed. */
    private final List<@Nullable Entry> byTag = new ArrayList<>();

    private int present;
    private int received;
    private int windows;
    /** The tag before the first of the current window. */
    private long windowAfterTag;

    private int windowSize;
    /** Of the current window, how many are in hand. */
    private int windowInHand;

    private boolean consuming;
    private long beyond;
    private long lastArrivalNanos = System.nanoTime();
    private @Nullable String ended;
    private @Nullable List<Entry> sorted;

    LetterShelf(LetterQueue queue, String name, LettersConfig config, Connection connection, long stepMillis)
            throws IOException {
        this.queue = queue;
        this.name = name;
        this.config = config;
        this.connection = connection;
        this.stepMillis = stepMillis;
        this.spool = Spool.open();
        try {
            this.channel = connection.createChannel();
        } catch (IOException | RuntimeException e) {
            spool.close();
            throw e;
        }
        channel.addShutdownListener(signal -> end(Connector.describe(signal)));
    }

    private synchronized void end(String reason) {
        if (ended == null) {
            ended = reason;
        }
        notifyAll();
    }

    /** Whether the letters have gone back. */
    synchronized boolean isOver() {
        return ended != null;
    }

    /**
     * Takes what is in the queue, as far as it may.
     *
     * @throws LetterException there is no such queue, or the channel ended
     */
    void catchUp() throws LetterException, InterruptedException {
        long ready = ready();
        long wanted = received() + ready;
        while (ready > 0) {
            if (!consuming()) {
                int size = nextWindow();
                if (size == 0) {
                    break;
                }
                consume(size);
            }
            awaitWindow(wanted);
            if (isWindowFull()) {
                cancel();
            }
            ready = ready();
            if (ready > 0 && consuming() && received() >= wanted) {
                wanted = received() + ready; // more came in meanwhile
            }
        }
        synchronized (this) {
            beyond = ready;
        }
    }

    private synchronized long received() {
        return received;
    }

    private synchronized boolean consuming() {
        return consuming;
    }

    private synchronized boolean isWindowFull() throws LetterException {
        check();
        return windowInHand >= windowSize;
    }

    /** How many letters the next window may ask for; 0 when there may be none. */
    private synchronized int nextWindow() throws LetterException {
        check();
        long places = config.maxMessages() - (long) present;
        if (windows == WINDOWS || places <= 0 || spool.size() >= config.maxBytes()) {
            return 0;
        }
        long size = FIRST_WINDOW;
        if (received > 0) {
            // All windows together are about as many bytes as there may be.
            size = config.maxBytes() / WINDOWS / Math.max(1, spool.size() / received);
            size = Math.max(SMALLEST_WINDOW, Math.min(size, LARGEST_WINDOW));
        }
        return Math.toIntExact(Math.min(size, places));
    }

    private void consume(int size) throws LetterException {
        String tag;
        synchronized (this) {
            tag = "letters-%02d".formatted(++windows);
            windowAfterTag = byTag.size();
            windowSize = size;
            windowInHand = 0;
            consuming = true;
        }
        try {
            channel.basicQos(size);
            channel.basicConsume(name, false, tag, new Window());
        } catch (IOException | ShutdownSignalException e) {
            throw lost(e);
        }
    }

    private void cancel() throws LetterException {
        String tag;
        synchronized (this) {
            tag = "letters-%02d".formatted(windows);
            consuming = false;
        }
        try {
            channel.basicCancel(tag);
        } catch (IOException | ShutdownSignalException e) {
            throw lost(e);
        }
    }

    /**
     * Until the window is full, or there are as many as wanted. What was counted may also have gone another way, taken by
     * somebody else or dropped by the queue; that is believed only after a long silence, since what RabbitMQ has sent can
     * be on its way for as long as either machine is busy.
     */
    private void awaitWindow(long wanted) throws LetterException, InterruptedException {
        synchronized (this) {
            lastArrivalNanos = System.nanoTime();
            while (!enough(wanted) && silentNanos() < stepMillis * NANOS_PER_MILLI) {
                wait(LISTENING_MILLIS);
            }
            if (enough(wanted)) {
                return;
            }
        }
        if (ready() > 0) {
            throw LetterException.unavailable("RabbitMQ does not hand out the letters of " + name);
        }
    }

    /** Under the lock. */
    private boolean enough(long wanted) throws LetterException {
        check();
        return windowInHand >= windowSize || received >= wanted;
    }

    private long silentNanos() {
        return System.nanoTime() - lastArrivalNanos;
    }

    /** How many lie in the queue that nobody has in hand. */
    private long ready() throws LetterException {
        try {
            return Topology.onChannel(connection, "queue " + name, probe -> probe.messageCount(name));
        } catch (Topology.RefusedException e) {
            throw LetterException.unavailable(
                    "RabbitMQ refuses the queue %s (%s): start a bridge, it declares it".formatted(name, e.replyText));
        } catch (BrokerException e) {
            throw LetterException.unavailable(e.sentence());
        }
    }

    private void check() throws LetterException {
        if (ended != null) {
            throw LetterException.unavailable(
                    "the letters went back to the queue meanwhile (" + ended + "): do it again");
        }
    }

    private LetterException lost(Exception e) {
        return LetterException.unavailable(
                "the letters of %s cannot be read (%s)".formatted(name, Connector.describe(e)));
    }

    private final class Window extends DefaultConsumer {
        Window() {
            super(channel);
        }

        @Override
        public void handleDelivery(String consumer, Envelope envelope, BasicProperties properties, byte[] body) {
            AmqpOriginal found = new AmqpOriginal(
                    envelope.getExchange(), envelope.getRoutingKey(), envelope.isRedeliver(), properties, body);
            try {
                Letter letter = LetterCodec.letter(queue, found);
                Entry.Place place = spool.add(envelope.getDeliveryTag(), found);
                added(LetterCodec.entry(letter, (int) envelope.getDeliveryTag(), place, shared));
            } catch (IOException | RuntimeException e) {
                log.debug("A letter of {} could not be taken", name, e);
                end("a letter could not be written to a file in %s: %s"
                        .formatted(System.getProperty("java.io.tmpdir"), e));
                Connector.abort(connection); // everything goes back, in order
            }
        }

        @Override
        public void handleCancel(String consumer) {
            end("RabbitMQ took the queue away");
        }
    }

    private synchronized void added(Entry entry) {
        while (byTag.size() < entry.place().tag() - 1) {
            byTag.add(null); // was got and rejected
        }
        byTag.add(entry);
        received++;
        present++;
        windowInHand++;
        sorted = null;
        lastArrivalNanos = System.nanoTime();
        notifyAll();
    }

    synchronized List<Entry> entries() {
        List<Entry> known = sorted;
        if (known == null) {
            List<Entry> all = new ArrayList<>(present);
            for (Entry entry : byTag) {
                if (entry != null) {
                    all.add(entry);
                }
            }
            all.sort(Entry.ORDER);
            known = List.copyOf(all);
            sorted = known;
        }
        return known;
    }

    synchronized long beyond() {
        return beyond;
    }

    Letter read(Entry entry) throws LetterException {
        synchronized (this) {
            check();
        }
        try {
            return LetterCodec.letter(queue, spool.read(entry.place()));
        } catch (IOException e) {
            throw LetterException.unavailable("the file with the letters cannot be read (" + e + ")");
        }
    }

    void remove(Entry entry) throws LetterException {
        long tag = entry.place().tag();
        synchronized (this) {
            check();
            int index = Math.toIntExact(tag) - 1;
            if (byTag.get(index) == null) {
                return; // somebody was faster
            }
            byTag.set(index, null);
            present--;
            sorted = null;
            if (tag > windowAfterTag) {
                windowInHand--;
            }
        }
        try {
            channel.basicAck(tag, false);
        } catch (IOException | ShutdownSignalException e) {
            throw lost(e);
        }
    }

    /**
     * Waits until the queue itself knows what was removed. RabbitMQ keeps acknowledgements back while 32 are on their way
     * from the channel to a quorum queue, and forgets them when the channel ends: of 20,000 sent in a row 15,000 were
     * lost. A get is the only thing that goes the same way and is answered from its end; the first takes what is on its
     * way, after which the rest follows, and the second takes that.
     */
    void settle() throws LetterException {
        try {
            for (int i = 0; i < SETTLING; i++) {
                GetResponse got = channel.basicGet(name, false);
                if (got != null) {
                    // The first of those that nobody has in hand; so that it stays the first.
                    channel.basicReject(got.getEnvelope().getDeliveryTag(), true);
                }
            }
        } catch (IOException | ShutdownSignalException e) {
            throw lost(e);
        }
    }

    /** Gives everything back, and waits until RabbitMQ has it, so that whoever reads next sees all. Idempotent. */
    void close() {
        boolean wasOpen;
        int inHand;
        synchronized (this) {
            wasOpen = ended == null;
            inHand = present;
        }
        end("it was closed");
        try {
            long before = wasOpen && inHand > 0 ? ready() : 0;
            channel.close();
            if (wasOpen && inHand > 0) {
                awaitReturn(before);
            }
        } catch (IOException | java.util.concurrent.TimeoutException | ShutdownSignalException e) {
            log.debug("The channel of {} was gone already", name, e);
        } catch (LetterException e) {
            log.debug("Whether {} has its letters back is not known: {}", name, e.sentence());
        }
        spool.close();
    }

    /** The queue hears of the end of a channel after whoever closed it, and puts everything back at once. */
    private void awaitReturn(long before) throws LetterException {
        long deadline = System.nanoTime() + RETURN_MILLIS * NANOS_PER_MILLI;
        while (ready() <= before && System.nanoTime() - deadline < 0) {
            java.util.concurrent.locks.LockSupport.parkNanos(10 * NANOS_PER_MILLI);
        }
    }
}
