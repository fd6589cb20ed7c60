package pushbridge.metrics;

/**
 * The metrics that libraries count, as far as an operator of the bridge should look at them; there are more. The names are
 * theirs, as they are scraped.
 */
public enum LibraryMetric {
    JVM_HEAP_USED(
            "jvm_memory_used_bytes",
            "What the Java process uses, by area (heap, nonheap) and pool.",
            "Heap near its maximum after collections: too many connections, or too much in hand, for this heap.",
            "Raise -Xmx, or lower outbox.heap-percent, amqp.prefetch, hold.max-messages."),
    JVM_HEAP_MAX(
            "jvm_memory_max_bytes",
            "What it may use at most; -1 where there is no limit.",
            "Nothing.",
            "It is set with -Xmx."),
    JVM_GC(
            "jvm_gc_pause_seconds",
            "Pauses of the garbage collector: count, sum and the longest of late.",
            "Many, or long ones: messages wait meanwhile.",
            "As for jvm_memory_used_bytes."),
    JVM_THREADS(
            "jvm_threads_live_threads", "Threads.", "It does not change much; a steady rise is a fault.", "Report it."),
    PROCESS_CPU(
            "process_cpu_usage",
            "Share of all processors that this process uses, 0 to 1.",
            "Near 1: the machine is too small for the traffic.",
            "More or faster processors; fewer fan-outs."),
    PROCESS_FILES(
            "process_files_open_files",
            "File handles in use, one for each connection.",
            "Near process_files_max_files: new connections are refused by the system.",
            "Raise the limit of files: ulimit -n, LimitNOFILE= with systemd."),
    PROCESS_FILES_MAX("process_files_max_files", "File handles that the process may have.", "Nothing.", "See above."),
    PROCESS_UPTIME(
            "process_uptime_seconds",
            "How long the process runs.",
            "A fall: it was restarted.",
            "Unless you did that, look at the end of its last log."),
    RABBITMQ_CONNECTIONS(
            "rabbitmq_connections",
            "Open connections to RabbitMQ.",
            "It is some eight on an owner; a steady rise is a fault.",
            "Report it."),
    RABBITMQ_CHANNELS("rabbitmq_channels", "Open channels.", "As before.", "Report it."),
    RABBITMQ_CONSUMED(
            "rabbitmq_consumed_total",
            "Messages from RabbitMQ: instructions, records of the held log, the ownership token.",
            "Traffic.",
            "Nothing."),
    RABBITMQ_ACKNOWLEDGED(
            "rabbitmq_acknowledged_total",
            "Acknowledgements sent; one may stand for many messages.",
            "Traffic.",
            "Nothing."),
    RABBITMQ_PUBLISHED(
            "rabbitmq_published_total",
            "Messages to RabbitMQ: copies and records of the held log.",
            "Users are absent, or messages are dead or expired.",
            "See the instructions by outcome."),
    RABBITMQ_NACKED(
            "rabbitmq_not_acknowledged_published_total",
            "Of these, refused.",
            "A queue is full, or has no leader.",
            "Readiness names the queue."),
    RABBITMQ_UNROUTED(
            "rabbitmq_unrouted_published_total",
            "Of these, returned because no queue took them.",
            "A queue or binding was deleted.",
            "`pushbridge topology` shows what is missing; a restart of the bridge declares it."),
    HANDSHAKES(
            "resilience4j_ratelimiter_available_permissions",
            "Handshakes that may still come in the present second.",
            "0 or below, again and again: clients are told to come back later.",
            "Raise socket.max-handshakes-per-second if the processors are idle meanwhile.");

    private final String scrapedName;
    private final String help;
    private final String reading;
    private final String action;

    LibraryMetric(String scrapedName, String help, String reading, String action) {
        this.scrapedName = scrapedName;
        this.help = help;
        this.reading = reading;
        this.action = action;
    }

    /** The name as it is scraped; of a histogram or summary, what its samples' names begin with. */
    public String scrapedName() {
        return scrapedName;
    }

    /** What it counts. */
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
