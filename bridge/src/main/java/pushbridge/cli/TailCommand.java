package pushbridge.cli;

import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigLoader;
import pushbridge.log.VisibleText;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "tail",
        description = {
            "Shows live what happens to the messages of an address: received, offered to which connection, delivered how,",
            "held why, dead-lettered why. The first lines say how it stands now. Asks the running bridge, and costs it nothing",
            "while nobody does. Ctrl-C ends it.",
            "For example: pushbridge tail user.42 'channel.*'"
        },
        footer = {
            "",
            "seq, type and message id are the publisher's. With --json each message has also its delivery (generation and tag) and",
            "its number in the held log. Payloads are not shown."
        })
final class TailCommand implements Callable<Integer> {

    private static final int LONGEST = 300;

    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Parameters(
            arity = "1..16",
            paramLabel = "ADDRESS",
            description = "Such as user.42, channel.news, connection.<id>, all; * stands for any characters.")
    List<String> addresses = List.of();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Ends after so many events; 0 shows only how it stands now.")
    int limit = -1;

    @Option(names = "--json", description = "One JSON object a line.")
    boolean json;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private int seen;

    TailCommand(ConfigLoader loader, Map<String, String> environment) {
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws Exception {
        CommandLine commandLine = Objects.requireNonNull(spec, "set by picocli").commandLine();
        if (limit < -1) {
            throw new ParameterException(commandLine, "--limit must not be negative");
        }
        AdminClient client = admin.client(loader, environment);
        String query = addresses.stream()
                .map(address -> "address=" + URLEncoder.encode(address, StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        PrintWriter out = commandLine.getOut();
        client.stream("/api/tail?" + query, line -> {
            if (line.isEmpty()) {
                return true; // says that the bridge is still there
            }
            show(line, out);
            out.flush();
            return limit < 0 || seen++ < limit;
        });
        if (limit >= 0 && seen > limit) {
            return ExitCode.OK.number();
        }
        throw new AdminClient.Failed(ExitCode.UNAVAILABLE, "the bridge has ended the stream; is it stopping?");
    }

    private void show(String line, PrintWriter out) throws AdminClient.Failed {
        if (json) {
            out.println(line);
            return;
        }
        JsonNode event;
        try {
            event = JsonMapper.shared().readTree(line);
        } catch (JacksonException e) {
            throw new AdminClient.Failed(
                    ExitCode.UNAVAILABLE, "what answers there is no bridge: its answer is not JSON");
        }
        if (event.has("error")) {
            throw new AdminClient.Failed(
                    ExitCode.TRY_AGAIN, event.path("detail").asString(""));
        }
        if (event.path("event").asString("").equals("now")) {
            now(event, out);
        } else {
            out.println(visible(text(event)));
        }
    }

    private static void now(JsonNode now, PrintWriter out) {
        out.println(time(now) + "  now  the bridge " + (now.path("ready").asBoolean() ? "is ready" : "is not ready")
                + ": "
                + counted(now.path("connections"), "connection") + " of " + counted(now.path("users"), "user") + ", "
                + now.path("unsettled").asLong() + " unsettled, "
                + now.path("held").asLong() + " held");
        for (JsonNode problem : now.path("problems")) {
            out.println("              " + visible(problem.asString()));
        }
        for (JsonNode address : now.path("addresses")) {
            out.println(visible("              %s: %s, lane %s, %d unsettled, %d held%s"
                    .formatted(
                            address.path("address").asString(),
                            counted(address.path("connections"), "connection"),
                            address.path("lane").asString(),
                            address.path("unsettled").asLong(),
                            address.path("held").asLong(),
                            address.has("nextExpiry")
                                    ? ", the first expires "
                                            + address.path("nextExpiry").asString()
                                    : "")));
            for (JsonNode one : address.path("first")) {
                out.println(visible("                %s  confirms by %s, has %d of %d offered%s"
                        .formatted(
                                one.path("session").asString(),
                                one.path("confirms").asString(),
                                one.path("confirmed").asLong(),
                                one.path("offered").asLong(),
                                one.path("full").asBoolean() ? ", outbox full" : "")));
            }
            long more =
                    address.path("connections").asLong() - address.path("first").size();
            if (more > 0) {
                out.println("                and " + more + " more");
            }
        }
    }

    private static String text(JsonNode event) {
        String kind = event.path("event").asString();
        StringBuilder text = new StringBuilder(time(event)).append("  ").append("%-14s".formatted(kind));
        append(text, " ", event.path("address"));
        append(text, "  seq ", event.path("seq"));
        append(text, " ", event.path("type"));
        if (kind.equals("received") || kind.equals("refused")) {
            append(text, ", id ", event.path("messageId")); // once is enough
        }
        append(text, "  ×", event.path("count"));
        append(text, "  session ", event.path("session"));
        append(text, ": ", event.path("detail"));
        return text.toString().stripTrailing();
    }

    private static void append(StringBuilder text, String before, JsonNode value) {
        if (!value.isMissingNode()) {
            text.append(before).append(value.asString());
        }
    }

    /** Of the time only the part of a day, in UTC: 10:02:11.123. */
    private static String time(JsonNode event) {
        String time = event.path("time").asString();
        int t = time.indexOf('T');
        String clock = time.substring(t + 1).replace("Z", "");
        int dot = clock.indexOf('.');
        String millis = dot < 0 ? "000" : (clock.substring(dot + 1) + "000").substring(0, 3);
        return (dot < 0 ? clock : clock.substring(0, dot)) + "." + millis;
    }

    private static String counted(JsonNode number, String noun) {
        return number.asLong() + " " + noun + (number.asLong() == 1 ? "" : "s");
    }

    private static String visible(String line) {
        return VisibleText.of(line, LONGEST * 4);
    }
}
