package pushbridge.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import pushbridge.config.ConfigLoader;
import pushbridge.letters.LetterJson;
import tools.jackson.databind.JsonNode;

@Command(
        name = "show",
        description = "Shows what is held for one address: each message, when it was held, until when, and why.")
final class HeldShowCommand extends BridgeCommand {

    @Parameters(index = "0", paramLabel = "ADDRESS", description = "Such as user.42.")
    String address = "";

    @Option(names = "--limit", paramLabel = "N", description = "At most so many (1 to 100; default 20).")
    int limit = 20;

    @Option(names = "--after", paramLabel = "ID", description = "Goes on behind this one.")
    @Nullable
    String after;

    @Option(names = "--json", description = "Prints the answer as one line of JSON.")
    boolean json;

    HeldShowCommand(ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        JsonNode details = bridge.get("/api/held/address?address=" + AdminClient.encoded(address) + "&limit=" + limit
                + (after == null ? "" : "&after=" + AdminClient.encoded(after)));
        if (json) {
            out().println(LetterJson.line(details));
        } else {
            print(HeldView.now().details(details));
        }
        return ExitCode.OK;
    }
}
