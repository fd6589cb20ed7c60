package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.envelope.Wildcard;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

final class LocalDeskTest {

    private static final long NOW = 1_000_000;

    private final FakeShelves shelves = new FakeShelves();
    private final LocalDesk desk = new LocalDesk(shelves, () -> NOW, () -> {});

    private static Filter filter(
            List<String> ids, List<String> reasons, List<String> types, List<String> addresses, @Nullable String text) {
        return new Filter(ids, reasons, types, addresses, null, null, text);
    }

    private List<String> found(Filter filter) throws Exception {
        return ids(desk.list(LetterQueue.DEAD, filter, 100, null, false).path("letters"));
    }

    private static List<String> ids(JsonNode letters) {
        List<String> ids = new ArrayList<>();
        letters.forEach(letter -> ids.add(letter.path("id").asString().substring(9)));
        return ids;
    }

    private ObjectNode replay(Filter filter, Replay how) throws Exception {
        return desk.replay(LetterQueue.DEAD, filter, how, false, Progress.NONE);
    }

    private List<String> sentIds() {
        return shelves.sent.stream()
                .map(outgoing -> String.valueOf(outgoing.properties().get("messageId")))
                .toList();
    }

    // Choosing

    private void three() {
        shelves.add(1, "schema-invalid", "order.created", "user.ann", "{\"a\":\"One\"}");
        shelves.add(2, "payload-invalid", "order.paid", "user.bob", "{\"a\":\"two\"}");
        shelves.add(3, "offline", "note", "connection.x", "{\"a\":\"three\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "reason, offline, 003",
        "type, order.*, 001 002",
        "type, *paid, 002",
        "type, order, ''",
        "address, user.*, 001 002",
        "text, ONE, 001",
        "text, x-mine, 001 002 003",
        "text, m2, 002",
        "id, abc000000002, 002",
        "id, ABC, 001 002 003",
    })
    void aFilterChooses(String by, String value, String expected) throws Exception {
        three();
        List<String> values = List.of(value);
        Filter filter = switch (by) {
            case "reason" -> filter(List.of(), values, List.of(), List.of(), null);
            case "type" -> filter(List.of(), List.of(), values, List.of(), null);
            case "address" -> filter(List.of(), List.of(), List.of(), values, null);
            case "id" -> filter(values, List.of(), List.of(), List.of(), null);
            default -> filter(List.of(), List.of(), List.of(), List.of(), value);
        };
        assertThat(String.join(" ", found(filter))).isEqualTo(expected);
    }

    @Test
    void timesAreFromThisOneUntilBeforeThatOne() throws Exception {
        three();
        Filter second = new Filter(
                List.of(), List.of(), List.of(), List.of(), Instant.ofEpochSecond(2), Instant.ofEpochSecond(3), null);
        assertThat(found(second)).containsExactly("002");
    }

    @Test
    void aPatternOfManyStarsTakesNoTime() {
        assertThat(Wildcard.matches("*a".repeat(40) + "b", "a".repeat(5_000))).isFalse();
        assertThat(Wildcard.matches("a*b*", "axxbyy")).isTrue();
        assertThat(Wildcard.matches("", "a")).isFalse();
    }

    // Looking

    @Test
    void pagesGoOnBehindTheLastOne() throws Exception {
        three();
        JsonNode first = desk.list(LetterQueue.DEAD, Filter.ALL, 2, null, true);
        assertThat(ids(first.path("letters"))).containsExactly("003", "002");
        JsonNode second =
                desk.list(LetterQueue.DEAD, Filter.ALL, 2, first.path("next").asString(), true);
        assertThat(ids(second.path("letters"))).containsExactly("001");
        assertThat(second.path("next").isNull()).isTrue();
        assertThatThrownBy(() -> desk.list(LetterQueue.DEAD, Filter.ALL, 2, "000000000000", true))
                .hasMessageContaining("not there any more");
        assertThat(shelves.open).isZero();
    }

