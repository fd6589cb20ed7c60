package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;

/**
 * One run of the core against a small broker that redelivers, a small log that loses confirms, and clients that do what
 * they like. Each step has a seed of its own, so that a run stays what it was when steps are left out. After every step
 * nothing may be settled that is neither confirmed by a client nor copied, held nor dropped by policy (I1), nothing of a
 * user out of order (I2), and every client sees each address in publish order (I3), duplicates after a fault aside. In
 * the end everything is settled, and nothing that was to be held is lost.
 */
final class ModelRun {

    private static final int USERS = 3;
    private static final int MAX_CLIENTS = 6;

    /** A message in the broker's queue: what a redelivery is made of. */
    private record Published(int number, String address, OfflinePolicy policy, long expiresAtMillis) {
        String text() {
            return address + "#" + number;
        }
    }

    /** What a client has seen, as far as it was looked at. */
    private static final class Seen {
        private int looked;
        private final Set<String> texts = new HashSet<>();
        private final Map<String, Integer> last = new HashMap<>();
    }

    /** A bridge that stands still while another one goes on. */
    private record Frozen(CoreHarness harness, List<FakeClient> clients) {}

    private final boolean holding;
    private final long[] steps;
    private Random random = new Random(0);
    private CoreHarness harness;
    private @Nullable Frozen frozen;
    private final List<FakeClient> clients = new ArrayList<>();
    private final Map<FakeClient, Seen> seen = new LinkedHashMap<>();
    private final Set<String> confirmed = new HashSet<>();
    /** In hand on this generation, in order. */
    private final Map<Instruction, Published> inHand = new LinkedHashMap<>();

    private final Set<Instruction> seenSettled = new HashSet<>();
    private final Set<Instruction> safe = new HashSet<>();
    /** What was ever held, by text, as far as the log was looked at. */
    private final Set<String> everHeld = new HashSet<>();
    /** The same by its id in the log. */
    private final Map<Long, String> textsById = new HashMap<>();
    /** What an operator had dropped. */
    private final Set<String> dropped = new HashSet<>();

    private int lookedAtLog;
    /**
     * What a lost channel can bring back behind later messages: dead letters on their way stand outside the order of
     * their lane, and one that was settled while its acknowledgement got lost is a duplicate for its user, though
     * perhaps not for a connection that came later.
     */
    private final Set<String> outOfOrder = new HashSet<>();

    private final List<Published> all = new ArrayList<>();
    private final List<String> trace = new ArrayList<>();
    private int published;
    private int connected;
    private int played;

    ModelRun(boolean holding, long[] steps) {
        this.holding = holding;
        this.steps = steps;
        harness = holding ? CoreHarness.holding() : new CoreHarness();
    }

    void play() {
        for (long seed : steps) {
            random = new Random(seed);
            played++;
            step();
            harness.run();
            check();
        }
        finish();
    }

    /** Steps begun so far: the last one is the one that failed. */
    int played() {
        return played;
    }

    /** What was done, a line a step. */
    List<String> trace() {
        return trace;
    }

    private void did(String what) {
        trace.add(what);
    }

    // ---- steps -------------------------------------------------------------------------------------------------

