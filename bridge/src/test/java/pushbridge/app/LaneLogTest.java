package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

/** One after the other, since they share the level of a logger. */
@Execution(ExecutionMode.SAME_THREAD)
final class LaneLogTest {

    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Logger logger = (Logger) LoggerFactory.getLogger(LaneLog.class);
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
    private final LaneLog lanes = new LaneLog(); // not started: the test is its thread
    private long now = 1;

    @BeforeEach
    void listen() {
        appender.start();
        logger.addAppender(appender);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(appender);
        logger.setLevel(null);
    }

    /** Since the last time. */
    private List<String> lines() {
        lanes.tell(now);
        List<String> lines = new ArrayList<>();
        appender.list.forEach(event -> lines.add(event.getLevel() + " " + event.getFormattedMessage()));
        appender.list.clear();
        return lines;
    }

    @Test
    void theFirstAfterAQuietMinuteIsToldAtOnceAndThenTheMinute() {
        lanes.held("user.ann", 3, "too slow");
        assertThat(lines())
                .containsExactly("INFO Lanes of connected users: 1 turned to held, the latest user.ann with 3 messages"
                        + " (too slow); 0 are live again, 0 were left by their users");
        lanes.over("user.ann", 17, false);
        lanes.held("user.bob", 1, "too slow");
        now += MINUTE - 1;
        assertThat(lines()).isEmpty();
        now += 1;
        assertThat(lines())
                .containsExactly("INFO Lanes of connected users: 1 turned to held, the latest user.bob with 1 messages"
                        + " (too slow); 1 are live again, 0 were left by their users");
        now += MINUTE;
        assertThat(lines()).isEmpty();
    }

    @Test
    void aMillionLanesAreOneLineAMinute() {
        for (int i = 0; i < 1_000_000; i++) {
            lanes.held("user." + i, 1, "too slow");
        }
        assertThat(lines()).singleElement().asString().contains(": 1000000 turned to held, the latest user.999999 ");
        for (int i = 0; i < 1_000_000; i++) {
            lanes.over("user." + i, 5, i % 2 == 0);
        }
        now += MINUTE;
        assertThat(lines()).singleElement().asString().contains("; 500000 are live again, 500000 were left");
    }

    @Test
    void eachOneIsToldAtDebugWithAddressUserAndReason() {
        logger.setLevel(Level.DEBUG);
        lanes.held("user.ann", 3, "too slow");
        lanes.over("user.ann", 17, false);
        lanes.tell(now);
        assertThat(appender.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .startsWith(
                        "The lane of user.ann is held, with 3 messages, though somebody is connected: too slow",
                        "The lane of user.ann is live again after 17 ms");
        assertThat(appender.list.get(0).getKeyValuePairs())
                .contains(new KeyValuePair("user", "ann"), new KeyValuePair("reason", "too slow"));
    }
}
