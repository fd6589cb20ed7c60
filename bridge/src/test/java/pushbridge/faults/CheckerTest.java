package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A checker that finds nothing proves nothing: each kind of damage must be found. */
final class CheckerTest {

    private static Published message(String address, int seq) {
        Published message = new Published(address, seq, text(address, seq));
        message.attempted();
        message.confirm();
        return message;
    }

    private static String text(String address, int seq) {
        return "{\"type\":\"n\",\"payload\":{\"t\":\"ä 😀 " + seq + "\"},\"seq\":" + seq + ",\"to\":\"" + address
                + "\"}";
    }

    private static List<Published> three() {
        return List.of(message("user.a", 1), message("user.a", 2), message("user.a", 3));
    }

    private static Verdict judge(List<Published> published, Integer... seqs) {
        List<String> texts = new ArrayList<>();
        for (int seq : seqs) {
            texts.add(text("user.a", seq));
        }
        return Checker.judge(published, Map.of("a", texts), Set.of("a"), List.of());
    }

    @Test
    void allInOrderIsFlawless() {
        Verdict verdict = judge(three(), 1, 2, 3);
        assertThat(verdict.flawless()).isTrue();
        assertThat(verdict.published()).isEqualTo(3);
        assertThat(verdict.delivered()).isEqualTo(3);
        assertThat(verdict.duplicated()).isZero();
    }

    @Test
    void aLostMessageIsFoundEvenAmongDuplicates() {
        Verdict verdict = judge(three(), 1, 3, 3, 3);
        assertThat(verdict.flawless()).isFalse();
        assertThat(verdict.lost()).containsExactly("user.a#2");
        assertThat(verdict.duplicated()).isEqualTo(2);
    }

    @Test
    void aReorderedMessageIsFound() {
        Verdict verdict = judge(three(), 1, 3, 2);
        assertThat(verdict.flawless()).isFalse();
        assertThat(verdict.reordered()).containsExactly("a got user.a#2 behind 3");
    }

    @Test
    void everyMessageThatIsLateIsCountedNotOnlyTheFirst() {
        assertThat(judge(three(), 3, 1, 2).reordered()).hasSize(2);
    }

    @Test
    void aRepeatedRunIsNoReorderSinceOnlyFirstOccurrencesCount() {
        Verdict verdict = judge(three(), 1, 2, 1, 2, 3);
        assertThat(verdict.flawless()).isTrue();
        assertThat(verdict.duplicated()).isEqualTo(2);
    }

    @Test
    void anAlteredTextIsFoundAndIsNoDelivery() {
        String other = text("user.a", 3).replace("ä", "a");
        Verdict verdict = Checker.judge(
                three(), Map.of("a", List.of(text("user.a", 1), text("user.a", 2), other)), Set.of(), List.of());
        assertThat(verdict.altered()).hasSize(1);
        assertThat(verdict.lost()).containsExactly("user.a#3");
    }

    @Test
    void aMessageThatNobodyPublishedIsFound() {
        assertThat(judge(three(), 1, 2, 3, 4).altered()).hasSize(1);
    }

    @Test
    void whatThePublisherRepeatedItselfIsNotTheBridgesDuplicate() {
        List<Published> messages = three();
        messages.get(1).attempted();
        Verdict verdict = judge(messages, 1, 2, 2, 3);
        assertThat(verdict.repeated()).isEqualTo(1);
        assertThat(verdict.duplicated()).isZero();
        assertThat(judge(messages, 1, 2, 2, 2, 3).duplicated()).isEqualTo(1);
    }

    @Test
    void whatWasNeverConfirmedMayBeMissing() {
        Published unconfirmed = new Published("user.a", 4, text("user.a", 4));
        unconfirmed.attempted();
        List<Published> messages = new ArrayList<>(three());
        messages.add(unconfirmed);
        Verdict verdict = judge(messages, 1, 2, 3);
        assertThat(verdict.flawless()).isTrue();
        assertThat(verdict.published()).isEqualTo(3);
        assertThat(judge(messages, 1, 2, 3, 4).altered()).isEmpty();
    }

    @Test
    void aDeadLetterIsNoLossButNeedsAReason() {
        Frame dead = Frame.of(text("user.a", 3));
        Map<String, List<String>> clients = Map.of("a", List.of(text("user.a", 1), text("user.a", 2)));
        assertThat(Checker.judge(three(), clients, Set.of(), List.of(new Copy(dead, "offline")))
                        .flawless())
                .isTrue();
        assertThat(Checker.judge(three(), clients, Set.of(), List.of(new Copy(dead, "")))
                        .unreasoned())
                .containsExactly("user.a#3");
    }

    @Test
    void channelsMayMissSomethingButKeepTheirOrder() {
        List<Published> messages = List.of(message("channel.n", 1), message("channel.n", 2), message("channel.n", 3));
        String one = text("channel.n", 1);
        String three = text("channel.n", 3);
        assertThat(judgeChannel(messages, Set.of("a"), one, three).flawless()).isTrue();
        assertThat(judgeChannel(messages, Set.of("a"), three, one).reordered()).hasSize(1);
    }

    @Test
    void whoWasAwayMayGetAMessageOfAChannelLate() {
        List<Published> messages = List.of(message("channel.n", 1), message("channel.n", 2));
        assertThat(judgeChannel(messages, Set.of(), text("channel.n", 2), text("channel.n", 1))
                        .flawless())
                .isTrue();
    }

    private static Verdict judgeChannel(List<Published> messages, Set<String> steady, String... texts) {
        return Checker.judge(messages, Map.of("a", List.of(texts)), steady, List.of());
    }

    @Test
    void whatWasJudgedBeforeMayComeAgainAndIsADuplicate() {
        List<Published> earlier = List.of(message("user.a", 1));
        List<Published> now = List.of(message("user.a", 2));
        Map<String, List<String>> seen = Map.of("a", List.of(text("user.a", 2), text("user.a", 1), text("user.a", 1)));
        Verdict verdict = Checker.judge(earlier, now, seen, Set.of("a"), List.of());
        assertThat(verdict.flawless()).isTrue();
        assertThat(verdict.published()).isEqualTo(1);
        assertThat(verdict.duplicated()).isEqualTo(2);
    }

    @Test
    void whatWasJudgedLongAgoMustNotComeAgain() {
        Map<String, List<String>> seen = Map.of("a", List.of(text("user.a", 1), text("user.a", 3)));
        Verdict verdict = Checker.judge(
                List.of(message("user.a", 2)), List.of(message("user.a", 3)), seen, Set.of("a"), List.of());
        assertThat(verdict.altered()).hasSize(1);
    }
}
