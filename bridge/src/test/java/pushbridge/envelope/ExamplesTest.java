package pushbridge.envelope;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import pushbridge.config.MessageConfig;
import pushbridge.envelope.Reading.Refusal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The published examples and the bridge agree, and so do the published schemas alone. */
class ExamplesTest {

    private static final EnvelopeReader READER = reader();
    private static final ClientFrameReader CLIENT_FRAMES = new ClientFrameReader();
    private static final Map<String, Schema> SCHEMAS = Map.of(
            "envelope", Schemas.bundled("envelope.schema.json"),
            "client-frame", Schemas.bundled("client-frame.schema.json"),
            "server-frame", Schemas.bundled("server-frame.schema.json"));
    private static final JsonMapper PLAIN = new JsonMapper();

    static EnvelopeReader reader() {
        try {
            return new EnvelopeReader(new MessageConfig(65_536, 32, null));
        } catch (SchemaFileException e) {
            throw new AssertionError(e);
        }
    }

    /** Through the default exchange when it has {@code to}, else through the exchange with a key for user 42. */
    private static Reading read(byte[] body) {
        boolean named = new String(body, ISO_8859_1).contains("\"to\":");
        return named ? READER.read("", "push.instructions", body) : READER.read("push", "user.42", body);
    }

    static List<Named<Path>> goodEnvelopes() {
        return Examples.in("good/envelope");
    }

    static Stream<Arguments> badEnvelopes() {
        return Examples.foldersIn("bad/envelope").stream()
                .flatMap(
                        reason -> Examples.in("bad/envelope/" + reason).stream().map(it -> Arguments.of(it, reason)));
    }

    static List<Named<Path>> goodClientFrames() {
        return Examples.in("good/client-frame");
    }

    static Stream<Arguments> badClientFrames() {
        return Examples.foldersIn("bad/client-frame").stream()
                .flatMap(
                        code -> Examples.in("bad/client-frame/" + code).stream().map(it -> Arguments.of(it, code)));
    }

    static List<Named<Path>> goodServerFrames() {
        return Examples.in("good/server-frame");
    }

    static List<Named<Path>> badServerFrames() {
        return Examples.in("bad/server-frame");
    }

    @ParameterizedTest
    @MethodSource("goodEnvelopes")
    void goodEnvelopeIsRead(Path file) {
        byte[] body = Examples.bytes(file);
        assertThat(read(body)).as("%s", file).isInstanceOf(Envelope.class);
        assertThat(errors("envelope", body)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("badEnvelopes")
    void badEnvelopeIsRefusedForTheReasonItsFolderNames(Path file, String reason) {
        byte[] body = Examples.bytes(file);
        Reading reading = read(body);
        assertThat(reading).as("%s", file).isInstanceOf(Refusal.class);
        Refusal refusal = (Refusal) reading;
        assertThat(refusal.reason().slug()).as("%s: %s", file, refusal.detail()).isEqualTo(reason);
        assertThat(refusal.detail())
                .isNotBlank()
                .hasSizeLessThan(700)
                .doesNotContain("\n", "Source", "jackson", "Feature", "Exception");
        if (!reason.equals("malformed")) {
            assertThat(refusal.detail()).startsWith("/");
            assertThat(errors("envelope", body)).isNotEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("goodClientFrames")
    void goodClientFrameIsRead(Path file) {
        String text = new String(Examples.bytes(file), UTF_8);
        assertThat(CLIENT_FRAMES.read(text)).as("%s", file).isNotInstanceOf(ClientFrame.Invalid.class);
        assertThat(errors("client-frame", text.getBytes(UTF_8))).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("badClientFrames")
    void badClientFrameIsAnsweredWithTheCodeItsFolderNames(Path file, String code) {
        String text = new String(Examples.bytes(file), UTF_8);
        ClientFrame frame = CLIENT_FRAMES.read(text);
        assertThat(frame).as("%s", file).isInstanceOf(ClientFrame.Invalid.class);
        ClientFrame.Invalid invalid = (ClientFrame.Invalid) frame;
        assertThat(invalid.code().slug()).as("%s: %s", file, invalid.detail()).isEqualTo(code);
        assertThat(invalid.detail()).isNotBlank().doesNotContain("\n", "Source", "jackson", "Feature");
        if (!code.equals("malformed")) {
            assertThat(invalid.detail()).startsWith("/");
            assertThat(errors("client-frame", text.getBytes(UTF_8))).isNotEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("goodServerFrames")
    void goodServerFrameKeepsItsSchema(Path file) {
        assertThat(errors("server-frame", Examples.bytes(file))).as("%s", file).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("badServerFrames")
    void badServerFrameBreaksItsSchema(Path file) {
        assertThat(errors("server-frame", Examples.bytes(file))).as("%s", file).isNotEmpty();
    }

    @Test
    void errorCodesOfTheSchemaAreThoseOfTheCode() {
        JsonNode schema = PLAIN.readTree(Examples.SCHEMAS.resolve("server-frame.schema.json"));
        List<String> codes = schema.at("/$defs/error/properties/code/enum").values().stream()
                .map(JsonNode::stringValue)
                .toList();
        assertThat(codes)
                .containsExactlyElementsOf(
                        Stream.of(ClientError.values()).map(ClientError::slug).toList());
        assertThat(ClientError.TOO_MANY_CHANNELS.slug()).isEqualTo("too-many-channels");
    }

    @Test
    void schemasOfTheBuildAreThePublishedFiles() throws Exception {
        for (String name : List.of("envelope", "client-frame", "server-frame")) {
            String file = name + ".schema.json";
            try (var in = getClass().getResourceAsStream("/pushbridge/schemas/" + file)) {
                assertThat(in).as(file).isNotNull();
                assertThat(in.readAllBytes()).isEqualTo(Examples.bytes(Examples.SCHEMAS.resolve(file)));
            }
            new Schemas().compile(Examples.SCHEMAS.resolve(file)); // keeps the meta-schema, too
        }
    }

    /** What the schema says, without the rest of the bridge. */
    private static List<Error> errors(String schema, byte[] json) {
        try {
            JsonNode tree = StrictJson.forBodies(64, 65_536).read(json);
            return Objects.requireNonNull(SCHEMAS.get(schema)).validate(tree);
        } catch (StrictJson.MalformedJsonException e) {
            throw new AssertionError(e);
        }
    }
}
