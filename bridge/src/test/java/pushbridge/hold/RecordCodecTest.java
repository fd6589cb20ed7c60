package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Records keep what they say through their bytes, and no bytes can do harm. */
final class RecordCodecTest {

    private static final HeldMessage FIRST = new HeldMessage(
            7, 1_700_000_000_000L, -42, new byte[] {1, 2, 3}, "{\"ü\":1}".getBytes(StandardCharsets.UTF_8));
    private static final HeldMessage SECOND = new HeldMessage(8, Long.MAX_VALUE, 42, new byte[0], new byte[0]);

    private static final HeldMessage THIRD = new HeldMessage(9, 0, 0, new byte[0], new byte[] {'{', '}'});

    private static final LogRecord.Hold HOLD = new LogRecord.Hold(
            3,
            12,
            List.of(
                    new LogRecord.Part("user.jürgen.🙂", List.of(FIRST, SECOND)),
                    new LogRecord.Part("user.2", List.of(THIRD))));
    private static final LogRecord.Release RELEASE = new LogRecord.Release(3, 13, new long[] {7, Long.MAX_VALUE, 0});
    private static final LogRecord.Epoch EPOCH = new LogRecord.Epoch(4, 0, "bridge-1/6f3a");
    private static final LogRecord.Checkpoint CHECKPOINT =
            new LogRecord.Checkpoint(4, 9, 1, 2, 3, 4, 5, 6, 7, Long.MIN_VALUE);

    @Test
    void recordsSurviveTheirBytes() {
        assertThat(known(RecordCodec.encode(HOLD))).usingRecursiveComparison().isEqualTo(HOLD);
        assertThat(known(RecordCodec.encode(RELEASE)))
                .usingRecursiveComparison()
                .isEqualTo(RELEASE);
        assertThat(known(RecordCodec.encode(EPOCH))).isEqualTo(EPOCH);
        assertThat(known(RecordCodec.encode(CHECKPOINT))).isEqualTo(CHECKPOINT);
    }

    @Test
    void namesOf255BytesAndFullRecordsFit() {
        String address = "user." + "x".repeat(250);
        List<HeldMessage> messages = nothings(LogRecord.MAX_MESSAGES);
        LogRecord.Part back = back(hold(address, messages)).parts().get(0);
        assertThat(back.address()).isEqualTo(address);
        assertThat(back.messages()).hasSize(65_535);
        assertThat(back.messages().get(65_534).id()).isEqualTo(65_534);
    }

    @Test
    void asManyAddressesFitAsMessages() {
        List<LogRecord.Part> parts = new ArrayList<>();
        for (int i = 0; i < LogRecord.MAX_MESSAGES; i++) {
            parts.add(new LogRecord.Part("user." + i, List.of(new HeldMessage(i, i, i, new byte[0], new byte[0]))));
        }
        List<LogRecord.Part> back = back(new LogRecord.Hold(0, 0, parts)).parts();
        assertThat(back).hasSize(65_535);
        assertThat(back.get(65_534).address()).isEqualTo("user.65534");
    }

    @Test
    void aPartMoreThanFitsIsCorruptForTheReaderToo() {
        // Two parts of 32,768 messages each: both counts are possible, their sum is not.
        byte[] part = Arrays.copyOfRange(RecordCodec.encode(hold("u", nothings(32_768))), 20, 20 + 4 + 32_768 * 32);
        byte[] bytes = ByteBuffer.allocate(20 + 2 * part.length)
                .put(RecordCodec.encode(hold("u", List.of(THIRD))), 0, 18)
                .putShort((short) 2)
                .put(part)
                .put(part)
                .array();
        assertThat(((Decoded.Corrupt) RecordCodec.decode(bytes)).reason()).contains("more than 65535 messages");
    }

    @Test
    void theBytesOnDiskAreWhatTheyWereInVersion2() {
        assertThat(RecordCodec.encode(new LogRecord.Release(1, 2, new long[] {3})))
                .containsExactly(
                        2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3);
        byte[] hold = RecordCodec.encode(HOLD);
        assertThat(Arrays.copyOfRange(hold, 18, 21)).as("two parts, a name").containsExactly(0, 2, 17);
        assertThat(Arrays.copyOfRange(hold, 38, 40)).as("two messages").containsExactly(0, 2);
        assertThat(Arrays.copyOfRange(hold, hold.length - 2, hold.length)).containsExactly('{', '}');
    }

    @Test
    void aMessageCountsForWhatARecordOfItsOwnTakes() {
        LogRecord.Hold alone = hold("user.ü", List.of(FIRST));
        assertThat(RecordCodec.recordBytes(7, FIRST.properties().length, FIRST.body().length))
                .isEqualTo(RecordCodec.encode(alone).length);
    }

    @Test
    void anotherVersionOrTypeIsForeign() {
        byte[] bytes = RecordCodec.encode(EPOCH);
        bytes[0] = 1;
        assertThat(RecordCodec.decode(bytes)).isEqualTo(new Decoded.Foreign(1, 3));
        bytes[0] = 2;
        bytes[1] = (byte) 200;
        assertThat(RecordCodec.decode(bytes)).isEqualTo(new Decoded.Foreign(2, 200));
        assertThat(RecordCodec.decode(new byte[] {9})).isEqualTo(new Decoded.Foreign(9, -1));
    }

    @Test
    void everyTruncationIsCorruptAndSaysSo() {
        for (LogRecord record : List.of(HOLD, RELEASE, EPOCH, CHECKPOINT)) {
            byte[] whole = RecordCodec.encode(record);
            for (int length = 0; length < whole.length; length++) {
                assertThat(RecordCodec.decode(Arrays.copyOf(whole, length)))
                        .as("%s cut to %d bytes", record, length)
                        .isInstanceOf(Decoded.Corrupt.class);
            }
            assertThat(RecordCodec.decode(Arrays.copyOf(whole, whole.length + 1)))
                    .isEqualTo(new Decoded.Corrupt("1 bytes follow its end"));
        }
    }

