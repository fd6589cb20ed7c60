package pushbridge.envelope;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is recognised without the parser and the schema is exactly what they make of it. */
class PlainEnvelopeTest {

    private static final int RUNS = 60_000;
    private static final String[] BITS = {
        "\"type\":\"a\"",
        "\"seq\":1",
        "\"payload\":{}",
        "\"to\":\"user.42\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00e9",
        "\\ud800",
        "\\x",
        "0",
        "-",
        ".",
        "1e3",
        "01",
        "true",
        "null",
        "tru",
        "NaN",
        " ",
        "\n",
        "\0",
        "\u007f",
        "é",
        "😀",
        "bridge.",
        "ping",
        "9007199254740992",
        "12345678901234567890",
        "/*",
        "//",
        "\"a\":1",
        "all",
        "user."
    };

    private final EnvelopeReader reader = ExamplesTest.reader();

    @Test
    void schemaIsTheOneItKnows() {
        assertThat(Schemas.digest("envelope.schema.json"))
                .as("envelope.schema.json has changed: see that PlainEnvelope still takes nothing that it refuses, then"
                        + " note the new digest")
                .isEqualTo(EnvelopeReader.KNOWN_SCHEMA);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"a\",\"payload\":{},\"seq\":0}",
                " {\n\"seq\" : 9007199254740991 , \"to\":\"user.42\",\"payload\":{\"a\":[1,-2.5,true,null,{\"b\":\"é😀\\n\"}]},"
                        + "\"type\":\"order.created\"} ",
            })
    void ordinaryEnvelopeIsRecognised(String body) {
        assertThat(reader.readPlain("user.42", body.getBytes(UTF_8))).isNotNull();
        assertSame("user.42", body.getBytes(UTF_8), "");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"ping\",\"payload\":{},\"seq\":0}",
                "{\"type\":\"bridge.x\",\"payload\":{},\"seq\":0}",
                "{\"type\":\"\",\"payload\":{},\"seq\":0}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":9007199254740992}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":01}",
                "{\"type\":\"a\",\"payload\":[],\"seq\":1}",
                "{\"type\":\"a\",\"payload\":{\"a\":1,\"a\":2},\"seq\":1}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":1,\"seq\":1}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":1,\"more\":1}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":1,\"to\":\"user.43\"}",
                "{\"type\":\"a\",\"payload\":{},\"seq\":1} x",
            })
    void whatIsWrongIsLeftToTheSchema(String body) {
        assertThat(reader.readPlain("user.42", body.getBytes(UTF_8))).isNull();
    }

    @Test
    void generatedEnvelopesAreReadAlike() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int recognised = 0;
        for (int i = 0; i < RUNS; i++) {
            byte[] body = generated(random).getBytes(UTF_8);
            recognised += assertSame(random.nextBoolean() ? "user.42" : null, body, "seed " + seed) ? 1 : 0;
        }
        // Or the comparison would say nothing.
        assertThat(recognised).as("seed " + seed).isGreaterThan(RUNS / 20);
    }

    @Test
    void damagedEnvelopesAreReadAlike() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int recognised = 0;
        for (int i = 0; i < RUNS; i++) {
            byte[] body = damaged(generated(random).getBytes(UTF_8), random);
            recognised += assertSame(random.nextBoolean() ? "user.42" : null, body, "seed " + seed) ? 1 : 0;
        }
        assertThat(recognised).as("seed " + seed).isGreaterThan(RUNS / 200);
    }

    @Test
    void examplesAreReadAlike() throws IOException {
        int seen = 0;
        for (String kind : new String[] {"good", "bad"}) {
            try (Stream<Path> files = Files.walk(
                    Examples.SCHEMAS.resolve("examples").resolve(kind).resolve("envelope"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    byte[] body = Files.readAllBytes(file);
                    assertSame(null, body, file.toString());
                    assertSame("user.42", body, file.toString());
                    seen++;
                }
            }
        }
        assertThat(seen).isGreaterThan(100);
    }

    /** Whether it was recognised; then both readings are the same. */
    private boolean assertSame(@Nullable String key, byte[] body, String where) {
        Envelope plain = reader.readPlain(key, body);
        if (plain == null) {
            return false;
        }
        String what = where + ": " + new String(body, UTF_8);
        Reading thorough = reader.readThoroughly(key, body);
        assertThat(thorough).as(what).isInstanceOf(Envelope.class);
        Envelope envelope = (Envelope) thorough;
        assertThat(plain.to()).as(what).isEqualTo(envelope.to());
        assertThat(plain.type()).as(what).isEqualTo(envelope.type());
        assertThat(plain.seq()).as(what).isEqualTo(envelope.seq());
        assertThat(plain.body()).as(what).isEqualTo(envelope.body());
        return true;
    }

    private static String generated(Random random) {
        String[] members = {
            "\"type\":\"" + pick(random, "a", "order.created", "bridge", "x y", "a.b", "ping", "é", "a".repeat(128))
                    + '"',
            "\"seq\":" + pick(random, "0", "17", "4711", "9007199254740991", "9007199254740990", "1.0", "1e3", "-1"),
            "\"payload\":" + (random.nextInt(20) == 0 ? "[]" : object(random, 0)),
            "\"to\":\"" + pick(random, "user.42", "user.42", "user.42", "all", "channel.é", "user.") + '"',
        };
        for (int i = 0; i < members.length; i++) {
            int other = random.nextInt(members.length);
            String swapped = members[i];
            members[i] = members[other];
            members[other] = swapped;
        }
        int count = random.nextInt(3) == 0 ? 3 : 4;
        return space(random)
                + '{'
                + String.join(space(random) + ',' + space(random), Arrays.copyOf(members, count))
                + '}'
                + space(random);
    }

    private static String object(Random random, int depth) {
        StringBuilder text = new StringBuilder("{");
        int size = random.nextInt(5);
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : ",")
                    .append(space(random))
                    .append('"')
                    .append(pick(random, "a", "b", "name", "né", "x" + random.nextInt(100), "y" + random.nextInt(100)))
                    .append("\":")
                    .append(value(random, depth + 1));
        }
        return text.append('}').toString();
    }

    private static String value(Random random, int depth) {
        return switch (random.nextInt(depth > 12 ? 6 : 9)) {
            case 0 -> pick(random, "1", "-0", "0.5", "12345678901234567890", "1e3", "-12.75", "-");
            case 1 -> pick(random, "true", "false", "null");
            case 2, 3 ->
                '"' + pick(random, "", "text", "é😀", "\\\"", "\\u00e9", "\\ud800", "a\\n\\t\\/", "\u007f") + '"';
            case 4 -> Long.toString(random.nextInt());
            case 5 -> "[]";
            case 6 -> '[' + value(random, depth + 1) + ',' + space(random) + value(random, depth + 1) + ']';
            default -> object(random, depth + 1);
        };
    }

    private static String space(Random random) {
        return pick(random, "", "", "", " ", "\n", "\t\r");
    }

    private static String pick(Random random, String... of) {
        return of[random.nextInt(of.length)];
    }

    /** One to three changes: a byte replaced or removed, a bit of JSON put in, the end cut off. */
    private static byte[] damaged(byte[] good, Random random) {
        byte[] body = good;
        for (int change = random.nextInt(3); change >= 0 && body.length > 0; change--) {
            int at = random.nextInt(body.length);
            switch (random.nextInt(5)) {
                case 0 -> {
                    body = body.clone();
                    body[at] = (byte) random.nextInt(256);
                }
                case 1 -> body = joined(Arrays.copyOf(body, at), Arrays.copyOfRange(body, at + 1, body.length));
                case 2 -> body = random.nextInt(4) == 0 ? Arrays.copyOf(body, at) : body;
                default -> {
                    byte[] bit = pick(random, BITS).getBytes(UTF_8);
                    body = joined(joined(Arrays.copyOf(body, at), bit), Arrays.copyOfRange(body, at, body.length));
                }
            }
        }
        return body;
    }

    private static byte[] joined(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
