package pushbridge.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class LoggingTest {

    @Test
    void librariesOnJavaUtilLoggingAreQuietAtTheirSource() {
        // Reads logback.xml, whose listener passes the levels on.
        assertThat(LoggerFactory.getLogger(LoggingTest.class).isInfoEnabled()).isTrue();
        assertThat(Logger.getLogger("org.glassfish.grizzly.http.server.NetworkListener")
                        .isLoggable(Level.INFO))
                .isFalse();
        assertThat(Logger.getLogger("org.glassfish.tyrus.server.Server").isLoggable(Level.WARNING))
                .isTrue();
        // Writes a stack trace at WARNING for what any client can cause.
        assertThat(Logger.getLogger("org.glassfish.tyrus.core.TyrusEndpointWrapper")
                        .isLoggable(Level.WARNING))
                .isFalse();
    }
}