    @Test
    void countsByWhatIsWrongTheMostFrequentFirst() throws Exception {
        three();
        shelves.add(4, "offline", "note", "connection.y", "{}");
        shelves.beyond = 7;
        ObjectNode count = desk.count(LetterQueue.DEAD, Filter.ALL);
        JsonNode most = count.path("problems").get(0);
        assertThat(most.path("count").asInt()).isEqualTo(2);
        assertThat(most.path("reason").asString()).isEqualTo("offline");
        assertThat(most.path("example").asString()).isEqualTo("abc000000003");
        assertThat(count.path("reasons")).hasSize(3);
        assertThat(count.path("beyond").asInt()).isEqualTo(7);
        assertThat(count.path("newest").asString()).isEqualTo("1970-01-01T00:00:04Z");
    }

    @Test
    void showsOneByEnoughOfItsIdAndWhetherItWouldBeTakenNow() throws Exception {
        three();
        shelves.add(0x100, "offline", "note", "user.z", "bad");
        JsonNode letter = desk.show(LetterQueue.DEAD, "abc000000002");
        assertThat(letter.path("type").asString()).isEqualTo("order.paid");
        assertThat(letter.path("replayedNow").path("taken").asBoolean()).isTrue();
        assertThat(desk.show(LetterQueue.DEAD, "abc0000001")
                        .path("replayedNow")
                        .path("reason")
                        .asString())
                .isEqualTo("payload-invalid");
        assertThatThrownBy(() -> desk.show(LetterQueue.DEAD, "abc"))
                .hasMessageContaining("4 letters begin with abc")
                .hasMessageContaining("abc000000001");
        assertThatThrownBy(() -> desk.show(LetterQueue.DEAD, "9")).hasMessage("there is no letter \"9\"");
        assertThatThrownBy(() -> desk.show(LetterQueue.DEAD, "\u001b[2J")).hasMessageContaining("\\u001b[2J");
    }

    // Replaying

