package pushbridge.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggerContextVO;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/** An event of which every text is visible and bounded. */
final class VisibleEvent implements ILoggingEvent {

    /** Ours are shorter, but for what a client or RabbitMQ wrote into them. */
    private static final int LONGEST_MESSAGE = 4096;

    private static final int LONGEST_NAME = 200;

    private final ILoggingEvent event;

    VisibleEvent(ILoggingEvent event) {
        this.event = event;
    }

    @Override
    public String getFormattedMessage() {
        return text(event.getFormattedMessage(), LONGEST_MESSAGE);
    }

    @Override
    public String getMessage() {
        return text(event.getMessage(), LONGEST_MESSAGE);
    }

    @Override
    public @Nullable IThrowableProxy getThrowableProxy() {
        IThrowableProxy thrown = event.getThrowableProxy();
        return thrown == null ? null : new VisibleThrowable(thrown, LONGEST_MESSAGE);
    }

    @Override
    public String getThreadName() {
        return text(event.getThreadName(), LONGEST_NAME);
    }

    @Override
    public String getLoggerName() {
        return text(event.getLoggerName(), LONGEST_NAME);
    }

    /** As texts: a pattern could show them. */
    @Override
    public Object @Nullable [] getArgumentArray() {
        Object[] arguments = event.getArgumentArray();
        if (arguments == null) {
            return null;
        }
        Object[] visible = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            visible[i] = text(String.valueOf(arguments[i]), LONGEST_MESSAGE);
        }
        return visible;
    }

    @Override
    public Map<String, String> getMDCPropertyMap() {
        return event.getMDCPropertyMap().entrySet().stream()
                .collect(Collectors.toMap(
                        entry -> text(entry.getKey(), LONGEST_NAME), entry -> text(entry.getValue(), LONGEST_NAME)));
    }

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // logback's own name for it
    public Map<String, String> getMdc() {
        return getMDCPropertyMap();
    }

    @Override
    public @Nullable List<KeyValuePair> getKeyValuePairs() {
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        return pairs == null
                ? null
                : pairs.stream()
                        .map(pair -> new KeyValuePair(
                                text(pair.key, LONGEST_NAME), text(String.valueOf(pair.value), LONGEST_MESSAGE)))
                        .toList();
    }

    private static String text(@Nullable String text, int longest) {
        return text == null ? "null" : VisibleText.of(text, longest);
    }

    // What comes from no text -----------------------------------------------------------------------------------------

    @Override
    public Level getLevel() {
        return event.getLevel();
    }

    @Override
    public LoggerContextVO getLoggerContextVO() {
        return event.getLoggerContextVO();
    }

    @Override
    public StackTraceElement[] getCallerData() {
        return event.getCallerData();
    }

    @Override
    public boolean hasCallerData() {
        return event.hasCallerData();
    }

    @Override
    public @Nullable List<Marker> getMarkerList() {
        return event.getMarkerList();
    }

    @Override
    public long getTimeStamp() {
        return event.getTimeStamp();
    }

    @Override
    public int getNanoseconds() {
        return event.getNanoseconds();
    }

    @Override
    public long getSequenceNumber() {
        return event.getSequenceNumber();
    }

    @Override
    public void prepareForDeferredProcessing() {
        event.prepareForDeferredProcessing();
    }
}
