package pushbridge.letters;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Reading;

/** Letters in memory, and a RabbitMQ that answers as it is told to. */
final class FakeShelves implements Shelves {

    /** By delivery tag. */
    final Map<Long, Letter> letters = new TreeMap<>();

    final List<Outgoing> sent = new ArrayList<>();

    /** What is answered to the n-th publish; taken, when there is nothing. */
    final Map<Integer, Sender.Fate> fates = new TreeMap<>();

    int settled;
    int open;
    long beyond;

    /** Bodies with this text are refused. */
    String bad = "bad";

    /** Adds one that failed so many seconds after the epoch. */
    Letter add(long second, String reason, String type, String address, String body) {
        Map<String, Object> headers = new LinkedHashMap<>();
        headers.put("x-push-reason", reason);
        headers.put("x-push-copy-id", "node-" + second);
        headers.put("x-push-original-exchange", "push");
        headers.put("x-mine", "yes");
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("messageId", "m" + second);
        Letter letter = new Letter(
                Entry.text(0xabc000000000L + second),
                LetterQueue.DEAD,
                reason,
                "/payload/id: is missing",
                address,
                type,
                Instant.ofEpochSecond(second),
                "node",
                1,
                "push",
                address,
                List.of(),
                properties,
                headers,
                body.getBytes(StandardCharsets.UTF_8));
        letters.put(letters.size() + 1L, letter);
        return letter;
    }

    void add(Letter letter) {
        letters.put(letters.size() + 1L, letter);
    }

    @Override
    public Shelf open(LetterQueue queue) {
        open++;
        return new Shelf() {
            @Override
            public List<Entry> entries() {
                List<Entry> entries = new ArrayList<>();
                letters.forEach((tag, letter) -> entries.add(new Entry(
                        Long.parseLong(letter.id(), 16),
                        letter.failedAt().toEpochMilli(),
                        0,
                        tag.intValue(),
                        letter.reason(),
                        letter.detail(),
                        letter.address(),
                        letter.type(),
                        letter.body().length,
                        new Entry.Place(tag, 0, 0))));
                entries.sort(Entry.ORDER);
                return entries;
            }

            @Override
            public long beyond() {
                return beyond;
            }

            @Override
            public Letter read(Entry entry) throws LetterException {
                Letter letter = letters.get(entry.place().tag());
                if (letter == null) {
                    throw LetterException.unavailable("it was removed");
                }
                return letter;
            }

            @Override
            public void remove(Entry entry) {
                letters.remove(entry.place().tag());
            }

            @Override
            public void settle() {
                settled++;
            }

            @Override
            public void close() {
                open--;
            }
        };
    }

    @Override
    public Sender sender() {
        return new Sender() {
            private final List<Runnable> answers = new ArrayList<>();
            private @Nullable LetterException failure;

            @Override
            public void send(Outgoing outgoing, Answer answer) throws LetterException {
                Fate fate = fates.getOrDefault(sent.size(), Fate.TAKEN);
                sent.add(outgoing);
                answers.add(() -> {
                    try {
                        answer.is(fate);
                    } catch (LetterException e) {
                        failure = e;
                    }
                });
                if (answers.size() > 1) {
                    answers.remove(0).run(); // one behind
                }
                fail();
            }

            @Override
            public void flush() throws LetterException {
                answers.forEach(Runnable::run);
                answers.clear();
                fail();
            }

            private void fail() throws LetterException {
                if (failure != null) {
                    throw failure;
                }
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Reading.@Nullable Refusal refusal(Outgoing outgoing) {
        return new String(outgoing.body(), StandardCharsets.UTF_8).contains(bad)
                ? new Reading.Refusal(DeadLetterReason.PAYLOAD_INVALID, "/payload: it is bad", outgoing.key())
                : null;
    }
}
