package pushbridge.hold;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The price of a held message (I5). */
final class HeldIndexMemoryTest {

    private static final int MESSAGES = 1_000_000;
    private static final byte[] NOTHING = {};

    @Test
    void aMillionMessagesForAMillionAddressesTake150BytesEachAndGiveThemBack() {
        HeldIndex index = new HeldIndex();
        long before = usedHeap();
        fill(index);
        long computed = index.heapBytes();
        long measured = usedHeap() - before;
        System.out.printf(
                "a held message takes %.1f bytes of heap (measured %.1f)%n",
                (double) computed / MESSAGES, (double) measured / MESSAGES);
        assertThat(computed).isLessThanOrEqualTo(150L * MESSAGES);
        // What else runs in this machine is measured with it.
        assertThat(measured).isLessThan(250L * MESSAGES);

        long offset = index.lastOffset();
        for (int id = 0; id < MESSAGES; id++) {
            index.apply(++offset, new LogRecord.Release(1, offset, new long[] {id}));
            if (id == MESSAGES / 2) {
                assertThat(index.heapBytes()).as("with half of them left").isLessThan(90L * MESSAGES);
            }
        }
        assertThat(index.heapBytes()).as("with none left").isLessThan(1_000_000);
    }

    private static void fill(HeldIndex index) {
        index.apply(0, new LogRecord.Epoch(1, 0, "node"));
        for (int id = 0; id < MESSAGES; id++) {
            HeldMessage message = new HeldMessage(id, id, id * 31L, NOTHING, NOTHING);
            String address = "user." + String.format("%06d", id);
            index.apply(
                    id + 1L, new LogRecord.Hold(1, id + 1L, List.of(new LogRecord.Part(address, List.of(message)))));
        }
        assertThat(index.lanes()).isEqualTo(MESSAGES);
    }

    private static long usedHeap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
