package pushbridge.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class RepeatLimitTest {

    private final List<String> lines = new ArrayList<>();
    private final LoggerContext context = new LoggerContext();
    private long now = 5;
    private final RepeatLimit limit = new RepeatLimit(() -> now);
    private final Logger log = context.getLogger("some.Class");

    RepeatLimitTest() {
        AppenderBase<ILoggingEvent> end = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                lines.add(event.getLevel() + " " + event.getFormattedMessage());
            }
        };
        end.setContext(context);
        end.start();
        limit.setContext(context);
        end.addFilter(limit); // not started, so it has no timer: the test is the clock
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.INFO);
        root.addAppender(end);
    }

    @Test
    void theFirstTenOfAMinuteAreShownAndTheRestAreCounted() {
        for (int i = 0; i < 542; i++) {
            log.warn("user {} reads slowly", i);
        }
        log.warn("something else");
        assertThat(lines)
                .hasSize(11)
                .startsWith("WARN user 0 reads slowly")
                .endsWith("WARN user 9 reads slowly", "WARN something else");

        now += TimeUnit.SECONDS.toNanos(RepeatLimit.WINDOW_SECONDS);
        limit.tell();
        log.info("time has passed");
        assertThat(lines.subList(11, lines.size()))
                .containsExactly(
                        "WARN … 532 more like this in the last 60 s: user {} reads slowly", "INFO time has passed");
        log.warn("user {} reads slowly", "x");
        assertThat(lines).endsWith("WARN user x reads slowly");
    }

    @Test
    void tenAlikeAreNoReasonForAnotherLine() {
        for (int i = 0; i < RepeatLimit.SHOWN; i++) {
            log.warn("again");
        }
        now += TimeUnit.SECONDS.toNanos(RepeatLimit.WINDOW_SECONDS);
        limit.tell();
        assertThat(lines).hasSize(RepeatLimit.SHOWN);
    }

    @Test
    void sentencesMadeElsewhereAreToldApartByWhatTheySay() {
        for (int i = 0; i < 20; i++) {
            log.warn("{}", "sentence " + i);
        }
        assertThat(lines).hasSize(20);
    }

    @Test
    void whatOperatorsDoIsToldInFull() {
        for (int i = 0; i < 30; i++) {
            context.getLogger("pushbridge.admin.Audit").info("who={}", i);
        }
        assertThat(lines).hasSize(30);
    }

    @Test
    void soManyKindsAsThereCanBeAreRememberedAndTheOthersShown() {
        for (int i = 0; i < 3_000; i++) {
            log.info("kind " + i);
        }
        assertThat(lines).hasSize(3_000);
    }
}
