package pushbridge.metrics;

import org.jspecify.annotations.Nullable;

/** Every metric of the bridge itself, beside those of the JVM: the one table that names, help texts and docs come from. */
public enum Metric {
    INSTRUCTIONS_RECEIVED(
            Kind.COUNTER,
            "instructions.received",
            null,
            "Instructions taken from the queue, redeliveries included.",
            "The rate of publishing. Received minus returned is the sum of the five outcomes and of unsettled."),
    INSTRUCTIONS_DELIVERED(
            Kind.COUNTER,
            "instructions.delivered",
            null,
            "Instructions settled because the browser, or every subscriber's outbox, has them.",
            "The bridge's work."),
    INSTRUCTIONS_HELD(
            Kind.COUNTER,
            "instructions.held",
            null,
            "Instructions settled because the held log has them.",
            "Users are absent, or read more slowly than their messages arrive."),
    HELD_DELIVERED(
            Kind.COUNTER, "held.delivered", null, "Held messages that a client has got since.", "Users come back."),
    HELD_LOST(
            Kind.COUNTER,
            "held.lost",
            null,
            "Held messages that RabbitMQ had no more when they were needed.",
            "Any at all: the held log was deleted or cut off below what it held."),
    HELD_MESSAGES(
            Kind.GAUGE,
            "held.messages",
            null,
            "Messages in the held log that nobody has got yet.",
            "Near hold.max-messages: more become dead letters, hold-full."),
    HELD_ADDRESSES(Kind.GAUGE, "held.addresses", null, "Addresses they are for.", "How many users are waited for."),
    HELD_BYTES(
            Kind.GAUGE,
            "held.bytes",
            null,
            "What they take in the log.",
            "Near hold.max-bytes: more become dead letters, hold-full."),
    HELD_SPAN_BYTES(
            Kind.GAUGE,
            "held.span.bytes",
            null,
            "What the log takes from the oldest held message on.",
            "About three times held.bytes at most: beyond, the oldest are copied forward."),
    HELD_OLDEST(
            Kind.GAUGE,
            "held.oldest.seconds",
            null,
            "How long ago the oldest held message was written to the log, or copied forward there.",
            "Near hold.ttl: users stay away until their messages expire."),
    HELD_LAG(
            Kind.GAUGE,
            "held.lag.records",
            null,
            "Records of the held log that this process has not read yet, about; -1 while that is not known.",
            "It cannot keep up with the log, or is catching up after a start."),
    HELD_REPLAY_TIME(
            Kind.GAUGE,
            "held.replay.seconds",
            null,
            "How long it took to read the held log at the start; so far, while that goes on.",
            "No instruction is taken before that."),
    HELD_REPLAY_RECORDS(
            Kind.GAUGE,
            "held.replay.records",
            null,
            "Records of the held log that were read at the start.",
            "About as many as messages are held, and 100,000 more at most: reading begins at a checkpoint."),
    HELD_RECORDS_IGNORED(
            Kind.COUNTER,
            "held.records.ignored",
            "why",
            "Records of the held log without effect: void, repeated, ahead, unreadable.",
            "void: a replaced owner went on writing. repeated, ahead: the connection broke, or RabbitMQ refused records."
                    + " unreadable: written by a later version, or damaged."),
    HELD_CHECKPOINTS_FAILED(
            Kind.COUNTER,
            "held.checkpoints.failed",
            null,
            "Checkpoints of the held log that did not agree with what was read.",
            "Any at all: please report it."),
    HELD_COLD_READS(
            Kind.COUNTER,
            "held.cold.reads",
            null,
            "Held messages read from the log, because their bodies were not in memory any more.",
            "Users return after long, or very many are waited for."),
    HELD_COLD_PASSED(
            Kind.COUNTER,
            "held.cold.passed.records",
            null,
            "Records of the held log read only because they stood between those, or came with them.",
            "Much faster than held.cold.reads: the wanted ones stand far apart; the broker sends in vain."),
    HELD_COLD_WAITING(
            Kind.GAUGE,
            "held.cold.waiting",
            null,
            "Held messages that are to be read from the log.",
            "Not back to 0 soon: many return at once, or the log cannot be read: readiness names the reason."),
    HELD_CACHE(
            Kind.COUNTER,
            "held.cache",
            "outcome",
            "Bodies wanted for delivery: hit when they were still in memory, miss when they had to be read.",
            "Many misses soon after holding: hold.cache-bytes is small for this traffic."),
    EPOCH(
            Kind.GAUGE,
            "epoch",
            null,
            "The epoch of the held log's present owner.",
            "One more with each change of owner."),
    INSTRUCTIONS_DEAD(
            Kind.COUNTER,
            "instructions.dead",
            "reason",
            "Instructions settled with a copy in the dead-letter queue, by reason.",
            "Somebody publishes what cannot be delivered: the dead letters' headers say what and why."),
    INSTRUCTIONS_EXPIRED(
            Kind.COUNTER,
            "instructions.expired",
            null,
            "Instructions settled because their time was over, with a copy in the queue of expired ones.",
            "Readers are absent or slow for longer than the messages are worth."),
    INSTRUCTIONS_DROPPED(
            Kind.COUNTER,
            "instructions.dropped",
            null,
            "Instructions settled because nobody was there and their policy is to forget them.",
            "Normal for channels that nobody watches."),
    INSTRUCTIONS_RETURNED(
            Kind.COUNTER,
            "instructions.returned",
            null,
            "Instructions that were unsettled when their broker channel ended; the broker redelivers them.",
            "The connection to RabbitMQ breaks; clients may see duplicates."),
    INSTRUCTIONS_UNSETTLED(
            Kind.GAUGE,
            "instructions.unsettled",
            null,
            "Instructions in hand and not settled.",
            "Near amqp.prefetch: clients confirm slowly, or copies are not confirmed by RabbitMQ."),
    INTAKE_PACED(
            Kind.COUNTER,
            "intake.paced.seconds",
            null,
            "Time for which the intake was held back so that full outboxes could be read.",
            "Fan-outs come faster than clients read."),
    INTAKE_CAREFUL(
            Kind.GAUGE,
            "intake.careful",
            null,
            "1 while instructions are taken one by one, because one of them may be what breaks the bridge.",
            "1: slower until it is found and dead-lettered as poisoned; look there, and at what the log says before."),
    FRAMES_OFFERED(
            Kind.COUNTER,
            "frames.offered",
            null,
            "Envelopes put into outboxes: one for each connection that an instruction goes to.",
            "The rate of sending."),
    CONNECTIONS(
            Kind.GAUGE,
            "connections",
            null,
            "WebSocket connections that are open, or being closed.",
            "Near socket.max-connections: new ones are refused with 503."),
    CONNECTIONS_ENDED(
            Kind.COUNTER,
            "connections.ended",
            "how",
            "Connections that have ended: by close code of the bridge, or client, gone, unresponsive.",
            "slow, stalled, behind, ack-timeout: clients cannot keep up."),
    HANDSHAKES_REFUSED(
            Kind.COUNTER,
            "handshakes.refused",
            "reason",
            "Connections that never became WebSockets: refused with an HTTP status, cut-off without an answer, timeout.",
            "unauthorized, foreign-origin: a page is set up wrongly, or somebody tries. full…, too-often…: more clients than"
                    + " the limits have room for, or an attack. timeout: slow networks, or slowloris."),
    USERS(Kind.GAUGE, "users", null, "Users with at least one connection.", "How many are there."),
    CHANNELS(Kind.GAUGE, "channels", null, "Channels with at least one subscriber.", "How many are in use."),
    LANES(
            Kind.GAUGE,
            "lanes",
            null,
            "Addresses with unsettled messages.",
            "Many at a low rate: clients confirm slowly."),
    OUTBOX_BYTES(
            Kind.GAUGE,
            "outbox.bytes",
            null,
            "Bytes that wait for all clients together.",
            "Clients read more slowly than messages arrive."),
    COPIES_WAITING(
            Kind.GAUGE,
            "copies.waiting",
            null,
            "Copies for the dead-letter and expired queues that RabbitMQ has not confirmed.",
            "RabbitMQ refuses them or is blocked: readiness names the reason; nothing is settled meanwhile."),
    BROKER_CONNECTED(
            Kind.GAUGE,
            "broker.connected",
            "connection",
            "1 while the connection to RabbitMQ stands: intake, copies.",
            "0: RabbitMQ cannot be reached; messages wait in its queue."),
    OWNER(
            Kind.GAUGE,
            "owner",
            null,
            "1 while this process is the one that takes instructions.",
            "0 on every process: nobody delivers.");

    /** What Prometheus calls the type. */
    public enum Kind {
        /** Only grows; its name ends in _total. */
        COUNTER,
        /** Goes up and down. */
        GAUGE
    }

    /** Starts every name. */
    private static final String PREFIX = "pushbridge.";

    private final Kind kind;
    private final String name;
    private final @Nullable String label;
    private final String help;
    private final String reading;

    Metric(Kind kind, String name, @Nullable String label, String help, String reading) {
        this.kind = kind;
        this.name = name;
        this.label = label;
        this.help = help;
        this.reading = reading;
    }

    /** Counter or gauge. */
    public Kind kind() {
        return kind;
    }

    /** The name with dots, as Micrometer wants it. */
    String dottedName() {
        return PREFIX + name;
    }

    /** The name as it is scraped. */
    public String scrapedName() {
        return dottedName().replace('.', '_') + (kind == Kind.COUNTER ? "_total" : "");
    }

    /** The name of its one label; null when it has none. */
    public @Nullable String label() {
        return label;
    }

    /** What it counts, in one sentence. */
    public String help() {
        return help;
    }

    /** What a rise, or its value, tells an operator. */
    public String reading() {
        return reading;
    }
}
