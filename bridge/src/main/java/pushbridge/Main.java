package pushbridge;

import org.slf4j.bridge.SLF4JBridgeHandler;
import pushbridge.cli.Cli;
import pushbridge.cli.ExitCode;
import pushbridge.cli.Publisher;

/** Entry point of the {@code pushbridge} command. */
public final class Main {
    private Main() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] args) {
        // First, because Grizzly and Tyrus log through java.util.logging from their first line on.
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        Cli cli = new Cli(
                config -> {
                    System.err.println("pushbridge: serve is not part of this build");
                    return ExitCode.UNAVAILABLE;
                },
                (amqp, request) ->
                        new Publisher.Result(Publisher.Outcome.UNREACHABLE, "publish is not part of this build"));
        System.exit(cli.run(args, System.getenv(), System.out, System.err));
    }
}
