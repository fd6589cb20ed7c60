package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.amqp.PoisonRule.Mode;
import pushbridge.amqp.PoisonRule.Verdict;

class PoisonRuleTest {

    private final PoisonRule rule = new PoisonRule(20);

    @ParameterizedTest
    @CsvSource({
        "USUAL, 0, TAKE",
        "USUAL, 9, TAKE",
        "USUAL, 10, TURN_CAREFUL",
        "USUAL, 1000, TURN_CAREFUL",
        "CAREFUL, 0, TURN_USUAL",
        "CAREFUL, 8, TURN_USUAL",
        "CAREFUL, 9, TAKE",
        "CAREFUL, 19, TAKE",
        "CAREFUL, 20, POISONED",
    })
    void theModeAndTheCountDecide(Mode mode, long returns, Verdict expected) {
        assertThat(rule.judge(mode, returns)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 6, 7, 20, 100_000})
    void aTurnIsNeverFollowedByTheOppositeTurn(int after) {
        PoisonRule any = new PoisonRule(after);
        for (long returns = 0; returns <= after; returns++) {
            if (any.judge(Mode.CAREFUL, returns) == Verdict.TURN_USUAL) {
                assertThat(any.judge(Mode.USUAL, returns + 1)).isEqualTo(Verdict.TAKE);
            }
            if (any.judge(Mode.USUAL, returns) == Verdict.TURN_CAREFUL) {
                assertThat(any.judge(Mode.CAREFUL, returns + 1)).isNotEqualTo(Verdict.TURN_USUAL);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 20})
    void whatTheUsualModeLeavesBehindFailsAloneAtLeastOnceBeforeItIsPoisoned(int after) {
        long atMost = new PoisonRule(after).suspectedAfter() + 1; // and the turn itself counts
        assertThat(new PoisonRule(after).judge(Mode.CAREFUL, atMost)).isEqualTo(Verdict.TAKE);
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    /** Some messages kill the channel or the whole process; innocents are in hand with them, and settled late. */
    @ParameterizedTest
    @MethodSource("seeds")
    void onlyPoisonIsPoisonedAndTheOthersKeepTheirOrder(int seed) {
        Random random = new Random(seed);
        int after = 4 + random.nextInt(20);
        Run run = new Run(random, new PoisonRule(after), 1 + random.nextInt(40), 200, random.nextInt(12));
        run.play();

        assertThat(run.poisoned).isEqualTo(run.poison);
        assertThat(run.settled).hasSize(200 - run.poison.size()).isSorted().doesNotHaveDuplicates();
        assertThat(run.mostReturnsOfInnocents).isLessThan(after);
        assertThat(run.mostReturnsOfPoison).isEqualTo(run.poison.isEmpty() ? 0 : after);
    }

    /** With the restarted process in the usual mode, five poisoned messages in one prefetch would take innocents along. */
    @Test
    void manyPoisonedMessagesTogetherTakeNoInnocentAlong() {
        Run run = new Run(new Random(1), rule, 100, 100, 50);
        run.play();
        assertThat(run.poisoned).isEqualTo(run.poison);
        assertThat(run.mostReturnsOfInnocents).isLessThanOrEqualTo(rule.suspectedAfter() + 1);
    }

    /** A queue that counts returns, and a bridge that takes from it by the rule. */
    private static final class Run {
        private final Random random;
        private final PoisonRule rule;
        private final int prefetch;
        final Set<Integer> poison = new HashSet<>();
        final Set<Integer> poisoned = new HashSet<>();
        final List<Integer> settled = new ArrayList<>();
        long mostReturnsOfInnocents;
        long mostReturnsOfPoison;

        private final PriorityQueue<Message> queue =
                new PriorityQueue<>(Comparator.comparingInt(message -> message.number));
        /** Delivered by the broker and not settled, in order. */
        private final Deque<Message> inHand = new ArrayDeque<>();
        /** How many of them the bridge has taken. */
        private int taken;

        private Mode mode = Mode.CAREFUL;

        private static final class Message {
            final int number;
            long returns;

            Message(int number) {
                this.number = number;
            }
        }

        Run(Random random, PoisonRule rule, int prefetch, int messages, int poisonous) {
            this.random = random;
            this.rule = rule;
            this.prefetch = prefetch;
            for (int number = 0; number < messages; number++) {
                queue.add(new Message(number));
            }
            while (poison.size() < poisonous) {
                poison.add(random.nextInt(messages));
            }
        }

        void play() {
            while (!queue.isEmpty() || !inHand.isEmpty()) {
                while (inHand.size() < (mode == Mode.CAREFUL ? 1 : prefetch) && !queue.isEmpty()) {
                    inHand.add(queue.remove());
                }
                if (taken == inHand.size() || (taken > 0 && random.nextInt(4) == 0)) {
                    settle();
                } else {
                    deliver(inHand.stream().skip(taken).findFirst().orElseThrow());
                }
            }
        }

        private void deliver(Message message) {
            switch (rule.judge(mode, message.returns)) {
                case TURN_CAREFUL -> end(Mode.CAREFUL);
                case TURN_USUAL -> end(Mode.USUAL);
                case POISONED -> {
                    assertThat(inHand).containsExactly(message);
                    poisoned.add(message.number);
                    inHand.clear();
                }
                case TAKE -> {
                    if (poison.contains(message.number)) {
                        end(random.nextBoolean() ? mode : Mode.CAREFUL); // the channel, or the process
                    } else {
                        taken++;
                    }
                }
            }
        }

        private void settle() {
            settled.add(inHand.remove().number);
            taken--;
        }

        /** All in hand comes back. */
        private void end(Mode next) {
            for (Message message : inHand) {
                message.returns++;
                if (poison.contains(message.number)) {
                    mostReturnsOfPoison = Math.max(mostReturnsOfPoison, message.returns);
                } else {
                    mostReturnsOfInnocents = Math.max(mostReturnsOfInnocents, message.returns);
                }
            }
            queue.addAll(inHand);
            inHand.clear();
            taken = 0;
            mode = next;
        }
    }
}
