package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.LongString;
import com.rabbitmq.client.impl.LongStringHelper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pushbridge.delivery.Clock;
import pushbridge.delivery.Instruction;
import pushbridge.delivery.IntakeChannel;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.envelope.Reading;

class InstructionReaderTest {

    private static final long NOW = 1_000_000;

    private static final IntakeChannel CHANNEL = new IntakeChannel() {
        @Override
        public long generation() {
            return 1;
        }

        @Override
        public int atMostInHand() {
            return 1;
        }

        @Override
        public void ack(long tag, boolean multiple) {}

        @Override
        public void flush() {}
    };

    private final BasicProperties.Builder properties = new BasicProperties.Builder();

    @ParameterizedTest
    @CsvSource({"user.42,HOLD", "channel.news,DROP", "all,DROP", "connection.c1,DEAD_LETTER"})
    void thePolicyDependsOnTheAddress(String address, OfflinePolicy expected) {
        assertThat(read(address, "x").policy()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "user.42,hold,HOLD",
        "user.42,drop,DROP",
        "all,dead-letter,DEAD_LETTER",
        "connection.c1,drop,DROP",
    })
    void theHeaderOverridesThePolicy(String address, String header, OfflinePolicy expected) {
        assertThat(read(address, "x", header).policy()).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"channel.news", "all", "connection.c1"})
    void onlyMessagesToUsersCanBeHeld(String address) {
        assertThat(refusal(read(address, "x", "hold")))
                .isEqualTo(new Reading.Refusal(
                        DeadLetterReason.BAD_PROPERTY,
                        "header x-push-offline is hold, but only messages to user.<id> can be held: use drop or"
                                + " dead-letter",
                        address));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HOLD", "keep\n", "1"})
    void anUnknownPolicyIsABadProperty(String header) {
        assertThat(refusal(read("user.42", "x", header)).detail())
                .startsWith("header x-push-offline is \"")
                .endsWith("expected hold, drop or dead-letter")
                .doesNotContain("\n");
    }

    @Test
    void aPolicyThatIsNoTextIsABadProperty() {
        properties.headers(Map.of("x-push-offline", true));
        assertThat(refusal(read("user.42", "x")).reason()).isEqualTo(DeadLetterReason.BAD_PROPERTY);
    }

    @Test
    void withoutExpirationItNeverExpiresWhateverTheTimestamp() {
        properties.timestamp(Date.from(Instant.ofEpochMilli(-1)));
        assertThat(read("user.42", "x").expiresAtMillis()).isEqualTo(Instruction.NEVER);
    }

    @Test
    void expirationCountsFromNowOrFromTheTimestamp() {
        properties.expiration("250");
        assertThat(read("user.42", "x").expiresAtMillis()).isEqualTo(NOW + 250);
        properties.timestamp(Date.from(Instant.ofEpochSecond(5)));
        assertThat(read("user.42", "x").expiresAtMillis()).isEqualTo(5_250);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5", "1e3", "soon", " 1", "٣", "99999999999999999999"})
    void anExpirationThatIsNoNumberIsABadProperty(String expiration) {
        properties.expiration(expiration);
        Reading.Refusal refusal = refusal(read("user.42", "x"));
        assertThat(refusal.reason()).isEqualTo(DeadLetterReason.BAD_PROPERTY);
        assertThat(refusal.detail()).startsWith("property expiration is \"" + expiration + "\"");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1_700_000_000_000L})
    void aTimestampInMillisecondsIsABadProperty(long seconds) {
        properties.expiration("1").timestamp(Date.from(Instant.ofEpochSecond(seconds)));
        assertThat(refusal(read("user.42", "x")).detail()).contains("it counts seconds, not milliseconds");
    }

    @Test
    void aRefusedBodyWinsOverABadProperty() {
        properties.expiration("soon");
        assertThat(refusal(read("user.42", "bad")).reason()).isEqualTo(DeadLetterReason.MALFORMED);
    }

    @ParameterizedTest
    @CsvSource({"push,user.42,user.42", "'',push.instructions,"})
    void aPoisonedMessageIsRefusedWithoutBeingRead(String exchange, String routingKey, @Nullable String address) {
        properties.headers(Map.of("x-delivery-count", 20L));
        BodyReader explosive = (from, key, body) -> {
            throw new AssertionError("the body was read");
        };
        Instruction poisoned = new InstructionReader(explosive, Clock.system())
                .poisoned(CHANNEL, new Envelope(7, true, exchange, routingKey), properties.build(), new byte[0]);
        assertThat(refusal(poisoned))
                .isEqualTo(new Reading.Refusal(
                        DeadLetterReason.POISONED,
                        "it came back unsettled 20 times because the bridge or its connection broke, the last times"
                                + " while it alone was handled",
                        address));
        assertThat(((AmqpOriginal) poisoned.original()).deliveries()).isEqualTo(21);
    }

    @Test
    void theCountOfAFirstDeliveryIsNotTheBrokersAndNotBelieved() {
        BasicProperties forged =
                properties.headers(Map.of("x-delivery-count", 99L)).build();
        assertThat(AmqpOriginal.returns(false, forged)).isZero();
        assertThat(AmqpOriginal.returns(true, forged)).isEqualTo(99);
        assertThat(AmqpOriginal.returns(true, new BasicProperties())).isEqualTo(1);
    }

    private Instruction read(String address, String body, String offline) {
        LongString text = LongStringHelper.asLongString(offline); // as the client library gives it
        properties.headers(Map.of("x-push-offline", text));
        return read(address, body);
    }

    private Instruction read(String address, String body) {
        Clock clock = new Clock() {
            @Override
            public long nanoTime() {
                return 0;
            }

            @Override
            public long wallMillis() {
                return NOW;
            }

            @Override
            public long machineMillis() {
                return NOW;
            }
        };
        return new InstructionReader(TestBodies::read, clock)
                .read(
                        CHANNEL,
                        new Envelope(7, false, "push", address),
                        properties.build(),
                        body.getBytes(StandardCharsets.UTF_8));
    }

    private static Reading.Refusal refusal(Instruction instruction) {
        return (Reading.Refusal) instruction.reading();
    }
}