    private void step() {
        FakeClient client = clients.isEmpty() ? null : clients.get(random.nextInt(clients.size()));
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4 -> publish();
            case 5 -> { // in one turn, so that one record holds messages of several users
                for (int burst = 2 + random.nextInt(5); burst > 0; burst--) {
                    publish();
                }
            }
            case 6, 7 -> connect();
            case 8, 9, 10 -> {
                if (client != null) {
                    did("read");
                    client.read(1 + random.nextInt(4));
                }
            }
            case 11, 12 -> {
                if (client != null) {
                    did("confirm");
                    confirm(client);
                }
            }
            case 13 -> confirmCopy();
            case 14 -> rare(client);
            case 15, 16, 17 -> log();
            case 18 -> {
                if (!harness.reads.isEmpty()) {
                    did("cold read");
                    harness.answerRead();
                }
            }
            default -> {
                int millis = random.nextInt(400);
                did("pass " + millis + " ms");
                harness.pass(Duration.ofMillis(millis));
            }
        }
    }

    private void rare(@Nullable FakeClient client) {
        switch (random.nextInt(holding ? 11 : 4)) {
            case 0 -> {
                if (client != null) {
                    did("leave");
                    client.leave();
                    clients.remove(client);
                }
            }
            case 1 -> {
                if (client != null) {
                    int frames = random.nextInt(6);
                    did("room for " + frames);
                    client.capacity(frames);
                }
            }
            case 2 -> loseChannel();
            case 3 -> {
                if (client != null) {
                    did("room");
                    client.capacity(Integer.MAX_VALUE);
                    client.read(0);
                }
            }
            case 4 -> crash();
            case 5 -> takeOver();
            case 6 -> thaw();
            case 7 -> drop("user.u" + random.nextInt(USERS));
            case 8 -> deadLetter("user.u" + random.nextInt(USERS));
            case 9 -> offerAgain("user.u" + random.nextInt(USERS));
            default -> {
                did("freeze for a while");
                harness.core.thawed();
            }
        }
    }

    /** An operator drops what is held for somebody. */
    private void drop(String address) {
        did("drop " + address);
        for (long id : harness.holding.heldIds(address, 0, Long.MAX_VALUE, Integer.MAX_VALUE)) {
            dropped.add(textsById.get(id));
        }
        harness.core.interventions().drop(address, Long.MAX_VALUE, 100, new CompletableFuture<>());
    }

    /** An operator moves what is held for somebody to the dead letters. */
    private void deadLetter(String address) {
        did("dead-letter " + address);
        harness.core
                .interventions()
                .deadLetter(address, Long.MAX_VALUE, "an operator did it", new CompletableFuture<>());
    }

    /** An operator has what is held for somebody offered once more. */
    private void offerAgain(String address) {
        did("offer again " + address);
        harness.core.interventions().offerAgain(address);
    }

    private void publish() {
        String address = switch (random.nextInt(8)) {
            case 0 -> "all";
            case 1 -> "channel.news";
            case 2 -> "connection.c" + random.nextInt(1 + connected);
            default -> "user.u" + random.nextInt(USERS);
        };
        OfflinePolicy policy =
                address.startsWith("user.") && random.nextInt(4) > 0 ? OfflinePolicy.HOLD : OfflinePolicy.DROP;
        long expires = random.nextInt(8) == 0 ? harness.clock.wallMillis() + random.nextInt(3_000) : Instruction.NEVER;
        Published message = new Published(++published, address, policy, expires);
        did("publish " + message.text() + " " + policy + (expires == Instruction.NEVER ? "" : " until " + expires));
        if (deliver(message, false)) {
            all.add(message);
        }
    }

    private boolean deliver(Published message, boolean redelivered) {
        if (harness.channel.unacknowledged() >= CoreHarness.PREFETCH) {
            return false; // a broker sends no more than the prefetch
        }
        harness.redelivering = redelivered;
        inHand.put(
                harness.publish(message.address(), message.text(), message.policy(), message.expiresAtMillis()),
                message);
        return true;
    }

    private void connect() {
        if (clients.size() < MAX_CLIENTS) {
            Confirmation kind = random.nextInt(3) == 0 ? Confirmation.ACK : Confirmation.PONG;
            connect("u" + random.nextInt(USERS), kind, random.nextBoolean() ? new String[] {"news"} : new String[0]);
        }
    }

    private void connect(String user, Confirmation kind, String... channels) {
        did("connect c" + (connected + 1) + " " + user + " " + kind);
        FakeClient client = harness.connect("c" + ++connected, user, kind, channels);
        clients.add(client);
        seen.put(client, new Seen());
    }

    private void confirm(FakeClient client) {
        confirmed.addAll(client.read);
        client.confirmRead();
    }

    private void confirmCopy() {
        if (!harness.copying.isEmpty()) {
            did("copy confirmed");
            safe.add(harness.copying.get(0));
            harness.confirmCopy();
        }
    }

    private void log() {
        int waiting = harness.appended.size();
        if (waiting == 0) {
            return;
        }
        switch (random.nextInt(8)) {
            case 0 -> {
                did("record unconfirmed");
                harness.comeBackUnconfirmed();
            }
            case 1 -> {
                if (waiting > 1) {
                    did("record refused");
                    harness.comeBackWithoutTheOldest();
                }
            }
            default -> {
                did("record");
                harness.comeBack();
            }
        }
    }

    /** The broker takes back what is unacknowledged and delivers it again, in order, ahead of all else. */
    private void loseChannel() {
        did("channel lost");
        List<Published> back = takeBack();
        harness.loseChannel();
        if (holding) {
            // Whoever is the owner again claims the log before it takes anything.
            CompletableFuture<Void> claimed = harness.claim();
            while (!claimed.isDone()) {
                log();
            }
        }
        back.forEach(message -> deliver(message, true));
    }

    /** The bridge dies; some of what it was appending is in the log; another one begins where the log ends. */
    private void crash() {
        did("crash");
        List<Published> back = takeBack();
        for (int left = random.nextInt(harness.appended.size() + 1); left > 0; left--) {
            harness.log.add(harness.appended.remove());
        }
        begin(back);
    }

    /** The bridge stands still, another one takes over, and some time later {@link #thaw} follows. */
    private void takeOver() {
        if (frozen == null) {
            did("freeze and take over");
            List<Published> back = takeBack();
            frozen = new Frozen(harness, List.copyOf(clients));
            begin(back);
        }
    }

    private void begin(List<Published> back) {
        Duration past = Duration.ofNanos(harness.clock.nanoTime());
        clients.clear();
        harness = CoreHarness.starting(harness.log);
        harness.clock.advance(past);
        if (random.nextBoolean()) {
            harness.beginAtCheckpoint();
        }
        for (int early = random.nextInt(3); early > 0; early--) {
            connect();
        }
        harness.own();
        back.forEach(message -> deliver(message, true));
    }

    /** Whoever stood still goes on with what it had in hand. All it may do is to find out that it is too late (I6). */
    private void thaw() {
        if (frozen == null) {
            return;
        }
        did("thaw");
        CoreHarness old = frozen.harness();
        Map<FakeClient, Integer> offered = new LinkedHashMap<>();
        frozen.clients().forEach(client -> offered.put(client, client.offered()));
        old.core.thawed();
        for (FakeClient client : frozen.clients()) {
            if (client.closedWith == null) {
                client.capacity(Integer.MAX_VALUE);
                client.readAll();
                client.confirmRead();
            }
        }
        old.run();
        while (!old.appended.isEmpty()) {
            harness.log.add(old.appended.remove());
        }
        harness.tail();
        old.tail();
        old.pass(Duration.ofSeconds(2));
        assertThat(old.fenced)
                .as("I6: the frozen bridge knows that it is fenced")
                .isEqualTo(1);
        offered.forEach((client, frames) -> {
            assertThat(client.offered())
                    .as("I6: offered by the bridge that was frozen, though another one had taken over")
                    .isEqualTo(frames);
            assertThat(client.closedWith)
                    .as("I6: connections to the frozen bridge are closed")
                    .isNotNull();
        });
        frozen = null;
    }

    private List<Published> takeBack() {
        List<Published> back = new ArrayList<>();
        inHand.forEach((instruction, message) -> {
            if (instruction.state == Instruction.State.COPYING || instruction.state == Instruction.State.SETTLED) {
                outOfOrder.add(message.text());
            }
            if (!harness.channel.isAcknowledged(instruction)) {
                back.add(message);
            }
        });
        inHand.clear();
        return back;
    }

    // ---- what must be true -------------------------------------------------------------------------------------

    private void check() {
        clients.removeIf(client -> client.closedWith != null);
        for (; lookedAtLog < harness.log.size(); lookedAtLog++) {
            if (harness.log.get(lookedAtLog) instanceof LogRecord.Hold hold) {
                for (LogRecord.Part part : hold.parts()) {
                    for (HeldMessage message : part.messages()) {
                        String text = new String(message.body(), StandardCharsets.UTF_8);
                        everHeld.add(text);
                        textsById.put(message.id(), text);
                    }
                }
            }
        }
        for (Map.Entry<Instruction, Published> entry : inHand.entrySet()) {
            Instruction instruction = entry.getKey();
            if (harness.channel.isAcknowledged(instruction) && seenSettled.add(instruction)) {
                checkSettled(instruction, entry.getValue());
            }
        }
        seen.forEach(this::checkOrder);
    }

    private void checkSettled(Instruction instruction, Published message) {
        boolean lane =
                message.address().startsWith("user.") || message.address().startsWith("connection.");
        boolean copied = safe.contains(instruction);
        boolean dropped = message.policy() == OfflinePolicy.DROP;
        boolean read = confirmed.contains(message.text());
        assertThat(!lane || copied || dropped || read || everHeld.contains(message.text()))
                .as("I1: %s settled, though nobody confirmed it and no copy is safe or held", message.text())
                .isTrue();
        if (lane && read && !copied && !dropped) {
            inHand.forEach((earlier, before) -> assertThat(outOfOrder.contains(before.text())
                            || before.number() >= message.number()
                            || !before.address().equals(message.address())
                            || harness.channel.isAcknowledged(earlier)
                            || earlier.state != Instruction.State.IN_LANE)
                    .as("I2: %s settled before %s", message.text(), before.text())
                    .isTrue());
        }
    }

    /** First sights of an address come in publish order. */
    private void checkOrder(FakeClient client, Seen so) {
        for (; so.looked < client.read.size(); so.looked++) {
            String text = client.read.get(so.looked);
            int hash = text.indexOf('#');
            if (hash > 0 && so.texts.add(text) && !outOfOrder.contains(text)) {
                int number = Integer.parseInt(text.substring(hash + 1));
                Integer before = so.last.put(text.substring(0, hash), number);
                assertThat(before == null || before < number)
                        .as("I3: %s after %s", text, before)
                        .isTrue();
            }
        }
    }

    private void finish() {
        random = new Random(0);
        thaw();
        for (int user = 0; user < USERS; user++) {
            connect("u" + user, Confirmation.ACK);
        }
        for (int round = 0; round < 200 && !isQuiet(); round++) {
            for (FakeClient client : List.copyOf(clients)) {
                client.capacity(Integer.MAX_VALUE);
                client.readAll();
                confirm(client);
            }
            harness.run();
            while (!harness.copying.isEmpty()) {
                confirmCopy();
            }
            harness.allComeBack();
            while (!harness.reads.isEmpty()) {
                harness.answerRead();
            }
            harness.pass(Duration.ofMillis(100));
            check();
        }
        assertThat(harness.channel.unacknowledged())
                .as("instructions never settled")
                .isZero();
        assertThat(harness.holding.index().count())
                .as("messages held, though everybody is there")
                .isZero();
        assertThat(harness.stats.lanes()).as("lanes left behind").isZero();
        assertThat(harness.holding.wantedBytes())
                .as("I5: bodies counted in no lane")
                .isZero();
        checkNothingIsLost();
    }

    private boolean isQuiet() {
        return harness.channel.unacknowledged() == 0
                && harness.holding.index().count() == 0
                && harness.stats.lanes() == 0;
    }

    private void checkNothingIsLost() {
        Set<String> copied = new HashSet<>();
        safe.forEach(instruction -> copied.add(new String(instruction.original().body(), StandardCharsets.UTF_8)));
        for (Published message : all) {
            if (message.address().startsWith("user.") && message.policy() == OfflinePolicy.HOLD) {
                assertThat(confirmed.contains(message.text())
                                || copied.contains(message.text())
                                || dropped.contains(message.text()))
                        .as("lost: %s", message.text())
                        .isTrue();
            }
        }
    }
}
