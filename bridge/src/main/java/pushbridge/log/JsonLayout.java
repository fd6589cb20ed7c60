package pushbridge.log;

import ch.qos.logback.classic.pattern.ThrowableProxyConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.LayoutBase;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.event.KeyValuePair;
import tools.jackson.databind.json.JsonMapper;

/**
 * An event as one JSON object on one line: time, level, logger, thread, message, what else the caller named (session, user,
 * address, message_id, …), and the stack trace. Of each event it sees only {@linkplain VisibleText visible text}.
 */
final class JsonLayout extends LayoutBase<ILoggingEvent> {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final ThrowableProxyConverter traces = new ThrowableProxyConverter();

    @Override
    public void start() {
        traces.start();
        super.start();
    }

    @Override
    public String doLayout(ILoggingEvent unseen) {
        ILoggingEvent event = new VisibleEvent(unseen);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", Instant.ofEpochMilli(event.getTimeStamp()).toString());
        line.put("level", event.getLevel().toString());
        line.put("logger", event.getLoggerName());
        line.put("thread", event.getThreadName());
        line.put("message", event.getFormattedMessage());
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        if (pairs != null) {
            pairs.forEach(pair -> line.putIfAbsent(pair.key, pair.value));
        }
        if (event.getThrowableProxy() != null) {
            line.put("exception", traces.convert(event));
        }
        return JSON.writeValueAsString(line) + "\n";
    }
}
