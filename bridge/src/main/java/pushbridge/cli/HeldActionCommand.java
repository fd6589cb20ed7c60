package pushbridge.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import pushbridge.config.ConfigLoader;
import pushbridge.letters.LetterJson;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** What can be done with what is held for some addresses. */
abstract sealed class HeldActionCommand extends BridgeCommand {
    private final String action;

    @Parameters(arity = "0..*", paramLabel = "ADDRESS", description = "These, such as user.42 or user.4*.")
    List<String> addresses = new ArrayList<>();

    @Mixin
    HeldFilterOptions filter = new HeldFilterOptions();

    @Option(names = "--all", description = "Every address.")
    boolean all;

    @Option(
            names = "--up-to",
            paramLabel = "ID",
            description = "Not what came later than this message, as a run without --yes names it.")
    @Nullable
    String upTo;

    @Option(names = "--yes", description = "Does it; without it nothing is done and it is only said what would be.")
    boolean yes;

    @Option(names = "--json", description = "Prints the answer as one line of JSON.")
    boolean json;

    private HeldActionCommand(String action, ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
        this.action = action;
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        ObjectNode body = LetterJson.object();
        if (!addresses.isEmpty()) {
            addresses.forEach(body.putArray("addresses")::add);
        }
        if (filter.olderThan != null) {
            body.put("olderThan", filter.olderThan);
        }
        if (filter.atLeast != null) {
            body.put("atLeast", filter.atLeast);
        }
        if (all) {
            body.put("all", true);
        }
        if (upTo != null) {
            body.put("upTo", upTo);
        }
        body.put("dryRun", !yes);
        AnswerReader reader = new AnswerReader(ProgressBar.on(err(), yes ? "Working" : "Counting"));
        bridge.stream("/api/held/" + action, body, reader);
        JsonNode outcome = reader.result();
        print(json ? List.of(LetterJson.line(outcome)) : HeldView.now().outcome(outcome));
        return HeldView.isWhole(outcome) ? ExitCode.OK : ExitCode.DIFFERENT;
    }

    @Command(
            name = "release",
            description = {
                "Offers what waits for some addresses once more, from the first message on, to every connection that is"
                        + " there, and lets it go past all others that wait to be read. It stays held until it is confirmed.",
                "Pages with the client library drop what they have handled already; plain ones see it twice. For who is"
                        + " away nothing changes: they get everything when they come back, without this."
            })
    static final class Release extends HeldActionCommand {
        Release(ConfigLoader loader, Map<String, String> environment) {
            super("release", loader, environment);
        }
    }

    @Command(
            name = "drop",
            description =
                    "Forgets what is held for some addresses, for good. Their later messages are delivered as usual.")
    static final class Drop extends HeldActionCommand {
        Drop(ConfigLoader loader, Map<String, String> environment) {
            super("drop", loader, environment);
        }
    }

    @Command(
            name = "dead-letter",
            description = {
                "Moves what is held for some addresses to push.dead, in order, each message once its copy there is safe."
                        + " The reason is offline, and the detail says who did it.",
                "From there 'pushbridge dead-letters' replays, exports or discards it."
            })
    static final class DeadLetter extends HeldActionCommand {
        DeadLetter(ConfigLoader loader, Map<String, String> environment) {
            super("dead-letter", loader, environment);
        }
    }
}