    @Test
    void aDryRunTouchesNothing() throws Exception {
        three();
        shelves.add(4, "offline", "note", "user.z", "bad");
        ObjectNode result = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, true, Progress.NONE);
        assertThat(result.path("replayed").asInt()).isEqualTo(3);
        assertThat(result.path("left").asInt()).isEqualTo(1);
        assertThat(result.path("refusals").get(0).path("detail").asString()).isEqualTo("/payload: it is bad");
        assertThat(shelves.sent).isEmpty();
        assertThat(shelves.letters).hasSize(4);
    }

    @Test
    void replaysInTheOrderOfFailureAndRemovesWhatWasTaken() throws Exception {
        shelves.add(3, "offline", "note", "user.c", "{}");
        shelves.add(1, "offline", "note", "user.a", "{}");
        shelves.add(2, "offline", "note", "user.b", "bad");
        ObjectNode result = replay(Filter.ALL, Replay.PLAIN);
        assertThat(sentIds()).containsExactly("m1", "m3");
        assertThat(result.path("left").asInt()).isEqualTo(1);
        assertThat(shelves.letters.values()).extracting(Letter::address).containsExactly("user.b");
        assertThat(shelves.settled).isEqualTo(1);
        Outgoing first = shelves.sent.get(0);
        assertThat(first.key()).isEqualTo("user.a");
        assertThat(first.headers())
                .isEqualTo(Map.of("x-mine", "yes", "x-push-replay-of", "abc000000001")); // nothing of the copy's own
    }

    @Test
    void whatNoQueueTookStays() throws Exception {
        three();
        shelves.fates.put(1, Sender.Fate.RETURNED);
        ObjectNode result = replay(Filter.ALL, Replay.PLAIN);
        assertThat(result.path("replayed").asInt()).isEqualTo(2);
        assertThat(result.path("stopped").asString()).contains("no queue for 1 of them");
        assertThat(shelves.letters.values()).extracting(Letter::address).containsExactly("user.bob");
    }

    @Test
    void nothingIsSentBehindOneThatWasRefused() throws Exception {
        for (int i = 0; i < 50; i++) {
            shelves.add(i, "offline", "note", "user.a", "{}");
        }
        shelves.fates.put(3, Sender.Fate.REFUSED);
        ObjectNode result = replay(Filter.ALL, Replay.PLAIN);
        assertThat(shelves.sent).hasSizeLessThan(7); // what was in flight
        assertThat(result.path("stopped").asString()).contains("refused in the middle");
        assertThat(shelves.letters).hasSize(50 - result.path("replayed").asInt());
    }

    @Test
    void whatIsCalledOffEndsInOrder() throws Exception {
        three();
        ObjectNode result = desk.replay(LetterQueue.DEAD, Filter.ALL, Replay.PLAIN, false, (done, of) -> false);
        assertThat(result.path("replayed").asInt()).isEqualTo(1);
        assertThat(shelves.letters).hasSize(2);
        assertThat(result.path("stopped").asString()).contains("called off");
    }

    @Test
    void toAnotherAddressAlsoInTheBody() throws Exception {
        shelves.add(1, "offline", "note", "user.a", "{\"to\":\"user.a\",\"payload\":{}}");
        shelves.add(2, "offline", "note", "user.a", "{ \"payload\": {}}");
        replay(Filter.ALL, new Replay("user.z", null, null, null, false));
        assertThat(shelves.sent).extracting(Outgoing::key).containsOnly("user.z");
        assertThat(shelves.sent)
                .extracting(outgoing -> new String(outgoing.body(), StandardCharsets.UTF_8))
                .containsExactly("{\"to\":\"user.z\",\"payload\":{}}", "{ \"payload\": {}}");
        assertThatThrownBy(() -> replay(Filter.ALL, new Replay("nobody", null, null, null, false)))
                .isInstanceOf(LetterException.class)
                .hasMessageStartingWith("the address to replay to");
    }

    @Test
    void whatCameThroughTheDefaultExchangeGoesBackThere() throws Exception {
        Letter letter = shelves.add(1, "offline", "note", "user.a", "{}");
        shelves.letters.clear();
        shelves.add(new Letter(
                letter.id(),
                letter.queue(),
                "offline",
                "",
                "user.a",
                null,
                letter.failedAt(),
                null,
                0,
                "",
                "push.instructions",
                List.of(),
                letter.properties(),
                letter.headers(),
                letter.body()));
        replay(Filter.ALL, Replay.PLAIN);
        assertThat(shelves.sent).extracting(Outgoing::target).containsExactly(Outgoing.Target.INSTRUCTIONS);
    }

    @Test
    void itsTimeIsCountedAnew() throws Exception {
        shelves.add(1, "expired", "note", "user.a", "{}").headers().put("x-push-original-expiration", "60000");
        shelves.add(2, "offline", "note", "user.b", "{}");
        replay(Filter.ALL, Replay.PLAIN);
        assertThat(shelves.sent.get(0).properties())
                .containsEntry("expiration", "60000")
                .containsEntry("timestamp", NOW);
        assertThat(shelves.sent.get(1).properties()).doesNotContainKey("expiration");
        shelves.add(3, "offline", "note", "user.c", "{}");
        replay(Filter.ALL, new Replay(null, null, null, Duration.ofSeconds(5), false));
        assertThat(shelves.sent.get(2).properties()).containsEntry("expiration", "5000");
    }

    @Test
    void aPatchMendsWhatItFitsAndLeavesTheRest() throws Exception {
        shelves.add(1, "payload-invalid", "note", "user.a", "{\"payload\":{\"ID\":7}}");
        shelves.add(2, "payload-invalid", "note", "user.b", "{\"payload\":{}}");
        shelves.add(3, "malformed", "note", "user.c", "{");
        JsonPatch patch = JsonPatch.parse("[{\"op\":\"move\",\"from\":\"/payload/ID\",\"path\":\"/payload/id\"}]");
        ObjectNode result = replay(Filter.ALL, new Replay(null, patch, null, null, true));
        assertThat(new String(shelves.sent.get(0).body(), StandardCharsets.UTF_8))
                .isEqualTo("{\"payload\":{\"id\":7}}");
        assertThat(shelves.letters).hasSize(2);
        assertThat(result.path("refusals"))
                .extracting(refusal -> refusal.path("detail").asString())
                .containsExactly("/payload/ID is not there", "the body is not JSON, so it cannot be patched");
    }

    @Test
    void anotherBodyIsForOneLetterOnly() throws Exception {
        three();
        byte[] body = {'{', '}'};
        assertThatThrownBy(() -> replay(Filter.ALL, new Replay(null, null, body, null, false)))
                .hasMessageContaining("exactly one letter, and 3 are meant");
        replay(
                filter(List.of("abc000000002"), List.of(), List.of(), List.of(), null),
                new Replay(null, null, body, null, false));
        assertThat(shelves.sent).extracting(Outgoing::body).containsExactly(body);
    }

    @Test
    void anIdThatIsNotThereStopsEverything() {
        three();
        Filter two = filter(List.of("abc000000002", "999"), List.of(), List.of(), List.of(), null);
        assertThatThrownBy(() -> replay(two, Replay.PLAIN)).hasMessageContaining("\"999\"");
        assertThatThrownBy(() -> desk.discard(LetterQueue.DEAD, two, false, Progress.NONE))
                .hasMessageContaining("\"999\"");
        assertThat(shelves.letters).hasSize(3);
        assertThat(shelves.open).isZero();
    }

    // Discarding, importing

    @Test
    void discardsWhatIsChosen() throws Exception {
        three();
        Filter orders = filter(List.of(), List.of(), List.of("order.*"), List.of(), null);
        assertThat(desk.discard(LetterQueue.DEAD, orders, true, Progress.NONE)
                        .path("discarded")
                        .asInt())
                .isEqualTo(2);
        assertThat(shelves.letters).hasSize(3);
        desk.discard(LetterQueue.DEAD, orders, false, Progress.NONE);
        assertThat(shelves.letters.values()).extracting(Letter::type).containsExactly("note");
    }

    @Test
    void importsWhatIsNotThereUnderItsId() throws Exception {
        three();
        List<Letter> exported = new ArrayList<>();
        desk.export(LetterQueue.DEAD, Filter.ALL, json -> exported.add(LetterJson.letter(json)));
        shelves.letters.remove(2L);
        ObjectNode dry = desk.put(exported, true);
        assertThat(dry.path("imported").asInt()).isEqualTo(1);
        assertThat(shelves.sent).isEmpty();
        desk.put(exported, false);
        assertThat(shelves.sent).extracting(Outgoing::letterId).containsExactly("abc000000002");
        Outgoing letter = shelves.sent.get(0);
        assertThat(letter.target()).isEqualTo(Outgoing.Target.DEAD);
        assertThat(letter.headers())
                .containsEntry("x-push-reason", "payload-invalid")
                .containsEntry("x-push-copy-id", "node-2")
                .containsEntry("x-push-original-routing-key", "user.bob");
    }

    @Test
    void whatRabbitMqHadMadeIsImportedInOurWords() throws Exception {
        Letter letter = new Letter(
                "0123456789ab",
                LetterQueue.EXPIRED,
                "expired",
                "late",
                "user.a",
                null,
                Instant.EPOCH,
                null,
                0,
                "push",
                "user.a",
                List.of("it died"),
                Map.of(),
                Map.of("x-death", List.of(Map.of("reason", "expired")), "mine", 1L),
                new byte[0]);
        desk.put(List.of(letter), false);
        assertThat(shelves.sent.get(0).target()).isEqualTo(Outgoing.Target.EXPIRED);
        assertThat(shelves.sent.get(0).headers())
                .doesNotContainKey("x-death")
                .containsEntry("x-push-copy-id", "letter-0123456789ab")
                .containsEntry("x-push-original-death", "it died")
                .containsEntry("mine", 1L);
    }

    @Test
    void anImportThatRabbitMqRefusesSaysSo() {
        three();
        List<Letter> letters = new ArrayList<>(shelves.letters.values());
        shelves.letters.clear();
        shelves.fates.put(0, Sender.Fate.REFUSED);
        assertThatThrownBy(() -> desk.put(letters, false)).hasMessageContaining("RabbitMQ refuses further letters");
    }
}
