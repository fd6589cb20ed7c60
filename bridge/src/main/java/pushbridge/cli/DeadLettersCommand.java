package pushbridge.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.Units;
import pushbridge.letters.Filter;
import pushbridge.letters.JsonPatch;
import pushbridge.letters.Letter;
import pushbridge.letters.LetterDesk;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterJson;
import pushbridge.letters.LetterQueue;
import pushbridge.letters.LetterView;
import pushbridge.letters.Progress;
import pushbridge.letters.Replay;
import pushbridge.log.Terminal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The command {@code dead-letters} and those below it. */
@Command(
        name = "dead-letters",
        description = {
            "Looks at what could not be delivered, and replays, discards, exports or imports it.",
            "While a bridge runs it does so itself, asked at admin.host and admin.port; else RabbitMQ is asked directly."
                    + " Looking takes nothing away and changes no order."
        },
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "At three in the morning:",
            "  pushbridge dead-letters count                    what is wrong, and how often",
            "  pushbridge dead-letters show ID                  one in full, and where its mistake is",
            "  pushbridge dead-letters replay --all             what would be taken now; --yes does it"
        })
final class DeadLettersCommand implements Callable<Integer> {

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    CommonOptions common = new CommonOptions();

    /** With everything below it. */
    static CommandLine with(Letters letters, ConfigLoader loader, Map<String, String> environment, PrintStream out) {
        Surroundings surroundings = new Surroundings(letters, loader, environment, out);
        return new CommandLine(new DeadLettersCommand())
                .addSubcommand(new CountCommand(surroundings))
                .addSubcommand(new ListCommand(surroundings))
                .addSubcommand(new ShowCommand(surroundings))
                .addSubcommand(new ReplayCommand(surroundings))
                .addSubcommand(new DiscardCommand(surroundings))
                .addSubcommand(new ExportCommand(surroundings))
                .addSubcommand(new ImportCommand(surroundings));
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                Objects.requireNonNull(spec, "set by picocli").commandLine(), "Missing command");
    }

    /** What all of them are given. */
    private record Surroundings(
            Letters letters, ConfigLoader loader, Map<String, String> environment, PrintStream out) {}

    /** Which letters are meant. */
    static final class FilterOptions {
        @Option(
                names = "--reason",
                paramLabel = "SLUG",
                description = "Only with this reason, such as schema-invalid; repeatable.")
        List<String> reasons = new ArrayList<>();

        @Option(names = "--type", paramLabel = "TYPE", description = "Only of this type, * for anything; repeatable.")
        List<String> types = new ArrayList<>();

        @Option(
                names = "--address",
                paramLabel = "ADDRESS",
                description = "Only to this address, such as user.42 or user.*; repeatable.")
        List<String> addresses = new ArrayList<>();

        @Option(
                names = "--since",
                paramLabel = "TIME",
                description = "Only failed since then: 2026-11-28T03:00:00Z, or 90m for the last 90 minutes.")
        @Nullable
        String since;

        @Option(names = "--until", paramLabel = "TIME", description = "Only failed before then, likewise.")
        @Nullable
        String until;

        @Option(
                names = "--text",
                paramLabel = "TEXT",
                description = "Only with this text in the body, the detail, a property or a header, whatever the case.")
        @Nullable
        String text;

        Filter filter(List<String> ids) throws LetterException {
            for (String id : ids) {
                if (!id.matches("[0-9a-fA-F]{1,12}")) {
                    throw new LetterException(
                            LetterException.Kind.INVALID,
                            "'" + id + "' is no id of a letter, which has up to 12 hexadecimal digits");
                }
            }
            return new Filter(ids, reasons, types, addresses, time(since), time(until), text);
        }

        private static @Nullable Instant time(@Nullable String text) throws LetterException {
            if (text == null) {
                return null;
            }
            try {
                return Instant.parse(text);
            } catch (DateTimeParseException e) {
                // then it must be a duration
            }
            try {
                return Instant.now().minus(Units.duration(text));
            } catch (IllegalArgumentException e) {
                throw new LetterException(
                        LetterException.Kind.INVALID,
                        "'" + text + "' is neither a time such as 2026-11-28T03:00:00Z nor a duration such as 90m");
            }
        }
    }

    /** What they have in common. */
    abstract static class LetterCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Spec
        @Nullable
        CommandSpec spec;

        @Option(
                names = "--queue",
                paramLabel = "dead|expired",
                description = "Real errors (dead, the default), or what ran out of time (expired).")
        String queue = "dead";

        @Option(
                names = "--direct",
                description = "Asks RabbitMQ although a bridge may run; impossible while that bridge reads.")
        boolean direct;

        @Mixin
        AdminOptions admin = new AdminOptions();

        @Mixin
        CommonOptions common = new CommonOptions();

        LetterCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        /** Does it. */
        abstract ExitCode run(LetterDesk desk) throws LetterException, InterruptedException, IOException;

        @Override
        public Integer call() throws ConfigException, AdminClient.Failed, InterruptedException, IOException {
            try (LetterDesk desk = desk()) {
                return run(desk).number();
            } catch (LetterException e) {
                err().println("pushbridge: " + pushbridge.letters.Printable.line(e.sentence()));
                return (switch (e.kind()) {
                            case INVALID, NOT_FOUND -> ExitCode.DATA;
                            case REFUSED -> ExitCode.REFUSED;
                            case LOCKED -> ExitCode.TRY_AGAIN;
                            case UNAVAILABLE -> ExitCode.UNAVAILABLE;
                        })
                        .number();
            }
        }

        private LetterDesk desk() throws ConfigException, AdminClient.Failed, InterruptedException {
            ConfigLoader loader = surroundings.loader;
            Map<String, String> environment = surroundings.environment;
            // Port 0 is known to nobody but the bridge itself.
            if (!direct && loader.loadAdmin(admin.config.sources(environment)).port() != 0) {
                AdminClient bridge = admin.client(loader, environment);
                if (RemoteDesk.isThere(bridge)) {
                    return new RemoteDesk(bridge);
                }
            }
            return surroundings.letters.open(
                    loader.loadDeadLetters(admin.config.sources(environment)),
                    "pushbridge dead-letters (user %s, process %d)"
                            .formatted(
                                    System.getProperty("user.name", "unknown"),
                                    ProcessHandle.current().pid()));
        }

        LetterQueue queue() throws LetterException {
            return LetterQueue.of(queue);
        }

        LetterView view() {
            return new LetterView(Instant.now(), isTerminal() && !surroundings.environment.containsKey("NO_COLOR"));
        }

        static boolean isTerminal() {
            return Terminal.isThere();
        }

        Progress progress(String what) {
            return ProgressBar.on(err(), what);
        }

        PrintWriter out() {
            return commandLine().getOut();
        }

        OutputStream rawOut() {
            return surroundings.out;
        }

        PrintWriter err() {
            return commandLine().getErr();
        }

        void print(List<String> lines) {
            lines.forEach(out()::println);
        }

        private CommandLine commandLine() {
            return Objects.requireNonNull(spec, "set by picocli").commandLine();
        }
    }

    @Command(name = "count", description = "Counts dead letters by what is wrong with them.")
    static final class CountCommand extends LetterCommand {
        @Mixin
        FilterOptions filter = new FilterOptions();

        @Option(names = "--json", description = "Prints the answer as one line of JSON.")
        boolean json;

        CountCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException {
            ObjectNode count = desk.count(queue(), filter.filter(List.of()));
            print(json ? List.of(LetterJson.line(count)) : view().count(count));
            return ExitCode.OK;
        }
    }

    @Command(name = "list", description = "Lists dead letters, the newest first.")
    static final class ListCommand extends LetterCommand {
        @Mixin
        FilterOptions filter = new FilterOptions();

        @Option(names = "--limit", paramLabel = "N", description = "At most so many (1 to 1000; default 20).")
        int limit = 20;

        @Option(names = "--after", paramLabel = "ID", description = "Goes on behind this one.")
        @Nullable
        String after;

        @Option(names = "--oldest", description = "The oldest first.")
        boolean oldest;

        @Option(names = "--json", description = "Prints each letter as a line of JSON.")
        boolean json;

        ListCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException {
            if (limit < 1 || limit > 1_000) {
                throw new LetterException(LetterException.Kind.INVALID, "--limit " + limit + " is outside 1 to 1000");
            }
            ObjectNode page = desk.list(queue(), filter.filter(List.of()), limit, after, !oldest);
            if (json) {
                page.path("letters").forEach(letter -> out().println(LetterJson.line(letter)));
            } else {
                print(view().list(page, !oldest));
            }
            return ExitCode.OK;
        }
    }

    @Command(name = "show", description = "Shows one dead letter in full, and where its mistake is.")
    static final class ShowCommand extends LetterCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "Its id, or enough of it.")
        String id = "";

        @Option(names = "--whole", description = "However long it is.")
        boolean whole;

        @Option(names = "--json", description = "Prints it as one line of JSON, as an export does.")
        boolean json;

        @Option(names = "--body", description = "Writes its body and nothing else, byte for byte.")
        boolean body;

        ShowCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException, IOException {
            ObjectNode letter = desk.show(queue(), id);
            if (body) {
                rawOut().write(bytes(letter));
                rawOut().flush();
            } else {
                print(json ? List.of(LetterJson.line(letter)) : view().show(letter, whole));
            }
            return ExitCode.OK;
        }

        private static byte[] bytes(JsonNode letter) {
            JsonNode text = letter.path("body");
            return text.isString()
                    ? text.stringValue().getBytes(StandardCharsets.UTF_8)
                    : Base64.getDecoder().decode(letter.path("bodyBase64").asString(""));
        }
    }

    /** For those that change something: which, and whether it is meant. */
    abstract static class ChangingCommand extends LetterCommand {
        @Parameters(arity = "0..*", paramLabel = "ID", description = "These, by id or enough of it.")
        List<String> ids = new ArrayList<>();

        @Mixin
        FilterOptions filter = new FilterOptions();

        @Option(names = "--all", description = "All of the queue.")
        boolean all;

        @Option(names = "--yes", description = "Does it; without it nothing is done and it is only said what would be.")
        boolean yes;

        @Option(names = "--json", description = "Prints the answer as one line of JSON.")
        boolean json;

        ChangingCommand(Surroundings surroundings) {
            super(surroundings);
        }

        /** Nothing is meant unless something is said. */
        Filter chosen() throws LetterException {
            Filter chosen = filter.filter(ids);
            if (chosen.isAll() && !all) {
                throw new LetterException(
                        LetterException.Kind.INVALID, "say which: ids, or a filter such as --reason, or --all");
            }
            if (!chosen.isAll() && all) {
                throw new LetterException(
                        LetterException.Kind.INVALID,
                        "--all and a choice contradict each other: leave one of them out");
            }
            return chosen;
        }

        void sayHowToDoIt() {
            if (!yes && !json) {
                out().println("Nothing was done. Add --yes to do it.");
            }
        }
    }

    @Command(
            name = "replay",
            description = {
                "Publishes dead letters again, the oldest first, and removes each one once RabbitMQ has it safely.",
                "What a bridge would refuse again is left, unless --anyway is given."
            },
            footer = {
                "",
                "The exit code is 1 when some of those chosen were left, or would be.",
                "Example: pushbridge dead-letters replay --type order.created --patch"
                        + " '[{\"op\":\"move\",\"from\":\"/payload/ID\",\"path\":\"/payload/id\"}]'"
            })
    static final class ReplayCommand extends ChangingCommand {
        @Option(names = "--to", paramLabel = "ADDRESS", description = "To this address instead of each one's own.")
        @Nullable
        String to;

        @Option(
                names = "--patch",
                paramLabel = "JSON",
                description = "Changes each body by this JSON Patch (RFC 6902); what it does not fit is left.")
        @Nullable
        String patch;

        @Option(
                names = "--body",
                paramLabel = "FILE",
                description = "With this body instead, - for standard input; for a single letter.")
        @Nullable
        Path body;

        @Option(
                names = "--expiration",
                paramLabel = "TIME",
                description = "How long they may wait from now on, such as 10m; else as long as before, counted anew.")
        @Nullable
        Duration expiration;

        @Option(names = "--anyway", description = "Also what a bridge would refuse again.")
        boolean anyway;

        ReplayCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException, IOException {
            Filter chosen = chosen();
            Replay how = new Replay(
                    to,
                    patch == null ? null : JsonPatch.parse(patch),
                    body == null ? null : read(body),
                    expiration,
                    anyway);
            ObjectNode result = desk.replay(queue(), chosen, how, !yes, progress(yes ? "Replaying" : "Trying"));
            print(json ? List.of(LetterJson.line(result)) : view().replayed(result));
            sayHowToDoIt();
            return result.path("left").asLong(0) == 0 ? ExitCode.OK : ExitCode.DIFFERENT;
        }

        private static byte[] read(Path file) throws IOException, LetterException {
            if (file.toString().equals("-")) {
                return System.in.readAllBytes();
            }
            return Files.readAllBytes(readable(file));
        }
    }

    private static Path readable(Path file) throws LetterException {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new LetterException(LetterException.Kind.INVALID, "the file " + file + " cannot be read");
        }
        return file;
    }

    @Command(name = "discard", description = "Removes dead letters for good.")
    static final class DiscardCommand extends ChangingCommand {
        DiscardCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException {
            ObjectNode result = desk.discard(queue(), chosen(), !yes, progress(yes ? "Discarding" : "Trying"));
            print(json ? List.of(LetterJson.line(result)) : view().discarded(result));
            sayHowToDoIt();
            return ExitCode.OK;
        }
    }

    @Command(
            name = "export",
            description =
                    "Writes dead letters in full, the oldest first, one a line as JSON. They stay where they are.")
    static final class ExportCommand extends LetterCommand {
        @Mixin
        FilterOptions filter = new FilterOptions();

        @Parameters(arity = "0..*", paramLabel = "ID", description = "Only these, by id or enough of it.")
        List<String> ids = new ArrayList<>();

        @Option(names = "--to", paramLabel = "FILE", description = "Into this new file instead of standard output.")
        @Nullable
        Path file;

        ExportCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException, IOException {
            Filter chosen = filter.filter(ids);
            if (file == null) {
                desk.export(queue(), chosen, letter -> out().println(LetterJson.line(letter)));
                return ExitCode.OK;
            }
            if (Files.exists(file)) {
                throw new LetterException(LetterException.Kind.INVALID, "the file " + file + " is there already");
            }
            long[] count = {0};
            try (PrintWriter to = new PrintWriter(Files.newBufferedWriter(file))) {
                desk.export(queue(), chosen, letter -> {
                    to.println(LetterJson.line(letter));
                    count[0]++;
                });
                if (to.checkError()) {
                    throw new LetterException(
                            LetterException.Kind.INVALID, "the file " + file + " could not be written to its end");
                }
            }
            err().println("%,d letters are in %s.".formatted(count[0], file));
            return ExitCode.OK;
        }
    }

    @Command(
            name = "import",
            description =
                    "Puts exported letters back into the queues they came from. What is there already is left out.")
    static final class ImportCommand extends LetterCommand {
        /** Letters of one step. */
        private static final int AT_ONCE = 1_000;

        @Parameters(index = "0", paramLabel = "FILE", description = "The export, - for standard input.")
        Path file = Path.of("-");

        @Option(names = "--yes", description = "Does it; without it nothing is done and it is only said what would be.")
        boolean yes;

        @Option(names = "--json", description = "Prints the answer as one line of JSON.")
        boolean json;

        ImportCommand(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        ExitCode run(LetterDesk desk) throws LetterException, InterruptedException, IOException {
            check();
            long[] sums = new long[3];
            try (BufferedReader lines = open()) {
                List<Letter> part = new ArrayList<>();
                int number = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    number++;
                    if (!line.isBlank()) {
                        part.add(letter(line, number));
                    }
                    if (part.size() == AT_ONCE) {
                        put(desk, part, sums);
                    }
                }
                put(desk, part, sums);
            }
            if (json) {
                ObjectNode result = LetterJson.object();
                result.put("dryRun", !yes);
                result.put("selected", sums[0]);
                result.put("imported", sums[1]);
                result.put("thereAlready", sums[2]);
                out().println(LetterJson.line(result));
            } else {
                out().println("%,d of %,d letters %s imported; %,d are there already."
                        .formatted(sums[1], sums[0], yes ? "were" : "would be", sums[2]));
                if (!yes) {
                    out().println("Nothing was done. Add --yes to do it.");
                }
            }
            return ExitCode.OK;
        }

        /** All of a file before any of it is put, so that a mistake in it does not leave half of it behind. */
        private void check() throws LetterException, IOException {
            if (file.toString().equals("-")) {
                return;
            }
            try (BufferedReader lines = open()) {
                int number = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    number++;
                    if (!line.isBlank()) {
                        letter(line, number);
                    }
                }
            }
        }

        private BufferedReader open() throws IOException, LetterException {
            return file.toString().equals("-")
                    ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                    : Files.newBufferedReader(readable(file));
        }

        private static Letter letter(String line, int number) throws LetterException {
            try {
                return LetterJson.letter(LetterJson.parse(line, "it"));
            } catch (LetterException e) {
                throw new LetterException(e.kind(), "line " + number + " is no exported letter: " + e.sentence());
            }
        }

        private void put(LetterDesk desk, List<Letter> part, long[] sums) throws LetterException, InterruptedException {
            if (part.isEmpty()) {
                return;
            }
            ObjectNode result = desk.put(part, !yes);
            sums[0] += result.path("selected").asLong(0);
            sums[1] += result.path("imported").asLong(0);
            sums[2] += result.path("thereAlready").asLong(0);
            part.clear();
        }
    }
}
