package pushbridge.cli;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigLoader;
import pushbridge.log.VisibleText;
import tools.jackson.databind.JsonNode;

@Command(
        name = "held",
        description = {
            "Lists the messages that wait for their readers, those in front that are longest in the held log.",
            "Asks the running bridge. The last line says how many there are in all, and how to see the next."
        })
final class HeldCommand implements Callable<Integer> {
    private static final int LONGEST_ADDRESS = 255;

    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many, 1 to 1000; 100 without.")
    int limit = 100;

    @Option(names = "--after", paramLabel = "ID", description = "Those behind this one.")
    @Nullable
    Long after;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    HeldCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws Exception {
        JsonNode answer = admin.client(loader, environment)
                .get("/api/held?limit=" + limit + (after == null ? "" : "&after=" + after));
        var out = Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
        for (JsonNode held : answer.path("page")) {
            out.printf(
                    "%s  expires %s  %d bytes  %s%n",
                    held.path("id").asString(),
                    held.path("expires").asString(),
                    held.path("bytes").asInt(),
                    VisibleText.of(held.path("address").asString(), LONGEST_ADDRESS));
        }
        out.printf(
                "%d messages for %d addresses, %d bytes; the oldest record was written %d s ago%s%n",
                answer.path("messages").asLong(),
                answer.path("addresses").asLong(),
                answer.path("bytes").asLong(),
                answer.path("oldestSeconds").asLong(),
                answer.has("next") ? "; next: --after " + answer.path("next").asString() : "");
        out.flush();
        return ExitCode.OK.number();
    }
}
