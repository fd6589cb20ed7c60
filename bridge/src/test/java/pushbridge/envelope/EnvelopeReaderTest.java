package pushbridge.envelope;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.config.MessageConfig;
import pushbridge.envelope.Reading.Refusal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EnvelopeReaderTest {

    private static final String DEFAULT_EXCHANGE = "";
    private static final int MAX_BYTES = 65_536;

    private final EnvelopeReader reader = ExamplesTest.reader();

    // -- size

    @Test
    void sizeIsCheckedBeforeAnythingElse() {
        Refusal refusal = refusal(reader.read("push", "user.42", new byte[MAX_BYTES + 1]));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.TOO_LARGE);
        assertThat(refusal.detail()).contains("65537", "65536", "message.max-bytes");
        assertThat(refusal.address()).isEqualTo("user.42");
    }

    @Test
    void bodyOfExactlyTheLimitIsRead() {
        String frame = "{\"type\":\"a\",\"payload\":{\"t\":\"%s\"},\"seq\":1}";
        String body = frame.formatted("x".repeat(MAX_BYTES - frame.length() + 2));
        assertThat(body).hasSize(MAX_BYTES);
        assertThat(read("user.42", body)).isInstanceOf(Envelope.class);
    }

    // -- what is read

    @Test
    void envelopeHasWhatWasPublished() {
        Envelope envelope = envelope(read("user.a.b", "{\"type\":\"order.created\",\"payload\":{},\"seq\":17}"));
        assertThat(envelope.to().text()).isEqualTo("user.a.b");
        assertThat(envelope.type()).isEqualTo("order.created");
        assertThat(envelope.seq()).isEqualTo(17);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "-0.0, 0",
        "0e9, 0",
        "1.0, 1",
        "1e3, 1000",
        "1E+3, 1000",
        "12.50e1, 125",
        "9007199254740991, 9007199254740991",
        "9007199254740991.0, 9007199254740991",
        "9.007199254740991e15, 9007199254740991",
        "9007199254740991000e-3, 9007199254740991",
    })
    void seqIsAnIntegerAsTheSchemaStandardSeesIt(String written, long seq) {
        assertThat(envelope(read("user.42", withSeq(written))).seq()).isEqualTo(seq);
    }

    /** The last six become integers, or small enough, when a parser rounds them to a double. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "1.5",
                "0.1",
                "-1e-1",
                "9007199254740992",
                "9007199254740992.0",
                "1e16",
                "1e19",
                "-1e19",
                "1e400",
                "-1e400",
                "1e999999999",
                "-1e999999999",
                "1e99999999999999",
                "9007199254740990.5",
                "4503599627370497.00000001",
                "0.99999999999999999999999999",
                "1e-400",
                "1e-999999999",
                "1e-99999999999999"
            })
    void everyOtherSeqIsSchemaInvalidAtOnce(String written) {
        Refusal refusal =
                assertTimeoutPreemptively(Duration.ofSeconds(10), () -> refusal(read("user.42", withSeq(written))));
        assertThat(refusal.reason()).as(refusal.detail()).isEqualTo(DeadLetterReason.SCHEMA_INVALID);
        assertThat(refusal.detail()).startsWith("/seq: must be an integer");
    }

    // -- the address

    @Test
    void onTheDefaultExchangeTheBodyNamesTheAddress() {
        byte[] body = "{\"to\":\"channel.news\",\"type\":\"a\",\"payload\":{},\"seq\":1}".getBytes(UTF_8);
        Envelope envelope = envelope(reader.read(DEFAULT_EXCHANGE, "push.instructions", body));
        assertThat(envelope.to().text()).isEqualTo("channel.news");
        assertThat(envelope.body()).isSameAs(body);
    }

    @Test
    void onTheDefaultExchangeNoAddressIsUnaddressable() {
        Refusal refusal =
                refusal(reader.read(DEFAULT_EXCHANGE, "user.42", withSeq("1").getBytes(UTF_8)));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.UNADDRESSABLE);
        assertThat(refusal.detail()).startsWith("/to: is missing").contains("default exchange");
        assertThat(refusal.address()).isNull();
    }

    @Test
    void addressThatContradictsTheRoutingKeyIsUnaddressable() {
        Refusal refusal = refusal(read("user.8", "{\"to\":\"user.7\",\"type\":\"a\",\"payload\":{},\"seq\":1}"));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.UNADDRESSABLE);
        assertThat(refusal.detail()).isEqualTo("/to: \"user.7\" is not the routing key \"user.8\"");
        assertThat(refusal.address()).isEqualTo("user.8");
    }

    @Test
    void addressThatEqualsTheRoutingKeyIsKeptAsWritten() {
        byte[] body = "{\"to\":\"user.\\u0037\",\"type\":\"a\",\"payload\":{},\"seq\":1}".getBytes(UTF_8);
        assertThat(envelope(reader.read("push", "user.7", body)).body()).isSameAs(body);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "user.", "orders", "all.x", "user.a\nb"})
    void routingKeyThatIsNoAddressIsUnaddressable(String key) {
        Refusal refusal = refusal(read(key, withSeq("1")));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.UNADDRESSABLE);
        assertThat(refusal.detail()).startsWith("the routing key: ").doesNotContain("\n");
        assertThat(refusal.address()).isEqualTo(key);
    }

    @Test
    void limitOfAnAddressIsInBytesAlsoInTheBody() {
        String to = "user." + "ü".repeat(126);
        Refusal refusal = refusal(reader.read(
                DEFAULT_EXCHANGE,
                "push.instructions",
                ("{\"to\":\"" + to + "\",\"type\":\"a\",\"payload\":{},\"seq\":1}").getBytes(UTF_8)));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.UNADDRESSABLE);
        assertThat(refusal.detail()).contains("255 bytes");
        assertThat(refusal.address()).isEqualTo(to);
    }

    @Test
    void refusalOnTheDefaultExchangeNamesTheAddressWhenThereIsOne() {
        byte[] body = "{\"to\":\"user.7\",\"type\":\"a\",\"payload\":[],\"seq\":1}".getBytes(UTF_8);
        assertThat(refusal(reader.read(DEFAULT_EXCHANGE, "push.instructions", body))
                        .address())
                .isEqualTo("user.7");
    }

    // -- byte for byte

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{|\"type\":\"a\",\"payload\":{},\"seq\":1}",
                " \t\r\n {| \"type\" : \"a\",\r\n\t\"payload\" : { },\n \"seq\" : 1e0 } \r\n",
                "{|\"payload\":{\"text\":\"Grüße 世界 👋🏽 \\u00fc \\ud83d\\ude00 \\/\",\"n\":[1.0,1e400,-0]},"
                        + "\"seq\":1,\"type\":\"é\"}",
                "{|\n\"seq\":1,\"\\u0074ype\":\"{\",\"payload\":{\"to\":\"x\"}}",
            })
    void missingAddressIsInsertedAndNothingElseChanges(String marked) {
        Envelope envelope = envelope(read("user.42", marked.replace("|", "")));
        assertThat(new String(envelope.body(), UTF_8)).isEqualTo(marked.replace("|", "\"to\":\"user.42\","));
    }

    @ParameterizedTest
    @ValueSource(strings = {"user.\"quoted\\\"", "user.jörg 🦊", "channel.</script>", "user.\u2028", "user.\ufeff"})
    void insertedAddressIsReadBackAsItWas(String address) {
        Envelope envelope = envelope(read(address, withSeq("1")));
        assertThat(new JsonMapper().readTree(envelope.body()).path("to").stringValue())
                .isEqualTo(address);
    }

    // -- details

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{`type`:`a`,`payload`:[],`seq`:1} | /payload: must be an object, not an empty list; "
                        + "for an empty one in PHP write (object)[]",
                "{`type`:`a`,`payload`:[1],`seq`:1} | /payload: must be an object, not a list; "
                        + "put the list into a member of it",
                "{`type`:`a`,`payload`:`{}`,`seq`:1} | /payload: must be an object, not a string; "
                        + "encode the envelope as a whole and not its payload a second time",
                "{`type`:`a`,`payload`:null,`seq`:1} | /payload: must be an object, not null; "
                        + "for an empty one in PHP write (object)[]",
                "{`type`:`a`,`payload`:{},`seq`:`1`} | /seq: must be an integer from 0 to 9007199254740991 (2^53-1), "
                        + "not a string; publish it without quotes (in PHP cast it with (int))",
                "{`type`:`a`,`payload`:{},`seq`:-5} | /seq: must be an integer from 0 to 9007199254740991 (2^53-1), "
                        + "not the number -5",
                "{`type`:`a`,`payload`:{}} | /seq: is missing; any integer that identifies the message "
                        + "(in PHP (int)(microtime(true)*1e6))",
                "{`payload`:{},`seq`:1} | /type: is missing",
                "{`typ`:`a`,`payload`:{},`seq`:1} | /type: is missing (and 1 more)",
                "{`type`:`a`,`payload`:{},`seq`:1,`us/er~`:1} | /us~1er~0: is no member of an envelope, which has "
                        + "type, payload, seq and to; business data goes into payload",
                "{`type`:5,`payload`:{},`seq`:1} | /type: must be a string, not the number 5",
                "{`type`:`a`,`payload`:{},`seq`:1,`to`:[]} | /to: must be a string, not an empty list",
                "{`type`:`ping`} | /type: \"ping\" is reserved for the protocol; use a name of your own",
                "{`type`:`a`,`payload`:{},`seq`:1}} | the body is not an envelope: line 1, column 34: "
                        + "something follows the end of the JSON text",
                "{`type`:`a`,`type`:`b`} | the body is not an envelope: line 1, column 20: "
                        + "the name \"type\" stands twice in one object",
                "[] | the body is not an envelope: it is an empty list, not an object",
            })
    void detailTellsWhereAndWhatToDo(String body, String detail) {
        assertThat(refusal(read("user.42", body.replace('`', '"'))).detail()).isEqualTo(detail);
    }

    @Test
    void detailOfMalformedJsonNamesLineAndColumn() {
        Refusal refusal = refusal(read("user.42", "{\"type\":\"a\",\n  \"payload\": oops}"));
        assertThat(refusal.detail()).contains("line 2, column ").contains("oops");
    }

    @Test
    void detailTellsByteOrderMarkFromOtherBytes() {
        assertThat(refusal(read("user.42", "\ufeff{}")).detail()).contains("byte order mark");
        byte[] latin1 = {'{', '"', (byte) 0xFC, '"', ':', '1', '}'};
        assertThat(refusal(reader.read("push", "user.42", latin1)).detail())
                .isEqualTo("the body is not an envelope: byte 3 (0xFC) is not UTF-8");
    }

    @Test
    void detailDoesNotGrowWithWhatItComplainsAbout() {
        String name = "x\\u0001".repeat(2_000);
        Refusal refusal = refusal(read("user.42", "{\"" + name + "\":1}"));
        assertThat(refusal.detail()).hasSizeLessThan(Details.MAX_LENGTH + 2);
        Refusal unknown = refusal(read("user.42", "{\"type\":\"a\",\"payload\":{},\"seq\":1,\"" + name + "\":1}"));
        assertThat(unknown.detail()).hasSizeLessThan(Details.MAX_LENGTH + 2).contains("is no member of an envelope");
        assertThat(unknown.detail().chars()).noneMatch(Character::isISOControl);
    }

    @Test
    void tooLongNamesAndNumbersAreToldInOurWords() {
        assertThat(refusal(read("user.42", "{\"" + "n".repeat(5_000) + "\":1}")).detail())
                .endsWith("a member name has more than 4096 characters");
        assertThat(refusal(read("user.42", withSeq("9".repeat(1_001)))).detail())
                .endsWith("a number has more than 1000 characters");
        assertThat(refusal(read("user.42", withSeq("[".repeat(100)))).detail())
                .endsWith("objects and lists are nested deeper than 32 levels");
    }

    // -- payload schemas

    @TempDir
    private Path types;

    @Test
    void payloadOfATypeWithASchemaMustKeepIt() throws Exception {
        Files.writeString(types.resolve("order.created.schema.json"), """
                {
                  "type": "object",
                  "required": ["id"],
                  "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "items": {"items": {"$ref": "#/$defs/item"}}
                  },
                  "$defs": {"item": {"type": "string"}}
                }
                """);
        Files.writeString(types.resolve("README.md"), "not a schema");
        EnvelopeReader strict = withTypes();
        assertThat(payload(strict, "order.created", "{\"id\":1,\"items\":[\"a\"]}"))
                .isNull();
        assertThat(payload(strict, "order.created", "{\"id\":1e19}")).isNull();
        assertThat(payload(strict, "order.deleted", "{}")).isNull();
        assertThat(payload(strict, "../order.created", "{}")).isNull();
        assertThat(payload(strict, "order.created", "{}")).isEqualTo("/payload/id: is missing");
        assertThat(payload(strict, "order.created", "{\"id\":0}")).isEqualTo("/payload/id: must not be below 1");
        assertThat(payload(strict, "order.created", "{\"id\":1,\"items\":[\"a\",{}]}"))
                .isEqualTo("/payload/items/1: must be a string, not an object");
    }

    @Test
    void schemaThatTheValidatorCannotApplyCostsTheMessageOnly() throws Exception {
        Files.writeString(types.resolve("a.schema.json"), "{\"properties\":{\"t\":{\"pattern\":\"^(a|b)*$\"}}}");
        String detail = payload(withTypes(), "a", "{\"t\":\"" + "ab".repeat(30_000) + "\"}");
        assertThat(detail).startsWith("/payload: the schema of type a could not be applied (");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{\"type\":\"objekt\"}",
                "{\"pattern\":\"(\"}",
                "{\"$ref\":\"#/$defs/nowhere\"}",
                "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/nowhere\"}}}",
                "{\"$ref\":\"#\"}",
                "{\"$ref\":\"http://127.0.0.1:1/other.json\"}",
                "{\"$ref\":\"file:///etc/hosts\"}",
                "{\"properties\":{\"a\":{\"$ref\":\"other.schema.json\"}}}",
                "{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
            })
    void brokenSchemaFailsTheStartAndIsNamed(String schema) throws Exception {
        Path file = Files.writeString(types.resolve("order.schema.json"), schema);
        assertThatThrownBy(this::withTypes)
                .isInstanceOf(SchemaFileException.class)
                .hasMessageStartingWith("the payload schema " + file + " cannot be used: ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void missingFolderOfSchemasFailsTheStart() {
        Path nowhere = types.resolve("nowhere");
        assertThatThrownBy(() -> new EnvelopeReader(new MessageConfig(MAX_BYTES, 32, nowhere)))
                .isInstanceOf(SchemaFileException.class)
                .hasMessageContaining(nowhere.toString());
    }

    private EnvelopeReader withTypes() throws SchemaFileException {
        return new EnvelopeReader(new MessageConfig(MAX_BYTES, 32, types));
    }

    /** The detail of a payload-invalid refusal, or null for a valid envelope. */
    private static @Nullable String payload(EnvelopeReader reader, String type, String payload) {
        String body = "{\"type\":\"" + type + "\",\"payload\":" + payload + ",\"seq\":1}";
        Reading reading = reader.read("push", "user.42", body.getBytes(UTF_8));
        if (reading instanceof Refusal refusal) {
            assertThat(refusal.reason()).isEqualTo(DeadLetterReason.PAYLOAD_INVALID);
            assertThat(refusal.address()).isEqualTo("user.42");
            return refusal.detail();
        }
        return null;
    }

    // -- whatever comes

    @Test
    void damagedBodiesAreRefusedOrStillEnvelopes() {
        Random random = new Random(4711);
        int read = 0;
        int refused = 0;
        for (Named<Path> example : Examples.in("good/envelope")) {
            byte[] good = Examples.bytes(example.getPayload());
            for (int round = 0; round < 400; round++) {
                byte[] body = damaged(good, random);
                boolean direct = new String(body, ISO_8859_1).contains("\"to\"");
                Reading reading = reader.read(direct ? DEFAULT_EXCHANGE : "push", "user.42", body);
                if (reading instanceof Envelope envelope) {
                    read++;
                    assertIsWhole(envelope);
                } else {
                    refused++;
                    assertThat(((Refusal) reading).detail()).isNotBlank().doesNotContain("\n");
                }
            }
        }
        assertThat(read).as("still envelopes").isGreaterThan(500);
        assertThat(refused).as("refused").isGreaterThan(5_000);
    }

    @Test
    void oneReaderServesManyThreads() {
        List<Integer> wrong = IntStream.range(0, 5_000)
                .parallel()
                .filter(seq ->
                        envelope(read("user." + seq, withSeq(seq + ".0"))).seq() != seq)
                .boxed()
                .toList();
        assertThat(wrong).isEmpty();
    }

    private static byte[] damaged(byte[] good, Random random) {
        byte[] body = good.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            body[random.nextInt(body.length)] =
                    (byte) (random.nextBoolean() ? random.nextInt(256) : good[random.nextInt(good.length)]);
        }
        return random.nextInt(10) == 0 ? Arrays.copyOf(body, random.nextInt(body.length)) : body;
    }

    private static void assertIsWhole(Envelope envelope) {
        assertThat(StrictUtf8.firstInvalid(envelope.body())).isEqualTo(-1);
        JsonNode tree = new JsonMapper().readTree(envelope.body());
        assertThat(tree.propertyNames()).containsExactlyInAnyOrder("type", "payload", "seq", "to");
        assertThat(tree.path("to").stringValue()).isEqualTo(envelope.to().text());
        assertThat(tree.path("type").stringValue()).isEqualTo(envelope.type());
        assertThat(tree.path("seq").longValue()).isEqualTo(envelope.seq());
        assertThat(tree.path("payload").isObject()).isTrue();
    }

    // -- helpers

    private Reading read(String routingKey, String body) {
        return reader.read("push", routingKey, body.getBytes(UTF_8));
    }

    private static String withSeq(String seq) {
        return "{\"type\":\"a\",\"payload\":{},\"seq\":" + seq + "}";
    }

    private static Envelope envelope(Reading reading) {
        assertThat(reading).isInstanceOf(Envelope.class);
        return (Envelope) reading;
    }

    private static Refusal refusal(Reading reading) {
        assertThat(reading).isInstanceOf(Refusal.class);
        return (Refusal) reading;
    }
}
