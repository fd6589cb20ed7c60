package pushbridge.letters;

import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of each letter while the queue is read; the rest lies in a file.
 *
 * @param id the 48 bits of the letter's id
 * @param failedAtMillis when it became a letter
 * @param copyNumber counts the copies of one bridge, for those of the same millisecond; 0 when unknown
 * @param arrival counts in the order of the queue
 * @param reason a slug
 * @param detail shared with others that say the same
 * @param bodyBytes length of the body
 * @param place where to find it again; for whoever made it
 */
public record Entry(
        long id,
        long failedAtMillis,
        long copyNumber,
        int arrival,
        String reason,
        String detail,
        @Nullable String address,
        @Nullable String type,
        int bodyBytes,
        Place place) {

    /**
     * Where a letter is.
     *
     * @param tag the delivery tag
     * @param position of its bytes in the file
     * @param length of its bytes in the file
     */
    public record Place(long tag, long position, int length) {}

    /**
     * As they failed. That is the order of the queue, too, unless somebody was killed while reading more than one window
     * of it; then it is better.
     */
    public static final Comparator<Entry> ORDER = Comparator.comparingLong(Entry::failedAtMillis)
            .thenComparingLong(Entry::copyNumber)
            .thenComparingInt(Entry::arrival);

    /** Twelve hexadecimal digits. */
    public static String text(long id) {
        return "%012x".formatted(id);
    }

    String idText() {
        return text(id);
    }
}
