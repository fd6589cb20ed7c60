package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PoisonRuleTest {

    private final PoisonRule rule = new PoisonRule(20);

    @Test
    void fromHalfTheLimitOnAMessageIsSuspectedAndFromTheLimitOnCondemned() {
        assertThat(rule.suspects(9)).isFalse();
        assertThat(rule.suspects(10)).isTrue();
        assertThat(rule.condemns(19, false)).isFalse();
        assertThat(rule.condemns(20, false)).isTrue();
    }

    @Test
    void anEndForAnotherReasonExcusesOnceButNotForEver() {
        assertThat(rule.condemns(39, true)).isFalse();
        assertThat(rule.condemns(40, true)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 20, 100_000})
    void whatIsHandledWithOthersIsHandledAloneBeforeItIsCondemned(int after) {
        PoisonRule any = new PoisonRule(after);
        long suspected = any.suspectedAfter();
        assertThat(any.condemns(suspected + 1, false)).isFalse();
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    /** Some messages end the channel or the process; innocents are in hand with them, and settled late. */
    @ParameterizedTest
    @MethodSource("seeds")
    void onlyPoisonIsPoisonedAndTheOthersKeepTheirOrder(int seed) {
        Random random = new Random(seed);
        int after = 4 + random.nextInt(20);
        Run run = new Run(random, new PoisonRule(after), 1 + random.nextInt(40), 200, random.nextInt(12));
        run.play();

        assertThat(run.poisoned).isEqualTo(run.poison);
        assertThat(run.settled).hasSize(200 - run.poison.size()).isSorted().doesNotHaveDuplicates();
        assertThat(run.mostFailures).isLessThanOrEqualTo(after);
    }

    /** Their counts are all the same. */
    @Test
    void manyPoisonedMessagesTogetherTakeNoInnocentAlong() {
        Run run = new Run(new Random(1), rule, 100, 100, 50);
        run.play();
        assertThat(run.poisoned).isEqualTo(run.poison);
        assertThat(run.mostReturnsOfSettled).isGreaterThan(rule.after());
    }

    /** A queue as RabbitMQ has it, what came back in front, and a bridge that takes from it by the rule. */
    private static final class Run {
        private final Random random;
        private final PoisonRule rule;
        private final int prefetch;
        final Set<Integer> poison = new HashSet<>();
        final Set<Integer> poisoned = new HashSet<>();
        final List<Integer> settled = new ArrayList<>();
        long mostReturnsOfSettled;
        int mostFailures;

        private final Deque<Message> queue = new ArrayDeque<>();
        private final Deque<Message> returned = new ArrayDeque<>();
        /** Delivered by the broker and not settled, in order. */
        private final Deque<Message> inHand = new ArrayDeque<>();

        // The generation.
        /** How many in hand are handed over. */
        private int handed;

        private boolean begun;
        private boolean careful;

        private static final class Message {
            final int number;
            long returns;
            int failures;

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
            while (!queue.isEmpty() || !returned.isEmpty() || !inHand.isEmpty()) {
                while (inHand.size() < prefetch && !(queue.isEmpty() && returned.isEmpty())) {
                    inHand.add(returned.isEmpty() ? queue.remove() : returned.remove());
                }
                boolean mayHandOver = handed < inHand.size() && !(careful && handed > 0);
                if (mayHandOver && (handed == 0 || random.nextInt(4) > 0)) {
                    handOver(inHand.stream().skip(handed).findFirst().orElseThrow());
                } else {
                    settle();
                }
            }
        }

        private void handOver(Message message) {
            boolean condemned = !begun && rule.condemns(message.returns, false);
            careful = rule.suspects(message.returns) && (careful || !begun);
            begun = true;
            if (condemned) {
                poisoned.add(message.number);
                inHand.remove();
            } else if (poison.contains(message.number)) {
                mostFailures = Math.max(mostFailures, ++message.failures);
                end();
            } else {
                handed++;
            }
        }

        private void settle() {
            Message message = inHand.remove();
            mostReturnsOfSettled = Math.max(mostReturnsOfSettled, message.returns);
            settled.add(message.number);
            handed--;
        }

        /** All in hand comes back, behind what came back before. */
        private void end() {
            inHand.forEach(message -> message.returns++);
            returned.addAll(inHand);
            inHand.clear();
            handed = 0;
            begun = false;
            careful = false;
        }
    }
}
