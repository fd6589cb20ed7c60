package pushbridge.envelope;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.envelope.ClientFrame.Invalid;

class ClientFrameReaderTest {

    private final ClientFrameReader reader = new ClientFrameReader();

    @Test
    void framesHaveWhatTheClientSent() {
        assertThat(read("{`type`:`ping`}")).isEqualTo(new ClientFrame.Ping(0));
        assertThat(read("{`type`:`ping`,`seq`:7}")).isEqualTo(new ClientFrame.Ping(7));
        assertThat(read("{`type`:`ack`,`count`:12}")).isEqualTo(new ClientFrame.Ack(12));
        assertThat(read("{`count`:1e3,`type`:`ack`}")).isEqualTo(new ClientFrame.Ack(1000));
        assertThat(read("{`type`:`subscribe`,`payload`:{`channel`:`a.b 🦊`},`seq`:3}"))
                .isEqualTo(new ClientFrame.Subscribe("a.b 🦊", 3));
        assertThat(read("{`type`:`unsubscribe`,`payload`:{`channel`:`news`}}"))
                .isEqualTo(new ClientFrame.Unsubscribe("news", 0));
        assertThat(read("{`type`:`auth`,`payload`:{`token`:`abc`},`seq`:4}")).isEqualTo(new ClientFrame.Auth("abc", 4));
    }

    @Test
    void tokenIsNotInTheTextOfItsFrame() {
        assertThat(read("{`type`:`auth`,`payload`:{`token`:`s3cret`}}").toString())
                .doesNotContain("s3cret");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{`type`:`subscribe`,`payload`:{},`seq`:3} | SCHEMA_INVALID | /payload/channel: is missing | 3",
                "{`type`:`subscribe`,`payload`:{`channel`:7},`seq`:3} | SCHEMA_INVALID "
                        + "| /payload/channel: must be a string, not the number 7 | 3",
                "{`type`:`ping`,`x`:1} | SCHEMA_INVALID | /x: is not known here | 0",
                "{`type`:`ping`,`seq`:1.5} | SCHEMA_INVALID | /seq: must be an integer, not the number 1.5 | 0",
                "{`type`:`ping`,`seq`:0.99999999999999999999} | SCHEMA_INVALID | /seq: must be an integer | 0",
                "{`type`:`ping`,`seq`:-1} | SCHEMA_INVALID | /seq: must not be below 0 | 0",
                "{`type`:`ack`,`count`:1e-400} | SCHEMA_INVALID | /count: must be an integer | 0",
                "{`type`:`jump`,`seq`:9} | UNKNOWN_TYPE | /type: there is no client frame \"jump\" | 9",
                "{`type`:`publish`,`seq`:9} | NOT_AVAILABLE | /type: this bridge takes no messages from clients | 9",
                "hello | MALFORMED | the frame is not a JSON object: line 1, column 1: Unrecognized token 'hello': "
                        + "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false') | 0",
            })
    void invalidFrameIsAnsweredWithPlaceAndSeq(String frame, ClientError code, String detail, long seq) {
        assertThat(read(frame)).isEqualTo(new Invalid(code, detail, seq));
    }

    @Test
    void channelMustFitIntoAnAddress() {
        String longest = "ü".repeat(123);
        assertThat(read("{`type`:`subscribe`,`payload`:{`channel`:`" + longest + "`}}"))
                .isEqualTo(new ClientFrame.Subscribe(longest, 0));
        ClientFrame tooLong = read("{`type`:`subscribe`,`payload`:{`channel`:`" + longest + "ü`},`seq`:5}");
        assertThat(tooLong).isInstanceOfSatisfying(Invalid.class, invalid -> {
            assertThat(invalid.code()).isEqualTo(ClientError.SCHEMA_INVALID);
            assertThat(invalid.detail()).startsWith("/payload/channel: ").contains("255 bytes");
            assertThat(invalid.seq()).isEqualTo(5);
        });
        assertThat(read("{`type`:`subscribe`,`payload`:{`channel`:`\\ud800`}}")).isInstanceOf(Invalid.class);
    }

    /** The short cut for the two hot frames must never say anything else than the schema. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{`type`:`ping`}",
                "{`type`:`ack`,`count`:0}",
                "{`type`:`ack`,`count`:1}",
                "{`type`:`ack`,`count`:00}",
                "{`type`:`ack`,`count`:01}",
                "{`type`:`ack`,`count`:}",
                "{`type`:`ack`,`count`:-1}",
                "{`type`:`ack`,`count`:+1}",
                "{`type`:`ack`,`count`:1 }",
                "{`type`:`ack`,`count`:1,}",
                "{`type`:`ack`,`count`:1}}",
                "{`type`:`ack`,`count`:1",
                "{`type`:`ack`,`count`:1.0}",
                "{`type`:`ack`,`count`:1e2}",
                "{`type`:`ack`,`count`:١}",
                "{`type`:`ack`,`count`:999999999999999}",
                "{`type`:`ack`,`count`:9007199254740991}",
                "{`type`:`ack`,`count`:9007199254740992}",
                "{`type`:`ack`,`count`:99999999999999999999}",
            })
    void shortCutAgreesWithTheSchema(String frame) {
        String text = frame.replace('`', '"');
        assertThat(reader.read(text)).isEqualTo(reader.readAny(text));
    }

    @Test
    void damagedFramesNeverThrowAndTheShortCutAgrees() {
        Random random = new Random(4712);
        for (var example : Examples.in("good/client-frame")) {
            String good = new String(Examples.bytes(example.getPayload()), UTF_8);
            for (int round = 0; round < 300; round++) {
                StringBuilder text = new StringBuilder(good);
                for (int i = random.nextInt(2); i >= 0; i--) {
                    text.setCharAt(random.nextInt(text.length()), (char)
                            (random.nextInt(4) == 0 ? random.nextInt(0x10000) : ' ' + random.nextInt(95)));
                }
                ClientFrame frame = reader.read(text.toString());
                assertThat(frame).isEqualTo(reader.readAny(text.toString()));
                if (frame instanceof Invalid invalid) {
                    assertThat(invalid.detail()).isNotBlank().doesNotContain("\n", "Source", "Feature");
                }
            }
        }
    }

    private ClientFrame read(String frame) {
        return reader.read(frame.replace('`', '"'));
    }
}
