package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

final class LetterViewTest {

    private final LetterView view = new LetterView(Instant.ofEpochSecond(600), false);

    private String show(String detail, byte[] body, Map<String, Object> headers) {
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("messageId", "m1");
        properties.put("timestamp", 0L);
        Letter letter = new Letter(
                "0123456789ab",
                LetterQueue.DEAD,
                "payload-invalid",
                detail,
                "user.a",
                "order",
                Instant.ofEpochSecond(60),
                "web-1",
                2,
                "push",
                "user.a",
                List.of("it died before"),
                properties,
                headers,
                body);
        return String.join("\n", view.show(LetterJson.full(letter), false));
    }

    private String show(String detail, String body) {
        return show(detail, body.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    @Test
    void tellsEverything() {
        assertThat(show("/payload/id: is missing", "{\"type\":\"order\",\"payload\":{\"ID\":1,\"list\":[true,{}]}}"))
                .isEqualTo("""
                        Letter 0123456789ab in dead

                          why           payload-invalid: The payload breaks the schema of its type.
                                        /payload/id: is missing
                          address       user.a
                          type          order
                          failed        1970-01-01T00:01:00Z (9 min ago)
                          by            the bridge web-1, to which it had been delivered 2×
                          published     to the exchange push with the key user.a
                          history       it died before
                          properties    messageId: m1
                                        timestamp: 1970-01-01T00:00:00Z

                          body (52 bytes, JSON, laid out)
                            {
                              "type": "order",
                              "payload": {   <-- id is missing
                                "ID": 1,
                                "list": [
                                  true,
                                  {}
                                ]
                              }
                            }""");
    }

    @Test
    void pointsAtTheValueThatIsWrong() {
        assertThat(show(
                        "/payload/lines/1/qty: must be an integer",
                        "{\"payload\":{\"lines\":[{\"qty\":1},{\"qty\":\"x\"}]}}"))
                .contains("\"qty\": \"x\"   <-- must be an integer")
                .containsOnlyOnce("<--");
    }

    @Test
    void pointsAtTheMemberWhoseNameNeedsEscapes() {
        assertThat(show("/a~1b: is bad", "{\"a/b\":1}")).contains("\"a/b\": 1   <-- is bad");
    }

    @Test
    void pointsIntoWhatIsNoJson() {
        assertThat(show("the body is not an envelope: line 2, column 7: unexpected end", "{\"ä\":1,\n\"ö\": "))
                .contains("as it is")
                .contains("\n    \"ö\": \n         ^ unexpected end");
    }

    @Test
    void aBodyThatIsNotUtf8IsShownInHex() {
        assertThat(show("", new byte[] {(byte) 0xff, 'A', 0x1b}, Map.of()))
                .contains("00000000  ff 41 1b                                         |.A.|");
    }

    @Test
    void nothingReachesTheTerminalThatItWouldObey() {
        String shown = show(
                "/a: \u001b[2J",
                "{\"a\":\"\u009b31m\\u001b]0;owned\\u0007\",\"\u202eb\":1}".getBytes(StandardCharsets.UTF_8),
                Map.of("x-\u001b[1m", "\u001b]52;c;cm0gLXJm\u0007", "list", List.of("\u202e")));
        assertThat(shown.chars().filter(c -> c != '\n' && !Printable.isPlain(c)))
                .isEmpty();
        ObjectNode raw = LetterJson.object();
        raw.put("a", "\u001b\u009b\u202e");
        String line = LetterJson.line(raw);
        assertThat(line.chars().filter(c -> !Printable.isPlain(c))).isEmpty();
        assertThat(LetterJson.MAPPER.readTree(line)).isEqualTo(raw); // and says the same
    }

    @Test
    void longBodiesAreCutUnlessTheyAreWanted() {
        String body = "[" + "1,".repeat(1_000) + "1]";
        assertThat(show("", body)).contains("more lines: --whole");
    }

    @Test
    void aPageIsATable() {
        ObjectNode page = LetterJson.object();
        page.put("queue", "dead").put("total", 1_203).put("beyond", 5).put("matching", 3);
        page.put("next", "0123456789ab");
        page.putArray("letters")
                .addObject()
                .put("id", "0123456789ab")
                .put("failedAt", "1970-01-01T00:01:00.123Z")
                .put("reason", "offline")
                .put("detail", "nobody\u001b");
        assertThat(view.list(page, true))
                .containsExactly(
                        "ID            FAILED                REASON   TYPE  ADDRESS  DETAIL",
                        "0123456789ab  1970-01-01T00:01:00Z  offline  -     -        nobody\\u001b",
                        "",
                        "3 of 1,203 letters in dead fit; 1 shown, the newest first. More: --after 0123456789ab",
                        "5 more lie behind these, more than are looked at together (letters.max-messages, letters.max-bytes); they come"
                                + " when these are replayed or discarded.");
    }
}
