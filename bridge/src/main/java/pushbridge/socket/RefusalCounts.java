package pushbridge.socket;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** How many handshakes were refused, by reason. Any thread. */
final class RefusalCounts {

    private final Map<Refusal, LongAdder> counts = new EnumMap<>(Refusal.class);

    RefusalCounts() {
        for (Refusal refusal : Refusal.values()) {
            counts.put(refusal, new LongAdder());
        }
    }

    void add(Refusal why) {
        LongAdder count = counts.get(why);
        if (count != null) {
            count.increment();
        }
    }

    /** By the slug of the reason. */
    Map<String, Long> all() {
        Map<String, Long> all = new TreeMap<>();
        counts.forEach((why, count) -> all.put(why.slug(), count.sum()));
        return all;
    }
}