    @Test
    void impossibleContentIsCorrupt() {
        assertThat(corrupt(RecordCodec.encode(HOLD), 2, 0xFF)).contains("epoch is negative");
        assertThat(corrupt(RecordCodec.encode(HOLD), 19, 0)).contains("has no parts");
        assertThat(corrupt(RecordCodec.encode(HOLD), 18, 0xFF)).contains("ends within its parts");
        assertThat(corrupt(RecordCodec.encode(HOLD), 21, 0xFF)).contains("UTF-8");
        assertThat(corrupt(RecordCodec.encode(HOLD), 39, 0)).contains("has no messages");
        assertThat(corrupt(RecordCodec.encode(HOLD), 19, 1)).contains("bytes follow its end");
        assertThat(corrupt(RecordCodec.encode(RELEASE), 18, 0x7F)).contains("ends within its ids");
        byte[] none = Arrays.copyOf(RecordCodec.encode(RELEASE), 22);
        none[21] = 0;
        assertThat(RecordCodec.decode(none)).isEqualTo(new Decoded.Corrupt("a release record has 0 ids"));
        // As of an ordinal that is not before its own.
        assertThat(corrupt(RecordCodec.encode(CHECKPOINT), 18 + 3 * 8 + 7, 200)).contains("as of 200");
    }

    @Test
    void theWriterCannotMakeWhatTheReaderRefuses() {
        assertThatThrownBy(() -> new LogRecord.Part("", List.of(FIRST))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new LogRecord.Part("user." + "ü".repeat(126), List.of(FIRST)))
                .hasMessageContaining("255 bytes");
        assertThatThrownBy(() -> new LogRecord.Part("user.1", List.of())).hasMessageContaining("nothing is held");
        assertThatThrownBy(() -> new LogRecord.Hold(0, 0, List.of())).hasMessageContaining("1 to 65535 messages");
        LogRecord.Part half = new LogRecord.Part("user.1", nothings(32_768));
        assertThatThrownBy(() -> new LogRecord.Hold(0, 0, List.of(half, half)))
                .hasMessageContaining("1 to 65535 messages");
        assertThatThrownBy(() -> new LogRecord.Release(0, 0, new long[0])).hasMessageContaining("at least one id");
        assertThatThrownBy(() -> new LogRecord.Epoch(-1, 0, "a")).hasMessageContaining("0 or more");
        assertThatThrownBy(() -> new HeldMessage(-1, 0, 0, new byte[0], new byte[0]))
                .hasMessageContaining("0 or more");
    }

    @Test
    void noMutationThrowsOrAllocatesBeyondItsInput() {
        long seed = Long.getLong("pushbridge.seed", 20_261_121L);
        Random random = new Random(seed);
        List<byte[]> whole = List.of(
                RecordCodec.encode(HOLD),
                RecordCodec.encode(RELEASE),
                RecordCodec.encode(EPOCH),
                RecordCodec.encode(CHECKPOINT));
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        int survivors = 0;
        for (int i = 0; i < 300_000; i++) {
            byte[] bytes = mutate(random, whole.get(random.nextInt(whole.size())));
            long before = threads.getCurrentThreadAllocatedBytes();
            Decoded decoded;
            try {
                decoded = RecordCodec.decode(bytes);
            } catch (RuntimeException | OutOfMemoryError e) {
                throw new AssertionError("seed " + seed + ", case " + i + ": " + Arrays.toString(bytes), e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            // A length that is believed asks for a GiB on average; what is loaded and linked at first use for a few
            // KiB.
            assertThat(allocated)
                    .as("bytes allocated for %d; seed %d, case %d", bytes.length, seed, i)
                    .isLessThan(4 << 20);
            if (decoded instanceof Decoded.Known known) {
                survivors++;
                assertThat(RecordCodec.encode(known.record()))
                        .as("seed %d, case %d: what is read is all there was", seed, i)
                        .isEqualTo(bytes);
            }
        }
        assertThat(survivors).isBetween(1_000, 299_000);
    }

    private static byte[] mutate(Random random, byte[] whole) {
        byte[] bytes = whole.clone();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            switch (random.nextInt(5)) {
                case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 8));
                case 1 -> {
                    if (bytes.length >= 4) {
                        ByteBuffer.wrap(bytes).putInt(random.nextInt(bytes.length - 3), random.nextInt());
                    }
                }
                case 2 -> {
                    if (bytes.length > 0) {
                        bytes[random.nextInt(bytes.length)] = (byte) (random.nextBoolean() ? 0xFF : 0x7F);
                    }
                }
                default -> {
                    if (bytes.length > 0) {
                        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                    }
                }
            }
        }
        return bytes;
    }

    private static LogRecord.Hold hold(String address, List<HeldMessage> messages) {
        return new LogRecord.Hold(1, 1, List.of(new LogRecord.Part(address, messages)));
    }

    private static LogRecord.Hold back(LogRecord.Hold hold) {
        return (LogRecord.Hold) known(RecordCodec.encode(hold));
    }

    private static List<HeldMessage> nothings(int count) {
        List<HeldMessage> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            messages.add(new HeldMessage(i, i, i, new byte[0], new byte[0]));
        }
        return messages;
    }

    private static LogRecord known(byte[] bytes) {
        return ((Decoded.Known) RecordCodec.decode(bytes)).record();
    }

    private static String corrupt(byte[] bytes, int at, int value) {
        bytes[at] = (byte) value;
        return ((Decoded.Corrupt) RecordCodec.decode(bytes)).reason();
    }
}
