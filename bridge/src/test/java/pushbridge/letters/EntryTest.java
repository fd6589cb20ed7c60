package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class EntryTest {

    private static Entry entry(long failedAtMillis, long copyNumber, int arrival) {
        return new Entry(
                arrival,
                failedAtMillis,
                copyNumber,
                arrival,
                "offline",
                "",
                "user.ann",
                "n",
                2,
                new Entry.Place(arrival, 0, 0));
    }

    @Test
    void thoseOfOneMillisecondStandAsTheirBridgeCopiedThem() { // as numbers: 10 comes behind 9
        List<Entry> inOrder = new ArrayList<>();
        for (int number = 1; number <= 1_000; number++) {
            inOrder.add(entry(5_000, number, 2_000 - number)); // though RabbitMQ gives them back the other way round
        }
        List<Entry> entries = new ArrayList<>(inOrder);
        Collections.shuffle(entries, new Random(1));
        entries.sort(Entry.ORDER);
        assertThat(entries).isEqualTo(inOrder);
    }

    @Test
    void thoseThatNoBridgeCountedStandAsTheyCame() {
        Entry first = entry(5_000, 0, 1);
        Entry second = entry(5_000, 0, 2);
        List<Entry> entries = new ArrayList<>(List.of(second, first));
        entries.sort(Entry.ORDER);
        assertThat(entries).containsExactly(first, second);
    }
}
