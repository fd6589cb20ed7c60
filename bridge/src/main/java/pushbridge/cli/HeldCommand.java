package pushbridge.cli;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import pushbridge.config.ConfigLoader;
import pushbridge.letters.LetterJson;
import tools.jackson.databind.JsonNode;

/** The command {@code held} and those below it: alone it says how much waits, and for whom most. */
@Command(
        name = "held",
        description = {
            "Messages that wait for their readers: how many, for whom, and what becomes of them. Asks the running bridge.",
            "Alone it says how many there are in all, and the ten addresses with most."
        },
        footer = {
            "",
            "At three in the morning:",
            "  pushbridge held                          how many wait, and for whom most of them",
            "  pushbridge held show user.42             each message of one address, and why it waits",
            "  pushbridge held dead-letter user.42      what would go to push.dead; --yes does it"
        })
final class HeldCommand extends BridgeCommand {
    private static final int MOST_SHOWN = 10;

    @Option(
            names = "--by",
            paramLabel = "ORDER",
            description = "The first ten by messages, age (held longest) or expiry (expire first); messages without.")
    String by = "messages";

    @Option(names = "--json", description = "Prints the answer as one line of JSON.")
    boolean json;

    HeldCommand(ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
    }

    /** With everything below it. */
    static CommandLine with(ConfigLoader loader, Map<String, String> environment) {
        return new CommandLine(new HeldCommand(loader, environment))
                .addSubcommand(new HeldListCommand(loader, environment))
                .addSubcommand(new HeldShowCommand(loader, environment))
                .addSubcommand(new HeldActionCommand.Release(loader, environment))
                .addSubcommand(new HeldActionCommand.Drop(loader, environment))
                .addSubcommand(new HeldActionCommand.DeadLetter(loader, environment));
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        JsonNode page = bridge.get("/api/held/addresses?limit=" + MOST_SHOWN + "&by=" + AdminClient.encoded(by));
        if (json) {
            out().println(LetterJson.line(page));
        } else {
            print(HeldView.now().summary(page));
        }
        return ExitCode.OK;
    }
}
