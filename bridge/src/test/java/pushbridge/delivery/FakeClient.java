package pushbridge.delivery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.outbox.Frame;

/**
 * A client and its socket in one: takes what the loop offers, up to a number of frames, and reads and confirms when the
 * test says so.
 */
final class FakeClient implements FrameSink {

    /** Answers that fit beyond the capacity. */
    static final int REPLIES = 2;

    private final List<Frame> outbox = new ArrayList<>();
    /** The texts of all frames that were read, in order. */
    final List<String> read = new ArrayList<>();

    private int capacity = Integer.MAX_VALUE;
    private boolean refused;
    private boolean blocked = true;
    private long written;
    private int flushes;
    private int offered;

    @Nullable
    CloseCode closedWith;

    /** The first frame, which is no message; null for a client without acknowledgements. */
    @Nullable
    String welcome;

    @Nullable
    SessionReports session;

    @Override
    public boolean offer(Frame frame) {
        if (closedWith != null) {
            return false;
        }
        if (outbox.size() >= capacity) {
            refused = true;
            return false;
        }
        outbox.add(frame);
        offered++;
        return true;
    }

    @Override
    public boolean reply(Frame frame) {
        if (textOf(frame).contains("bridge.welcome")) {
            welcome = textOf(frame);
            return true;
        }
        if (closedWith != null || outbox.size() - REPLIES >= capacity) {
            return false;
        }
        outbox.add(frame);
        return true;
    }

    @Override
    public long pendingBytes() {
        return outbox.stream().mapToLong(Frame::size).sum();
    }

    @Override
    public void flush() {
        flushes++;
    }

    @Override
    public long written() {
        return written;
    }

    @Override
    public boolean isBlocked() {
        return blocked;
    }

    /** Whether it is the client that what waits here waits for, as it is at first; otherwise it is the bridge. */
    void blocked(boolean byClient) {
        blocked = byClient;
    }

    @Override
    public void close(CloseCode code) {
        if (closedWith == null) {
            closedWith = code;
            outbox.clear();
            session().closed();
        }
    }

    /** The browser tab is gone. */
    void leave() {
        outbox.clear();
        session().closed();
    }

    void capacity(int frames) {
        capacity = frames;
    }

    int flushes() {
        return flushes;
    }

    /** Frames taken from the loop so far. */
    int offered() {
        return offered;
    }

    int waiting() {
        return outbox.size();
    }

    /** Reads up to so many frames off the outbox, as the kernel would; tells the loop when it had been refused. */
    void read(int frames) {
        for (int i = 0; i < frames && !outbox.isEmpty(); i++) {
            Frame frame = outbox.remove(0);
            if (frame.isEnvelope()) {
                written++;
            }
            read.add(textOf(frame));
        }
        if (refused && outbox.size() < capacity) {
            refused = false;
            session().progressed();
        }
    }

    void readAll() {
        read(Integer.MAX_VALUE);
    }

    /** Says that it has all it has read. */
    void confirmRead() {
        session().confirmed(written);
    }

    void readAndConfirm() {
        readAll();
        confirmRead();
    }

    SessionReports session() {
        if (session == null) {
            throw new IllegalStateException("not connected");
        }
        return session;
    }

    /** The payload of a short unmasked frame (RFC 6455 section 5.2). */
    static String textOf(Frame frame) {
        byte[] bytes = new byte[frame.size()];
        frame.bytes().get(bytes);
        int header = bytes[1] == 126 ? 4 : 2;
        return new String(bytes, header, bytes.length - header, StandardCharsets.UTF_8);
    }
}
