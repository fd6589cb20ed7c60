package pushbridge.metrics;

import org.jspecify.annotations.Nullable;

/** Every metric of the bridge itself, beside those of the JVM: the one table that names, help texts and docs come from. */
public enum Metric {
    INSTRUCTIONS_RECEIVED(
            Kind.COUNTER,
            "instructions.received",
            null,
            "Instructions taken from the queue, redeliveries included.",
            "The rate of publishing. Received minus returned is the sum of the five outcomes and of unsettled.",
            "Nothing; compare it with what your application publishes."),
    INSTRUCTIONS_DELIVERED(
            Kind.COUNTER,
            "instructions.delivered",
            null,
            "Instructions settled because the browser, or every subscriber's outbox, has them.",
            "The bridge's work.",
            "Nothing. When it falls while instructions.received does not: look at the other outcomes."),
    INSTRUCTIONS_HELD(
            Kind.COUNTER,
            "instructions.held",
            null,
            "Instructions settled because the held log has them.",
            "Users are absent, or read more slowly than their messages arrive.",
            "Nothing while held.messages stays far from its limits; else look who is waited for: `pushbridge held`."),
    HELD_DELIVERED(
            Kind.COUNTER,
            "held.delivered",
            null,
            "Held messages that a client has got since.",
            "Users come back.",
            "Nothing."),
    HELD_LOST(
            Kind.COUNTER,
            "held.lost",
            null,
            "Held messages that RabbitMQ had no more when they were needed.",
            "Any at all: the held log was deleted or cut off below what it held.",
            "Find out who deleted, truncated or purged the stream, or which disks were lost. What is gone is gone: tell the application."),
    HELD_OPERATED(
            Kind.COUNTER,
            "held.operated",
            "action",
            "What operators had done: addresses offered once more (release), messages dropped or moved to push.dead.",
            "Somebody used `pushbridge held`, or the API.",
            "The log has who it was: look for pushbridge.admin.Audit."),
    HELD_MESSAGES(
            Kind.GAUGE,
            "held.messages",
            null,
            "Messages in the held log that nobody has got yet.",
            "Near hold.max-messages: more become dead letters, hold-full.",
            "`pushbridge held` shows for whom; publish with a shorter expiration, or raise hold.max-messages and the heap."),
    HELD_MESSAGES_MAX(
            Kind.GAUGE,
            "held.messages.max",
            null,
            "hold.max-messages: how many may be held.",
            "Nothing.",
            "Compare held.messages with it."),
    HELD_ADDRESSES(
            Kind.GAUGE,
            "held.addresses",
            null,
            "Addresses they are for.",
            "How many users are waited for.",
            "Nothing by itself."),
    HELD_BYTES(
            Kind.GAUGE,
            "held.bytes",
            null,
            "What they take in the log.",
            "Near hold.max-bytes: more become dead letters, hold-full.",
            "As for held.messages, or raise hold.max-bytes if the disk of RabbitMQ has room."),
    HELD_BYTES_MAX(
            Kind.GAUGE,
            "held.bytes.max",
            null,
            "hold.max-bytes: what held messages may take.",
            "Nothing.",
            "Compare held.bytes with it."),
    HELD_SPAN_BYTES(
            Kind.GAUGE,
            "held.span.bytes",
            null,
            "What the log takes from the oldest held message on.",
            "About three times held.bytes at most: beyond, the oldest are copied forward.",
            "If it stays above three times held.bytes: look for alarms in readiness, since copying forward does not get on."),
    HELD_OLDEST(
            Kind.GAUGE,
            "held.oldest.seconds",
            null,
            "How long ago the oldest held message was written to the log, or copied forward there.",
            "Near hold.ttl: users stay away until their messages expire.",
            "Nothing, or a shorter expiration for what nobody wants to read so late."),
    HELD_LAG(
            Kind.GAUGE,
            "held.lag.records",
            null,
            "Records of the held log that this process has not read yet, about; -1 while that is not known.",
            "It cannot keep up with the log, or is catching up after a start.",
            "Wait after a start. Otherwise look at the CPU, and at whether RabbitMQ delivers: readiness names the reason."),
    HELD_REPLAY_TIME(
            Kind.GAUGE,
            "held.replay.seconds",
            null,
            "How long it took to read the held log at the start; so far, while that goes on.",
            "No instruction is taken before that.",
            "Minutes: look at the disk of RabbitMQ, or hold less."),
    HELD_REPLAY_RECORDS(
            Kind.GAUGE,
            "held.replay.records",
            null,
            "Records of the held log that were read at the start.",
            "About as many as messages are held, and 100,000 more at most: reading begins at a checkpoint.",
            "Far more: no checkpoint was written or found; see held.checkpoints.failed."),
    HELD_RECORDS_IGNORED(
            Kind.COUNTER,
            "held.records.ignored",
            "why",
            "Records of the held log without effect: void, repeated, ahead, unreadable.",
            "void: a replaced owner went on writing. repeated, ahead: the connection broke, or RabbitMQ refused records."
                    + " unreadable: written by a later version, or damaged.",
            "unreadable: run only one version of the bridge. The others: look at the connection to RabbitMQ."),
    HELD_CHECKPOINTS_FAILED(
            Kind.COUNTER,
            "held.checkpoints.failed",
            null,
            "Checkpoints of the held log that did not agree with what was read.",
            "Any at all: please report it.",
            "Report it, with the log. The held log is read from its first record meanwhile; nothing is lost."),
    HELD_COLD_READS(
            Kind.COUNTER,
            "held.cold.reads",
            null,
            "Held messages read from the log, because their bodies were not in memory any more.",
            "Users return after long, or very many are waited for.",
            "Nothing, or a larger hold.cache-bytes."),
    HELD_COLD_PASSED(
            Kind.COUNTER,
            "held.cold.passed.records",
            null,
            "Records of the held log read only because they stood between those, or came with them.",
            "Much faster than held.cold.reads: the wanted ones stand far apart; the broker sends in vain.",
            "Nothing, or a larger hold.cache-bytes."),
    HELD_COLD_WAITING(
            Kind.GAUGE,
            "held.cold.waiting",
            null,
            "Held messages that are to be read from the log.",
            "Not back to 0 soon: many return at once, or the log cannot be read: readiness names the reason.",
            "Look at readiness and at the disk of RabbitMQ."),
    HELD_CACHE(
            Kind.COUNTER,
            "held.cache",
            "outcome",
            "Bodies wanted for delivery: hit when they were still in memory, miss when they had to be read.",
            "Many misses soon after holding: hold.cache-bytes is small for this traffic.",
            "Raise hold.cache-bytes if the heap has room."),
    EPOCH(
            Kind.GAUGE,
            "epoch",
            null,
            "The epoch of the held log's present owner.",
            "One more with each change of owner.",
            "Many in a short time: two bridges take turns; look why their connections break."),
    INSTRUCTIONS_DEAD(
            Kind.COUNTER,
            "instructions.dead",
            "reason",
            "Instructions settled with a copy in the dead-letter queue, by reason.",
            "Somebody publishes what cannot be delivered: the dead letters' headers say what and why.",
            "`pushbridge dead-letters list`; correct the publisher, then replay. hold-full: see held.messages. poisoned: report it."),
    INSTRUCTIONS_EXPIRED(
            Kind.COUNTER,
            "instructions.expired",
            null,
            "Instructions settled because their time was over, with a copy in the queue of expired ones.",
            "Readers are absent or slow for longer than the messages are worth.",
            "Look in push.expired whether it matters; publish with a longer expiration, or find out why readers are slow."),
    INSTRUCTIONS_DROPPED(
            Kind.COUNTER,
            "instructions.dropped",
            null,
            "Instructions settled because nobody was there and their policy is to forget them.",
            "Normal for channels that nobody watches.",
            "Where it should not happen: x-push-offline hold or dead-letter."),
    INSTRUCTIONS_RETURNED(
            Kind.COUNTER,
            "instructions.returned",
            null,
            "Instructions that were unsettled when their broker channel ended; the broker redelivers them.",
            "The connection to RabbitMQ breaks; clients may see duplicates.",
            "Look at the network and at the log of RabbitMQ."),
    INSTRUCTIONS_UNSETTLED(
            Kind.GAUGE,
            "instructions.unsettled",
            null,
            "Instructions in hand and not settled.",
            "Near amqp.prefetch: clients confirm slowly, or copies are not confirmed by RabbitMQ.",
            "Look at copies.waiting and at the settle times. If both are fine, raise amqp.prefetch and the heap."),
    INTAKE_PACED(
            Kind.COUNTER,
            "intake.paced.seconds",
            null,
            "Time for which the intake was held back so that full outboxes could be read.",
            "Fan-outs come faster than clients read.",
            "Publish to channels and all less often, or raise outbox.max-frames; slow clients are closed by themselves."),
    INTAKE_CAREFUL(
            Kind.GAUGE,
            "intake.careful",
            null,
            "1 while instructions are taken one by one, because one of them may be what breaks the bridge.",
            "1: slower until it is found and dead-lettered as poisoned; look there, and at what the log says before.",
            "Wait some minutes; then look at the dead letter, and report what the bridge cannot handle."),
    FRAMES_OFFERED(
            Kind.COUNTER,
            "frames.offered",
            null,
            "Envelopes put into outboxes: one for each connection that an instruction goes to.",
            "The rate of sending.",
            "Nothing."),
    CONNECTIONS(
            Kind.GAUGE,
            "connections",
            null,
            "WebSocket connections that are open, or being closed.",
            "Near socket.max-connections: new ones are refused with 503.",
            "Raise socket.max-connections, and the limit of files (ulimit -n) above it."),
    CONNECTIONS_MAX(
            Kind.GAUGE,
            "connections.max",
            null,
            "socket.max-connections: how many may be open.",
            "Nothing.",
            "Compare connections with it."),
    CONNECTIONS_ENDED(
            Kind.COUNTER,
            "connections.ended",
            "how",
            "Connections that have ended: by close code of the bridge, or client, gone, unresponsive.",
            "slow, stalled, behind, ack-timeout: clients cannot keep up.",
            "slow, stalled, behind: less to send, or larger outboxes. unauthorized: look at the tokens. gone, unresponsive: networks and proxies."),
    HANDSHAKES_REFUSED(
            Kind.COUNTER,
            "handshakes.refused",
            "reason",
            "Connections that never became WebSockets: refused with an HTTP status, cut-off without an answer, timeout.",
            "unauthorized, foreign-origin: a page is set up wrongly, or somebody tries. full…, too-often…: more clients than"
                    + " the limits have room for, or an attack. timeout: slow networks, or slowloris.",
            "Correct the page or its tokens; raise the limit that is named, or keep the attacker away in front of the bridge."),
    USERS(Kind.GAUGE, "users", null, "Users with at least one connection.", "How many are there.", "Nothing."),
    CHANNELS(
            Kind.GAUGE, "channels", null, "Channels with at least one subscriber.", "How many are in use.", "Nothing."),
    LANES(
            Kind.GAUGE,
            "lanes",
            null,
            "Addresses with unsettled messages.",
            "Many at a low rate: clients confirm slowly.",
            "Look at publish-to-acked, and whether clients acknowledge."),
    OUTBOX_BYTES(
            Kind.GAUGE,
            "outbox.bytes",
            null,
            "Bytes that wait for all clients together.",
            "Clients read more slowly than messages arrive.",
            "Look for a burst to channels or all; near outbox.heap-percent of the heap the slowest are closed. Raise the heap if that is normal."),
    TOKEN_KEYS_REFRESHED(
            Kind.COUNTER,
            "token.keys.refreshes",
            "result",
            "How often the keys that check tokens were loaded from auth.jwks-url, or taken anew from auth.public-key: ok, failed.",
            "failed: those before go on, from an address only for auth.jwks-max-age; readiness says why.",
            "Look whether that address answers, with the certificate that auth.jwks-ca-file expects; the log says what it answered."),
    TOKEN_KEYS_AGE(
            Kind.GAUGE,
            "token.keys.age.seconds",
            null,
            "Time since these keys were last known to be those that hold, or since the start when they never were.",
            "Above auth.jwks-refresh: they cannot be loaded; at auth.jwks-max-age nobody with a token gets in any more.",
            "As for token.keys.refreshes."),
    COPIES_WAITING(
            Kind.GAUGE,
            "copies.waiting",
            null,
            "Copies for the dead-letter and expired queues that RabbitMQ has not confirmed.",
            "RabbitMQ refuses them or is blocked: readiness names the reason; nothing is settled meanwhile.",
            "Empty push.dead (`pushbridge dead-letters`) or raise amqp.dead-max-messages; under an alarm free memory or disk of RabbitMQ."),
    RECEIPTS(
            Kind.COUNTER,
            "receipts",
            "fate",
            "Receipts for publishers who asked: published; and of these refused by RabbitMQ or unrouted, since nobody has bound a"
                    + " queue; not published: dropped for want of room, or forbidden, since reply_to is a name of the bridge's.",
            "dropped, refused: RabbitMQ is slow, blocked or away. unrouted, forbidden: a publisher's reply_to is wrong.",
            "Look at RabbitMQ; bind a queue to push.receipts with that reply_to. What is lost is lost: receipts are best effort."),
    RECEIPTS_WAITING(
            Kind.GAUGE,
            "receipts.waiting",
            null,
            "Receipts that are not published yet.",
            "Near receipts.max-waiting: more are dropped.",
            "As for receipts."),
    BROKER_CONNECTED(
            Kind.GAUGE,
            "broker.connected",
            "connection",
            "1 while the connection to RabbitMQ stands: intake, copies.",
            "0: RabbitMQ cannot be reached; messages wait in its queue.",
            "Readiness tells what is wrong with the way to RabbitMQ."),
    CONFIG_RELOADS(
            Kind.COUNTER,
            "config.reloads",
            "result",
            "How often the configuration was read again: ok, or failed, since it was wrong; then nothing of it is taken.",
            "failed: the bridge runs with the configuration before.",
            "`pushbridge reload` lists what is wrong; a restart would not start with it."),
    CONFIG_READ_TIME(
            Kind.GAUGE,
            "config.read.timestamp.seconds",
            null,
            "When the configuration in effect was read, in seconds since 1970.",
            "Nothing.",
            "Compare it with when you changed the file."),
    OWNER(
            Kind.GAUGE,
            "owner",
            null,
            "1 while this process is the one that takes instructions.",
            "0 on every process: nobody delivers.",
            "On all at 0: readiness of each tells why. On two at 1 for longer than a scrape: report it."),
    PUBLISH_TO_WRITTEN(
            Kind.HISTOGRAM,
            "publish.to.written.seconds",
            null,
            "From the publish until the kernel has taken the message for a client: one value a write, of the first message in it. Messages that came back from the held log are not counted.",
            "Messages wait: in the queue of RabbitMQ, in the bridge, or behind what a client has not read.",
            "Compare with the settle times: large here and small there, it is the queue (or the clocks, see publish.ahead). Look at the CPU and at intake.paced."),
    PUBLISH_TO_ACKED(
            Kind.HISTOGRAM,
            "publish.to.acked.seconds",
            null,
            "From the publish until a client of the user or connection has confirmed the message, by acknowledgement, pong or written.",
            "As before, and clients answer late: slow pages, slow networks.",
            "When publish.to.written is small it is the clients: look at what their pages do with a message."),
    PUBLISH_AHEAD(
            Kind.COUNTER,
            "publish.ahead",
            "until",
            "Of these two, values below zero: the clock that set the time of the publish is ahead of this machine's.",
            "The clocks of the machines differ, so both histograms are wrong by as much.",
            "Synchronize the clocks (NTP). Nothing else rests on it but expirations that count from a timestamp."),
    SETTLE(
            Kind.HISTOGRAM,
            "settle.seconds",
            null,
            "From taking an instruction until it is settled, whatever the outcome, by this process' own clock.",
            "Clients confirm late, the held log or copies are confirmed late, or a fan-out waits for outboxes.",
            "About hold.after at most for one user; beyond: look at copies.waiting, held.lag.records and the alarms of RabbitMQ."),
    UNSETTLED_OLDEST(
            Kind.GAUGE,
            "unsettled.oldest.seconds",
            null,
            "How long the instruction in hand longest has not been settled.",
            "Beyond hold.after and some seconds: something keeps instructions from being settled.",
            "Readiness names it: RabbitMQ blocked, push.dead full, the held log out of reach."),
    RECOVERIES(
            Kind.COUNTER,
            "recoveries",
            "connection",
            "How often a connection to RabbitMQ has come back: intake, copies, held-append, held-tail.",
            "RabbitMQ restarts, or the network breaks; each time clients may see duplicates.",
            "Look at the log of RabbitMQ at these times, then at the network and amqp.heartbeat."),
    LOOP_IDLE(
            Kind.GAUGE,
            "loop.idle.seconds",
            null,
            "How long ago the delivery loop last finished a turn; it does so several times a second.",
            "Seconds: the process gets no CPU, collects garbage for long, or was stopped.",
            "Look at jvm_gc_pause_seconds and at the machine. After 30 seconds liveness fails, and the process should be restarted.");

    /** What Prometheus calls the type. */
    public enum Kind {
        /** Only grows; its name ends in _total. */
        COUNTER,
        /** Goes up and down. */
        GAUGE,
        /** How many durations there were up to each of some sizes, in seconds. */
        HISTOGRAM
    }

    /** Starts every name. */
    private static final String PREFIX = "pushbridge.";

    private final Kind kind;
    private final String name;
    private final @Nullable String label;
    private final String help;
    private final String reading;
    private final String action;

    Metric(Kind kind, String name, @Nullable String label, String help, String reading, String action) {
        this.kind = kind;
        this.name = name;
        this.label = label;
        this.help = help;
        this.reading = reading;
        this.action = action;
    }

    /** Counter, gauge or histogram. */
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

    /** What to do about it. */
    public String action() {
        return action;
    }
}
