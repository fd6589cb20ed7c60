package pushbridge.app;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Happening;
import pushbridge.delivery.Happening.Message;
import pushbridge.delivery.Watcher;
import pushbridge.envelope.Wildcard;

/**
 * What happens in the delivery loop, on its way to one who looks on. Bounded in number and bytes (I5): what does not fit is
 * counted, so that the reader learns how much it has missed. The loop never waits here, and takes no lock.
 */
final class TailQueue implements Watcher {

    /** Happenings that wait: some 300 bytes each, so 1 MB. */
    static final int MOST = 4_000;

    /** Bodies that wait, of messages from the held log only; others do not need theirs. */
    private static final long MOST_BYTES = 4 << 20;

    private static final String ANY = "*";

    private final List<String> patterns;
    private final boolean any;

    private final ConcurrentLinkedQueue<Happening> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong missed = new AtomicLong();

    /** @param patterns addresses, with {@code *} for any characters */
    TailQueue(List<String> patterns) {
        this.patterns = List.copyOf(patterns);
        this.any = patterns.contains(ANY);
    }

    @Override
    public boolean wants(@Nullable String address) {
        if (any || address == null) {
            return true;
        }
        for (String pattern : patterns) {
            if (Wildcard.matches(pattern, address)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void saw(Happening happening) {
        if (happening.address() == null && happening.message() != null && !any) {
            return; // nobody knows whom it was for
        }
        long body = bodyBytes(happening);
        if (count.get() >= MOST || bytes.get() + body > MOST_BYTES) {
            missed.incrementAndGet();
            return;
        }
        count.incrementAndGet();
        bytes.addAndGet(body);
        waiting.add(happening);
    }

    private static long bodyBytes(Happening happening) {
        Message message = happening.message();
        return message == null || message.body() == null ? 0 : message.body().length;
    }

    // The reader's thread, from here on.

    /** What has happened since the last time, at most so much. */
    List<Happening> take(int most) {
        List<Happening> taken = new ArrayList<>();
        while (taken.size() < most) {
            Happening happening = waiting.poll();
            if (happening == null) {
                break;
            }
            count.decrementAndGet();
            bytes.addAndGet(-bodyBytes(happening));
            taken.add(happening);
        }
        return taken;
    }

    /** How many happenings did not fit since the last time. */
    long takeMissed() {
        return missed.getAndSet(0);
    }
}
