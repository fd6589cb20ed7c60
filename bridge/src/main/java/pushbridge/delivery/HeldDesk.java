package pushbridge.delivery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.delivery.HeldException.Kind;
import pushbridge.hold.HeldIndex;
import pushbridge.hold.HeldMessage;

/**
 * What operators can do with held messages. The index is the loop's, so it is looked at and changed on the loop's thread, in
 * bites that take it well below a millisecond; between two of them it does everything else. Any thread; every method may
 * wait for the loop, and some for RabbitMQ.
 */
public final class HeldDesk {

    private static final Logger log = LoggerFactory.getLogger(HeldDesk.class);

    /** Addresses and messages the loop looks at in one bite: some 0.1 ms. */
    private static final int LOOKS = 1_000;

    /** Messages of one address dropped in one bite. */
    private static final int DROPPED = 1_000;

    /** Bodies of a page, which are in memory together (I5). */
    private static final long PAGE_BYTES = 1 << 20;

    /** The loop answers within milliseconds; when not, it has other troubles. */
    private static final long PATIENCE_SECONDS = 5;

    /** So long nothing may come back from RabbitMQ before an action is given up. */
    private static final long STANDSTILL_SECONDS = 30;

    /** What is done. */
    public enum Action {
        /** Offered once more, from the head, to the connections that are there. */
        RELEASE,
        /** Forgotten. */
        DROP,
        /** Moved to the dead letters. */
        DEAD_LETTER;

        /** The name in paths and texts: {@code dead-letter}. */
        public String slug() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** In which order addresses are listed. Those of the same rank come by address. */
    public enum Order {
        /** Those with the most messages first. */
        MESSAGES,
        /** Those whose oldest message waits longest first. */
        AGE,
        /** Those whose first message expires first. */
        EXPIRY;

        private long rank(HeldAddress held) {
            return switch (this) {
                case MESSAGES -> -held.messages();
                case AGE -> held.heldMillis();
                case EXPIRY -> held.expiresMillis();
            };
        }

        private Place place(HeldAddress held) {
            return new Place(rank(held), held.address());
        }
    }

    /** A place in an order. */
    private record Place(long rank, String address) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            return rank == other.rank ? address.compareTo(other.address) : Long.compare(rank, other.rank);
        }

        @Override
        public String toString() {
            return rank + "~" + address;
        }

