package pushbridge;

import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import pushbridge.app.LettersOnce;
import pushbridge.app.PublishOnce;
import pushbridge.app.ServeProcess;
import pushbridge.app.TopologyOnce;
import pushbridge.cli.Cli;

/** Entry point of the {@code pushbridge} command. */
public final class Main {
    private Main() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] args) {
        // First, because Grizzly and Tyrus log through java.util.logging from their first line on.
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        // Java's own handler would write the exception's message as it is.
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> LoggerFactory.getLogger(Main.class)
                .error("The thread {} has ended, which it should not", thread.getName(), e));
        Cli cli = new Cli(ServeProcess::run, PublishOnce::publish, TopologyOnce::check, LettersOnce::open);
        System.exit(cli.run(args, System.getenv(), System.out, System.err));
    }
}
