package pushbridge.cli;

import java.io.PrintWriter;
import pushbridge.letters.LetterView;
import pushbridge.letters.Progress;
import pushbridge.log.Terminal;

/** Drawn over itself, so that it stays one line. */
final class ProgressBar implements Progress {
    private static final long NANOS = 100_000_000;

    private final PrintWriter err;
    private final String what;
    private long nextNanos = System.nanoTime() + NANOS;
    private boolean drawn;

    private ProgressBar(PrintWriter err, String what) {
        this.err = err;
        this.what = what;
    }

    /** One where somebody sees it. */
    static Progress on(PrintWriter err, String what) {
        return Terminal.isThere() ? new ProgressBar(err, what) : Progress.NONE;
    }

    @Override
    public boolean at(long done, long of) {
        long now = System.nanoTime();
        if (now - nextNanos > 0 || (drawn && done == of)) {
            nextNanos = now + NANOS;
            drawn = true;
            err.print("\r" + what + " " + LetterView.bar(done, of) + (done == of ? "\n" : ""));
            err.flush();
        }
        return true;
    }
}
