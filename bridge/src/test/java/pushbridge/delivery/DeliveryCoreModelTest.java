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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.hold.LogRecord;

/**
 * Random runs of the core against a small broker that redelivers: after every step nothing may be settled that is
 * neither confirmed by a client nor copied nor dropped by policy (I1), nothing of a user out of order (I2), and every
 * client sees each address in publish order, duplicates after a lost channel aside. In the end everything is settled.
 */
final class DeliveryCoreModelTest {

    private static final int RUNS = 400;
    private static final int STEPS = 600;

    @Test
    void randomRunsWithoutAHeldLogKeepTheInvariants() {
        play(false);
    }

    @Test
    void randomRunsWithAHeldLogAndCrashesKeepTheInvariants() {
        play(true);
    }

    private static void play(boolean holding) {
        long base = Long.getLong("pushbridge.seed", 20_261_121L);
        for (int run = 0; run < RUNS; run++) {
            long seed = base + run;
            try {
                new Run(seed, holding).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        "seed " + seed + " (-Dpushbridge.seed=" + seed + " repeats it): " + e.getMessage(), e);
            }
        }
    }

    /** A message in the broker's queue: what a redelivery is made of. */
    private record Published(int number, String address, OfflinePolicy policy) {
        String text() {
            return address + "#" + number;
        }
    }

    private static final class Run {
        private final Random random;
        private final boolean holding;
        private CoreHarness harness;
        private final List<FakeClient> clients = new ArrayList<>();
        private final Map<FakeClient, Set<String>> confirmedBy = new LinkedHashMap<>();
        /** In hand on this generation, in order. */
        private final Map<Instruction, Published> inHand = new LinkedHashMap<>();

        private final Set<Instruction> seenSettled = new HashSet<>();
        private final Set<Instruction> safe = new HashSet<>();
        /**
         * What a lost channel can bring back behind later messages: dead letters on their way stand outside the order of
         * their lane, and one that was settled while its acknowledgement got lost is a duplicate for its user, though
         * perhaps not for a connection that came later.
         */
        private final Set<String> outOfOrder = new HashSet<>();

        private final List<Published> all = new ArrayList<>();
        private int published;
        private int connected;

        Run(long seed, boolean holding) {
            random = new Random(seed);
            this.holding = holding;
            harness = holding ? CoreHarness.holding() : new CoreHarness();
        }

        void play() {
            for (int step = 0; step < STEPS; step++) {
                step();
                harness.run();
                check();
            }
            finish();
        }

        private void step() {
            FakeClient client = clients.isEmpty() ? null : clients.get(random.nextInt(clients.size()));
            switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4, 5 -> publish();
                case 6, 7 -> connect();
                case 8, 9, 10 -> {
                    if (client != null) {
                        client.read(1 + random.nextInt(4));
                    }
                }
                case 11, 12 -> {
                    if (client != null) {
                        confirm(client);
                    }
                }
                case 13 -> {
                    if (!harness.copying.isEmpty()) {
                        safe.add(harness.copying.get(0));
                        harness.confirmCopy();
                    }
                }
                case 14 -> rare(client);
                case 15, 16, 17 -> {
                    if (!harness.appended.isEmpty()) {
                        harness.comeBack();
                    }
                }
                case 18 -> {
                    if (!harness.reads.isEmpty()) {
                        harness.answerRead();
                    }
                }
                default -> harness.pass(Duration.ofMillis(random.nextInt(400)));
            }
        }

        private void rare(@Nullable FakeClient client) {
            switch (random.nextInt(holding ? 5 : 4)) {
                case 4 -> crash();
                case 0 -> {
                    if (client != null) {
                        client.leave();
                        clients.remove(client);
                    }
                }
                case 1 -> {
                    if (client != null) {
                        client.capacity(random.nextInt(6));
                    }
                }
                case 2 -> loseChannel();
                default -> {
                    if (client != null) {
                        client.capacity(Integer.MAX_VALUE);
                        client.read(0);
                    }
                }
            }
        }

        private void publish() {
            String address = switch (random.nextInt(8)) {
                case 0 -> "all";
                case 1 -> "channel.news";
                case 2 -> "connection.c" + random.nextInt(1 + connected);
                default -> "user.u" + random.nextInt(3);
            };
            OfflinePolicy policy =
                    address.startsWith("user.") && random.nextInt(4) > 0 ? OfflinePolicy.HOLD : OfflinePolicy.DROP;
            Published message = new Published(++published, address, policy);
            all.add(message);
            deliver(message, false);
        }

        private void deliver(Published message, boolean redelivered) {
            if (harness.channel.unacknowledged() >= CoreHarness.PREFETCH) {
                all.remove(message); // a broker sends no more than the prefetch
                return;
            }
            harness.redelivering = redelivered;
            inHand.put(
                    harness.publish(message.address(), message.text(), message.policy(), Instruction.NEVER), message);
        }

        private void connect() {
            if (clients.size() >= 6) {
                return;
            }
            Confirmation kind = random.nextInt(3) == 0 ? Confirmation.ACK : Confirmation.PONG;
            String[] channels = random.nextBoolean() ? new String[] {"news"} : new String[0];
            FakeClient client = harness.connect("c" + ++connected, "u" + random.nextInt(3), kind, channels);
            clients.add(client);
            confirmedBy.put(client, new HashSet<>());
        }

        private void confirm(FakeClient client) {
            confirmedBy.computeIfAbsent(client, c -> new HashSet<>()).addAll(client.read);
            client.confirmRead();
        }

        /** The broker takes back what is unacknowledged and delivers it again, in order, ahead of all else. */
        private void loseChannel() {
            List<Published> back = takeBack();
            harness.loseChannel();
            back.forEach(message -> deliver(message, true));
        }

        /** The bridge dies; some of what it was appending is in the log; another one begins where the log ends. */
        private void crash() {
            List<Published> back = takeBack();
            for (int left = random.nextInt(harness.appended.size() + 1); left > 0; left--) {
                harness.log.add(harness.appended.remove());
            }
            clients.clear();
            harness = CoreHarness.starting(harness.log);
            for (int early = random.nextInt(3); early > 0; early--) {
                connect();
            }
            harness.own();
            back.forEach(message -> deliver(message, true));
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

        private void check() {
            clients.removeIf(client -> client.closedWith != null);
            for (Map.Entry<Instruction, Published> entry : inHand.entrySet()) {
                Instruction instruction = entry.getKey();
                if (harness.channel.isAcknowledged(instruction) && seenSettled.add(instruction)) {
                    checkSettled(instruction, entry.getValue());
                }
            }
            confirmedBy.keySet().forEach(this::checkOrder);
        }

        private void checkSettled(Instruction instruction, Published message) {
            boolean lane =
                    message.address().startsWith("user.") || message.address().startsWith("connection.");
            boolean copied = safe.contains(instruction);
            boolean dropped = message.policy() == OfflinePolicy.DROP;
            boolean held = harness.log.stream().anyMatch(record -> holds(record, message.text()));
            boolean confirmed = confirmedBy.values().stream().anyMatch(texts -> texts.contains(message.text()));
            assertThat(!lane || copied || dropped || confirmed || held)
                    .as("I1: %s settled, though nobody confirmed it and no copy is safe or held", message.text())
                    .isTrue();
            if (lane && confirmed && !copied && !dropped) {
                inHand.forEach((earlier, before) -> assertThat(outOfOrder.contains(before.text())
                                || before.number() >= message.number()
                                || !before.address().equals(message.address())
                                || harness.channel.isAcknowledged(earlier)
                                || earlier.state != Instruction.State.IN_LANE)
                        .as("I2: %s settled before %s", message.text(), before.text())
                        .isTrue());
            }
        }

        private static boolean holds(LogRecord record, String text) {
            return record instanceof LogRecord.Hold hold
                    && hold.messages().stream()
                            .anyMatch(message -> new String(message.body(), StandardCharsets.UTF_8).equals(text));
        }

        /** First sights of an address come in publish order. */
        private void checkOrder(FakeClient client) {
            Map<String, Integer> last = new HashMap<>();
            Set<String> seen = new HashSet<>();
            for (String text : client.read) {
                int hash = text.indexOf('#');
                if (hash > 0 && seen.add(text) && !outOfOrder.contains(text)) {
                    int number = Integer.parseInt(text.substring(hash + 1));
                    Integer before = last.put(text.substring(0, hash), number);
                    assertThat(before == null || before < number)
                            .as("order: %s after %s", text, before)
                            .isTrue();
                }
            }
        }

        private void finish() {
            for (int user = 0; user < 3; user++) {
                FakeClient last = harness.connect("last" + user, "u" + user, Confirmation.ACK);
                clients.add(last);
                confirmedBy.put(last, new HashSet<>());
            }
            for (int round = 0; round < 200 && !isQuiet(); round++) {
                for (FakeClient client : List.copyOf(clients)) {
                    client.capacity(Integer.MAX_VALUE);
                    client.readAll();
                    confirm(client);
                }
                harness.run();
                while (!harness.copying.isEmpty()) {
                    safe.add(harness.copying.get(0));
                    harness.confirmCopy();
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
                    .as("I5: bodies in no lane")
                    .isZero();
            checkNothingIsLost();
        }

        private boolean isQuiet() {
            return harness.channel.unacknowledged() == 0
                    && harness.holding.index().count() == 0
                    && harness.stats.lanes() == 0;
        }

        private void checkNothingIsLost() {
            Set<String> confirmed = new HashSet<>();
            confirmedBy.values().forEach(confirmed::addAll);
            Set<String> copied = new HashSet<>();
            safe.forEach(
                    instruction -> copied.add(new String(instruction.original().body(), StandardCharsets.UTF_8)));
            for (Published message : all) {
                if (message.address().startsWith("user.") && message.policy() == OfflinePolicy.HOLD) {
                    assertThat(confirmed.contains(message.text()) || copied.contains(message.text()))
                            .as("lost: %s", message.text())
                            .isTrue();
                }
            }
        }
    }
}