        static @Nullable Place parse(@Nullable String text) throws HeldException {
            if (text == null) {
                return null;
            }
            int end = text.indexOf('~');
            if (end < 1 || !text.substring(0, end).matches("-?[0-9]{1,18}")) {
                throw new HeldException(Kind.INVALID, "after must be the next of an earlier page.");
            }
            return new Place(Long.parseLong(text.substring(0, end)), text.substring(end + 1));
        }
    }

    /**
     * A sum over addresses.
     *
     * @param heldMillis when the oldest was held at the latest, in milliseconds since 1970; {@link Long#MAX_VALUE} without any
     * @param expiresMillis when the first one's time is over; {@link Long#MAX_VALUE} without any
     * @param absent of the addresses, those with no connection
     */
    public record Sum(long addresses, long messages, long bytes, long heldMillis, long expiresMillis, long absent) {

        private static final Sum NOTHING = new Sum(0, 0, 0, Long.MAX_VALUE, Long.MAX_VALUE, 0);

        private Sum plus(HeldAddress held) {
            return new Sum(
                    addresses + 1,
                    messages + held.messages(),
                    bytes + held.bytes(),
                    Math.min(heldMillis, held.heldMillis()),
                    Math.min(expiresMillis, held.expiresMillis()),
                    absent + (held.connections() == 0 ? 1 : 0));
        }
    }

    /**
     * A page of addresses. What comes and goes while pages are turned may be missing.
     *
     * @param sum over all that fit
     * @param addresses of this page
     * @param next what to ask for the next page with; null behind the last
     */
    public record Page(
            Sum sum, List<HeldAddress> addresses, @Nullable String next) {}

    /**
     * One held message.
     *
     * @param heldMillis when it was held at the latest, in milliseconds since 1970
     * @param offered whether it was offered to a connection that has not confirmed it
     * @param original what was published; null when it went elsewhere while it was read
     */
    public record Letter(
            HeldPage.Held held,
            long heldMillis,
            boolean offered,
            @Nullable Original original) {}

    /**
     * What is held for one address.
     *
     * @param waitsForRoom whether its turn to be read has not come, because others' bodies take all memory there is for them
     * @param more whether others follow behind the last message
     */
    public record Details(HeldAddress address, boolean waitsForRoom, List<Letter> messages, boolean more) {}

    /** Told how far an action has come, in messages; answers whether to go on. */
    @FunctionalInterface
    public interface Progress {
        boolean at(long done, long of);
    }

    /**
     * What came of an action.
     *
     * @param chosen what was meant
     * @param upToId of the last message that was meant
     * @param messages that were released, dropped or moved; 0 for a dry run
     * @param addresses they were for
     * @param stopped one sentence on why it ended before everything was done; null when all was
     */
    public record Outcome(
            Sum chosen,
            long upToId,
            long messages,
            long addresses,
            @Nullable String stopped) {}

    private final DeliveryLoop loop;
    /** One operator acts at a time. */
    private final Semaphore acting = new Semaphore(1);

    /** For a loop that runs, or will. */
    public HeldDesk(DeliveryLoop loop) {
        this.loop = loop;
    }

    // ---- looking -------------------------------------------------------------------------------------------------

    /**
     * The addresses that come first in an order. Looks at all of them, and keeps no more than the page.
     *
     * @param after the {@link Page#next} of the page before; null for the first
     */
    public Page addresses(HeldFilter filter, Order order, int limit, @Nullable String after)
            throws HeldException, InterruptedException {
        Place from = Place.parse(after);
        PriorityQueue<HeldAddress> best = new PriorityQueue<>(
                limit + 2, Comparator.comparing(order::place).reversed());
        Sum[] sum = {Sum.NOTHING};
        Set<String> seen = new HashSet<>(); // of those on the page: one that moved while it was looked for comes once
        all(filter, Long.MAX_VALUE, held -> {
            sum[0] = sum[0].plus(held);
            if ((from == null || order.place(held).compareTo(from) > 0) && seen.add(held.address())) {
                best.add(held);
                if (best.size() > limit + 1) {
                    seen.remove(best.remove().address());
                }
            }
            return true;
        });
        List<HeldAddress> page = new ArrayList<>(best);
        page.sort(Comparator.comparing(order::place));
        boolean more = page.size() > limit;
        if (more) {
            page.remove(limit);
        }
        return new Page(sum[0], page, more ? order.place(page.get(limit - 1)).toString() : null);
    }

    private interface Taker {
        boolean take(HeldAddress held) throws HeldException, InterruptedException;
    }

    /** Looks at every address that fits, until there are no more or the taker has enough. */
    private void all(HeldFilter filter, long upToId, Taker taker) throws HeldException, InterruptedException {
        int next = Integer.MAX_VALUE;
        while (next != HeldIndex.NONE) {
            int from = next;
            Interventions.Bite bite = ask(core -> core.interventions().addresses(from, filter, upToId, LOOKS));
            for (HeldAddress held : bite.addresses()) {
                if (!taker.take(held)) {
                    return;
                }
            }
            next = bite.next();
        }
    }

    /**
     * What is held for one address, with the messages in order, read from the log.
     *
     * @param afterId the message behind which to begin; 0 for the first
     * @param limit at most so many; fewer when they are large
     */
    public Details details(String address, long afterId, int limit) throws HeldException, InterruptedException {
        record Looked(
                HeldPage.Held held, long heldMillis, boolean offered, CompletableFuture<@Nullable HeldMessage> body) {}
        record Found(HeldAddress address, boolean waits, List<Looked> messages, boolean more) {}
        Found found = ask(core -> {
            HeldAddress held = core.interventions().address(address);
            if (held == null) {
                return new Found(new HeldAddress(address, 0, 0, 0, 0, 0), false, List.of(), false);
            }
            List<Looked> messages = new ArrayList<>();
            boolean more = core.interventions()
                    .look(address, afterId, limit, PAGE_BYTES, (message, heldMillis, offered) -> {
                        Looked looked = new Looked(message, heldMillis, offered, new CompletableFuture<>());
                        messages.add(looked);
                        return looked.body()::complete;
                    });
            return new Found(held, core.interventions().waitsForRoom(address), messages, more);
        });
        if (found.address().messages() == 0) {
            throw new HeldException(Kind.NOT_FOUND, "Nothing is held for " + address + ".");
        }
        List<Letter> letters = new ArrayList<>();
        for (Looked looked : found.messages()) {
            HeldMessage body = await(looked.body());
            letters.add(new Letter(
                    looked.held(), looked.heldMillis(), looked.offered(), body == null ? null : loop.original(body)));
        }
        return new Details(found.address(), found.waits(), letters, found.more());
    }

    /**
     * Some of all that is held, in the order of the log.
     *
     * @param afterId the message behind which to begin; 0 for the oldest
     */
    public HeldPage messages(long afterId, int limit) throws HeldException, InterruptedException {
        HeldPage[] page = {null};
        ask(core -> {
            page[0] = core.heldPage(afterId, limit);
            return true;
        });
        if (page[0] == null) {
            throw new HeldException(
                    Kind.BUSY, "The last message of that page is not held any more: begin again, without after.");
        }
        return page[0];
    }

    // ---- acting --------------------------------------------------------------------------------------------------

    /**
     * Does something with what is held now.
     *
     * @param upToId what came later than this message is not meant; 0 for everything there is
     * @param dryRun only says what would be done
     * @param who wants it
     */
    public Outcome act(Action action, HeldFilter filter, long upToId, boolean dryRun, String who, Progress progress)
            throws HeldException, InterruptedException {
        if (!acting.tryAcquire()) {
            throw new HeldException(Kind.BUSY, "Another operator is at work among the held messages; try again later.");
        }
        try {
            Optional<String> hindrance =
                    ask(core -> Optional.ofNullable(core.interventions().hindrance()));
            if (hindrance.isPresent()) {
                throw new HeldException(Kind.UNAVAILABLE, hindrance.get());
            }
            long last = upToId != 0
                    ? upToId
                    : ask(core -> core.interventions()
                            .addresses(0, HeldFilter.ALL, 0, 0)
                            .highestId());
            Sum[] chosen = {Sum.NOTHING};
            all(filter, last, held -> {
                chosen[0] = chosen[0].plus(held);
                return true;
            });
            if (dryRun) {
                return new Outcome(chosen[0], last, 0, 0, null);
            }
            Work work = new Work(chosen[0].messages(), progress);
            try {
                switch (action) {
                    case RELEASE -> release(filter, last, work);
                    case DROP -> drop(filter, last, work);
                    case DEAD_LETTER -> deadLetter(filter, last, who, work);
                }
            } finally {
                log.info(
                        "An operator ({}) had {} of {} held messages of {} addresses {}{}",
                        who,
                        work.messages,
                        chosen[0].messages(),
                        work.addresses,
                        switch (action) {
                            case RELEASE -> "offered once more";
                            case DROP -> "dropped";
                            case DEAD_LETTER -> "moved to the dead letters";
                        },
                        work.stopped == null ? "" : "; " + work.stopped);
            }
            return new Outcome(chosen[0], last, work.messages, work.addresses, work.stopped);
        } finally {
            acting.release();
        }
    }

    /** How far an action has come. */
    private static final class Work {
        private final long of;
        private final Progress progress;
        private long messages;
        private long addresses;
        private @Nullable String stopped;

        Work(long of, Progress progress) {
            this.of = of;
            this.progress = progress;
        }

        void did(int more) {
            if (more > 0) {
                messages += more;
                addresses++;
            }
        }

        /** Whether to go on. */
        boolean goesOn() {
            if (stopped == null && !progress.at(Math.min(messages, of), of)) {
                stopped = "The operator has gone away.";
            }
            return stopped == null;
        }
    }

    private void release(HeldFilter filter, long upToId, Work work) throws HeldException, InterruptedException {
        all(filter, upToId, held -> {
            if (held.connections() > 0 && ask(core -> core.interventions().offerAgain(held.address()))) {
                work.did(held.messages());
            }
            return work.goesOn();
        });
    }

    private void drop(HeldFilter filter, long upToId, Work work) throws HeldException, InterruptedException {
        Deque<CompletableFuture<Integer>> going = new ArrayDeque<>();
        all(filter, upToId, held -> {
            for (int left = held.messages(); left > 0; left -= DROPPED) {
                CompletableFuture<Integer> done = new CompletableFuture<>();
                loop.post(core -> core.interventions().drop(held.address(), upToId, DROPPED, done));
                going.add(done);
            }
            while (going.size() > LOOKS) {
                work.did(await(going.remove(), STANDSTILL_SECONDS));
            }
            return work.goesOn();
        });
        for (CompletableFuture<Integer> done : going) {
            work.did(await(done, STANDSTILL_SECONDS));
        }
        work.goesOn();
    }

    private void deadLetter(HeldFilter filter, long upToId, String who, Work work)
            throws HeldException, InterruptedException {
        String detail = "an operator (" + who + ") moved it here from the held messages";
        Deque<Moving> going = new ArrayDeque<>();
        Set<String> addresses = new HashSet<>();
        try {
            all(filter, upToId, held -> {
                if (addresses.add(held.address())) { // one whose lane moved meanwhile may come twice
                    CompletableFuture<Integer> done = new CompletableFuture<>();
                    loop.post(core -> core.interventions().deadLetter(held.address(), upToId, detail, done));
                    going.add(new Moving(held.address(), done));
                }
                while (work.stopped == null && going.size() >= Interventions.MOST_AT_A_TIME) {
                    finish(going, addresses, work);
                }
                return work.goesOn();
            });
            while (work.stopped == null && !going.isEmpty()) {
                finish(going, addresses, work);
                work.goesOn();
            }
        } finally {
            if (!going.isEmpty()) {
                loop.post(core -> core.interventions().cancel());
            }
        }
    }

    private record Moving(String address, CompletableFuture<Integer> done) {}

    /** Waits for the first of them, as long as anything at all gets on. */
    private void finish(Deque<Moving> going, Set<String> addresses, Work work)
            throws HeldException, InterruptedException {
        Moving first = going.getFirst();
        long moved = loop.stats().heldDead();
        for (long idle = 0; !first.done().isDone(); idle++) {
            if (idle == STANDSTILL_SECONDS) {
                work.stopped =
                        "RabbitMQ has taken no dead letter for %d s: look at /health/ready, and do it once more. What was on its way is moved as soon as it can be."
                                .formatted(STANDSTILL_SECONDS);
                return;
            }
            try {
                first.done().get(1, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                long now = loop.stats().heldDead();
                idle = now == moved ? idle : -1;
                moved = now;
                if (!work.progress.at(work.messages, work.of)) {
                    work.stopped = "The operator has gone away.";
                    return;
                }
            } catch (ExecutionException e) {
                break; // told below
            }
        }
        going.removeFirst();
        addresses.remove(first.address());
        work.did(await(first.done()));
    }

    // ---- the loop ------------------------------------------------------------------------------------------------

    private <T> T ask(Function<DeliveryCore, T> question) throws HeldException, InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.post(core -> answer.complete(question.apply(core)));
        return await(answer);
    }

    private static <T> T await(CompletableFuture<T> answer) throws HeldException, InterruptedException {
        return await(answer, PATIENCE_SECONDS);
    }

    private static <T> T await(CompletableFuture<T> answer, long seconds) throws HeldException, InterruptedException {
        try {
            return answer.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new HeldException(
                    Kind.UNAVAILABLE, "The delivery loop or RabbitMQ does not answer; look at /health/ready.");
        } catch (ExecutionException e) {
            throw new HeldException(
                    Kind.UNAVAILABLE,
                    "It ended in the middle: "
                            + String.valueOf(
                                    e.getCause() == null ? e : e.getCause().getMessage()) + ".");
        }
    }
}
