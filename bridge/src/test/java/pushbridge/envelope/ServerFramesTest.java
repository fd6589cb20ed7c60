package pushbridge.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ServerFramesTest {

    private static final String ODD = "a\"b\\c\n\u0001</script>\u2028 ü 🦊";

    private final Schema schema = Schemas.bundled("server-frame.schema.json");

    @Test
    void framesAreSpelledAsDocumented() {
        assertThat(ServerFrames.pong(7)).isEqualTo("{\"type\":\"pong\",\"payload\":{},\"seq\":7}");
        assertThat(ServerFrames.welcome("f00d", "42", true))
                .isEqualTo("{\"type\":\"bridge.welcome\",\"payload\":"
                        + "{\"connection\":\"f00d\",\"user\":\"42\",\"complete\":true},\"seq\":0}");
        assertThat(ServerFrames.goingAway(Duration.ofMillis(1500)))
                .isEqualTo("{\"type\":\"bridge.going-away\",\"payload\":{\"delay\":1500},\"seq\":0}");
    }

    @Test
    void everyFrameKeepsTheSchemaWhateverItsTexts() {
        valid(ServerFrames.pong((1L << 53) - 1));
        assertThat(valid(ServerFrames.welcome("f00d", ODD, false))
                        .at("/payload/user")
                        .stringValue())
                .isEqualTo(ODD);
        assertThat(valid(ServerFrames.welcome("f00d", null, false))
                        .at("/payload/user")
                        .isNull())
                .isTrue();
        assertThat(valid(ServerFrames.subscribed(ODD, true, 3))
                        .at("/payload/channel")
                        .stringValue())
                .isEqualTo(ODD);
        assertThat(valid(ServerFrames.unsubscribed(ODD, 3))
                        .at("/payload/channel")
                        .stringValue())
                .isEqualTo(ODD);
        assertThat(valid(ServerFrames.goingAway(Duration.ZERO))
                        .at("/payload/delay")
                        .intValue())
                .isZero();
    }

    @ParameterizedTest
    @EnumSource
    void everyErrorKeepsTheSchema(ClientError code) {
        JsonNode frame = valid(ServerFrames.error(code, ODD, 3));
        assertThat(frame.at("/payload/code").stringValue()).isEqualTo(code.slug());
        assertThat(frame.at("/payload/detail").stringValue()).isEqualTo(ODD);
        assertThat(frame.at("/seq").longValue()).isEqualTo(3);
    }

    private JsonNode valid(String frame) {
        JsonNode tree = new JsonMapper().readTree(frame);
        assertThat(schema.validate(tree)).isEmpty();
        return tree;
    }
}
