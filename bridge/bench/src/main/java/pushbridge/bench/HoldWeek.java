package pushbridge.bench;

import java.util.Map;

/**
 * A week of coming and going, in minutes: with little allowed to be held and small files, the log is written over many
 * times what it may take, while some messages stay in it from the first day to the last.
 */
final class HoldWeek {

    private static final int DAYS = 7;
    private static final int ROUNDS_A_DAY = 12;

    /** Large ones: it is bytes that fill files. */
    private static final int BODY_BYTES = 8_000;

    private static final int USERS = 150;
    private static final int MESSAGES_EACH = 20;
    private static final int STAYING_USERS = 200;
    private static final int EXPIRING = 100;
    private static final int EXPIRATION_MILLIS = 1_000;

    private static final long MAX_BYTES = 64L << 20;
    private static final long SEGMENT_BYTES = 4L << 20;

    /**
     * What the log may take: the bridge keeps what is needed below three times what is held and 64 MiB, and lets the
     * broker keep at most five times {@code hold.max-bytes} and 64 MiB with some room for what is under way; the broker
     * frees whole segments, the one being written not.
     */
    private static final double BOUND_MIB = (5 * MAX_BYTES + (72L << 20) + 2 * SEGMENT_BYTES) / 1048576.0;

    private static final Map<String, String> SETTINGS = Map.of(
            "hold.max-bytes", Long.toString(MAX_BYTES),
            "hold.segment-bytes", Long.toString(SEGMENT_BYTES),
            "hold.cache-bytes", "1MiB");

    private HoldWeek() {}

    static void run(Bench bench) throws BenchException {
        int roundsADay = bench.scaled(ROUNDS_A_DAY, 3);
        try (BrokerNode broker = bench.broker();
                BridgeProcess bridge = bench.bridge(broker, SETTINGS)) {
            Ledger coming = new Ledger(USERS);
            long round = 0;
            double largest = 0;
            double needed = 0;
            int staying = 0;
            int expiring = 0;
            for (int day = 0; day < DAYS; day++) {
                new Flood(Bench.PREFIX, "s", 0, STAYING_USERS, staying, STAYING_USERS, BODY_BYTES, 0)
                        .publish(broker.uri());
                staying += STAYING_USERS;
                for (int r = 0; r < roundsADay; r++) {
                    new Flood(Bench.PREFIX, "e", 0, EXPIRING, expiring, EXPIRING, BODY_BYTES, EXPIRATION_MILLIS)
                            .publish(broker.uri());
                    expiring += EXPIRING;
                    int messages = USERS * MESSAGES_EACH;
                    new Flood(Bench.PREFIX, "c", 0, USERS, round * messages, messages, BODY_BYTES, 0)
                            .publish(broker.uri());
                    round++;
                    Bench.awaitHeld(bridge, (double) staying + messages);
                    Returning.all(bridge, "c", USERS, coming, round * messages);
                    int stay = staying;
                    Waiting.until(
                            "what was delivered to be released, and what expired",
                            Bench.PATIENCE,
                            () -> bridge.metrics().get("held_messages") <= stay);
                    needed = Math.max(needed, bridge.metrics().get("held_span_bytes") / 1048576.0);
                    largest = Math.max(largest, broker.streamBytes() / 1048576.0);
                }
                bench.figures().note("day " + (day + 1) + ": the log on disk", broker.streamBytes() / 1048576.0, "MiB");
            }
            bench.figures()
                    .note("went through the log", round * USERS * MESSAGES_EACH * (BODY_BYTES / 1048576.0), "MiB");
            bench.figures().note("its part that was needed, largest", needed, "MiB");
            bench.figures().atMost(BOUND_MIB, "the log on disk, largest", largest, "MiB");
            bench.figures().none("comers' messages out of order", coming.disorder());
            bench.figures().none("comers' messages missing", coming.gaps());

            Console.say("  those who stayed away all week come back");
            Ledger stayed = new Ledger(STAYING_USERS);
            Returning.all(bridge, "s", STAYING_USERS, stayed, staying);
            bench.figures().none("messages of the week out of order", stayed.disorder());
            bench.figures().none("messages of the week missing", stayed.gaps() + staying - stayed.distinct());
            // Counted in the queue: for the metric of expired instructions these were held, and that was that.
            long expired = expiring;
            long[] copies = {0};
            Waiting.until("what expired to be copied", Bench.PATIENCE, () -> {
                copies[0] = broker.messages().getOrDefault(Bench.PREFIX + ".expired", 0L);
                return copies[0] >= expired;
            });
            bench.figures().note("expired, with a copy", copies[0], "messages");
            bench.awaitEmpty(broker, bridge);
        }
    }
}
