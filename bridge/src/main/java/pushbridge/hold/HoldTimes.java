package pushbridge.hold;

import java.util.Arrays;

/**
 * When messages came to be held, by their ids. The index has no room for a time a message, but ids only go up, so whatever
 * has a lower id than one that was seen at some time was held by then. A few thousand of such sights are kept; when they are
 * too many every second one goes, so what a day of holding is told to is about 20 seconds. Same thread as the index.
 */
public final class HoldTimes {

    /** 64 KiB of heap. An even number. */
    private static final int MOST = 4096;

    private final long[] ids = new long[MOST];
    private final long[] millis = new long[MOST];
    private int count;
    /** When what the last sight stands for began. */
    private long beganMillis;

    private long stepMillis = 1_000;

    /**
     * A record with a message of this id was written at this time.
     *
     * @param writtenMillis in milliseconds since 1970
     */
    public void saw(long id, long writtenMillis) {
        if (count > 0 && id <= ids[count - 1]) {
            return;
        }
        if (count > 0 && writtenMillis < beganMillis + stepMillis) {
            ids[count - 1] = id;
            millis[count - 1] = Math.max(millis[count - 1], writtenMillis);
            return;
        }
        if (count == MOST) {
            // The later of two neighbours stays: it is true of what the other one stood for, too.
            for (int i = 0; i < MOST / 2; i++) {
                ids[i] = ids[2 * i + 1];
                millis[i] = millis[2 * i + 1];
            }
            count = MOST / 2;
            stepMillis *= 2;
        }
        ids[count] = id;
        millis[count] = writtenMillis;
        beganMillis = writtenMillis;
        count++;
    }

    /**
     * By when a message was held at the latest, in milliseconds since 1970. It may have been earlier: by a second or some,
     * or, when this process has only read a copy of its record, by as much as the copy is younger.
     *
     * @param nowMillis the answer when nothing is known
     */
    public long heldBy(long id, long nowMillis) {
        int at = Arrays.binarySearch(ids, 0, count, id);
        int first = at < 0 ? -at - 1 : at;
        return first == count ? nowMillis : Math.min(nowMillis, millis[first]);
    }
}
