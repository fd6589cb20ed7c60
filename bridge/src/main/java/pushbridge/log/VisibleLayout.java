package pushbridge.log;

import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;

/**
 * A pattern layout that sees of each event only {@linkplain VisibleText visible text}, whatever its pattern and whoever
 * logged it, our own code and libraries. So no call can forget it: an event is one line, and the lines of a stack trace
 * begin with what only a stack trace begins with.
 */
public final class VisibleLayout extends PatternLayout {

    @Override
    public String doLayout(ILoggingEvent event) {
        return super.doLayout(new VisibleEvent(event));
    }
}
