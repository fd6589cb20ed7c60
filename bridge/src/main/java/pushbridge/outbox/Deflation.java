package pushbridge.outbox;

import java.util.Arrays;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * Compresses one message by itself (RFC 7692 section 7.2.1), so that the result may go to every connection that
 * understands it: none of them shares a window with its past.
 */
final class Deflation {

    /** What ends each flush and is left out of a message. */
    private static final int TAIL = 4;

    /** One a thread, since it takes a quarter of a megabyte outside the heap and the selectors are few. */
    private static final ThreadLocal<Deflater> DEFLATER =
            ThreadLocal.withInitial(() -> new Deflater(Deflater.BEST_SPEED, true));

    private Deflation() {}

    /**
     * The payload compressed.
     *
     * @return null when that is not shorter
     */
    static byte @Nullable [] compress(byte[] from, int offset, int length) {
        Deflater deflater = DEFLATER.get();
        deflater.reset();
        deflater.setInput(from, offset, length);
        byte[] target = new byte[length + TAIL];
        int size = deflater.deflate(target, 0, target.length, Deflater.SYNC_FLUSH);
        // A full target may mean that there is more, and is not shorter anyway.
        if (size == target.length || size - TAIL >= length) {
            return null;
        }
        return Arrays.copyOf(target, size - TAIL);
    }
}
