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

@Command(name = "list", description = "Lists addresses that messages are held for.")
final class HeldListCommand extends BridgeCommand {

    @Parameters(arity = "0..*", paramLabel = "ADDRESS", description = "Only these, such as user.42 or user.4*.")
    List<String> addresses = new ArrayList<>();

    @Mixin
    HeldFilterOptions filter = new HeldFilterOptions();

    @Option(
            names = "--by",
            paramLabel = "ORDER",
            description =
                    "Most messages first (messages, the default), held longest (age), or first to expire (expiry).")
    String by = "messages";

    @Option(names = "--limit", paramLabel = "N", description = "At most so many (1 to 1000; default 50).")
    int limit = 50;

    @Option(names = "--after", paramLabel = "PLACE", description = "Goes on behind a page, as its last line says.")
    @Nullable
    String after;

    @Option(names = "--json", description = "Prints each address as a line of JSON.")
    boolean json;

    HeldListCommand(ConfigLoader loader, Map<String, String> environment) {
        super(loader, environment);
    }

    @Override
    ExitCode run(AdminClient bridge) throws AdminClient.Failed, InterruptedException {
        StringBuilder query = new StringBuilder("?limit=" + limit + "&by=" + AdminClient.encoded(by));
        addresses.forEach(address -> query.append("&address=").append(AdminClient.encoded(address)));
        if (filter.olderThan != null) {
            query.append("&older-than=").append(AdminClient.encoded(filter.olderThan));
        }
        if (filter.atLeast != null) {
            query.append("&at-least=").append(filter.atLeast);
        }
        if (after != null) {
            query.append("&after=").append(AdminClient.encoded(after));
        }
        JsonNode page = bridge.get("/api/held/addresses" + query);
        if (json) {
            page.path("page").forEach(address -> out().println(LetterJson.line(address)));
        } else {
            print(HeldView.now().list(page));
        }
        return ExitCode.OK;
    }
}
