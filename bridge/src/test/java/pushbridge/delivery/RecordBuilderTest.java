package pushbridge.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import pushbridge.hold.HeldMessage;
import pushbridge.hold.LogRecord;

final class RecordBuilderTest {

    private final RecordBuilder record = new RecordBuilder(7);

    @Test
    void itHasAThousandMessagesAtMost() {
        for (int id = 0; id < 998; id++) {
            record.add("user." + id, message(id), 10);
        }
        assertThat(record.hasRoomFor(2, 10)).isTrue();
        assertThat(record.hasRoomFor(3, 10)).isFalse();
    }

    @Test
    void itHas64KiBAtMostButOneMessageAlwaysFits() { // I5
        assertThat(record.hasRoomFor(1, 1 << 20)).isTrue();
        record.add("user.a", message(1), 65_000);
        assertThat(record.hasRoomFor(1, 536)).isTrue();
        assertThat(record.hasRoomFor(1, 537)).isFalse();
    }

    @Test
    void whatFollowsForTheSameAddressJoinsItsPart() {
        record.add("user.a", message(1), 10);
        record.add("user.a", message(2), 10);
        record.add("user.b", message(3), 10);

        assertThat(record.build(5))
                .usingRecursiveComparison()
                .isEqualTo(new LogRecord.Hold(
                        5,
                        7,
                        List.of(
                                new LogRecord.Part("user.a", List.of(message(1), message(2))),
                                new LogRecord.Part("user.b", List.of(message(3))))));
    }

    private static HeldMessage message(long id) {
        return new HeldMessage(id, 0, 0, new byte[0], new byte[0]);
    }
}
