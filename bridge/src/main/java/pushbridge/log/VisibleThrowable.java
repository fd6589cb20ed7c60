package pushbridge.log;

import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An exception whose messages, and those of its causes, are visible and bounded. */
final class VisibleThrowable implements IThrowableProxy {

    private final IThrowableProxy thrown;
    private final int longest;

    VisibleThrowable(IThrowableProxy thrown, int longest) {
        this.thrown = thrown;
        this.longest = longest;
    }

    @Override
    public @Nullable String getMessage() {
        return text(thrown.getMessage());
    }

    @Override
    public @Nullable String getOverridingMessage() {
        return text(thrown.getOverridingMessage());
    }

    private @Nullable String text(@Nullable String text) {
        return text == null ? null : VisibleText.of(text, longest);
    }

    @Override
    public String getClassName() {
        return thrown.getClassName();
    }

    @Override
    public StackTraceElementProxy[] getStackTraceElementProxyArray() {
        return thrown.getStackTraceElementProxyArray();
    }

    @Override
    public int getCommonFrames() {
        return thrown.getCommonFrames();
    }

    @Override
    public @Nullable IThrowableProxy getCause() {
        IThrowableProxy cause = thrown.getCause();
        return cause == null ? null : new VisibleThrowable(cause, longest);
    }

    @Override
    public IThrowableProxy @Nullable [] getSuppressed() {
        IThrowableProxy[] suppressed = thrown.getSuppressed();
        return suppressed == null
                ? null
                : Arrays.stream(suppressed)
                        .map(one -> new VisibleThrowable(one, longest))
                        .toArray(IThrowableProxy[]::new);
    }

    @Override
    public boolean isCyclic() {
        return thrown.isCyclic();
    }
}
