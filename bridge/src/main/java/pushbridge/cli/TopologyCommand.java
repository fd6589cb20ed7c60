package pushbridge.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import pushbridge.amqp.Finding;
import pushbridge.amqp.Finding.State;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;

@Command(
        name = "topology",
        description = {
            "Compares the exchanges, queues and the stream on RabbitMQ with those the bridge needs, and declares what is missing.",
            "Nothing is ever deleted or changed. 'serve' declares the same by itself."
        },
        footer = {"", "The exit code is 0 when everything is as wanted, after declaring, and 1 when not."})
final class TopologyCommand implements Callable<Integer> {
    private final TopologyCheck check;
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--dry-run",
            description = "Only looks and declares nothing; then bindings cannot be checked, unless an end is missing.")
    boolean dryRun;

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    TopologyCommand(TopologyCheck check, ConfigLoader loader, Map<String, String> environment) {
        this.check = check;
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws ConfigException {
        TopologyCheck.Result result = check.check(
                loader.loadAmqp(config.sources(environment)), loader.loadHold(config.sources(environment)), !dryRun);
        CommandLine commandLine = Objects.requireNonNull(spec, "set by picocli").commandLine();
        if (result instanceof TopologyCheck.Checked checked) {
            return tell(checked.findings(), commandLine.getOut()).number();
        }
        TopologyCheck.Unreachable unreachable = (TopologyCheck.Unreachable) result;
        commandLine.getErr().println("pushbridge: " + unreachable.sentence());
        return ExitCode.UNAVAILABLE.number();
    }

    private ExitCode tell(List<Finding> findings, PrintWriter out) {
        int width = findings.stream()
                .mapToInt(finding -> finding.name().length())
                .max()
                .orElse(1);
        for (Finding finding : findings) {
            out.println(String.format(
                            Locale.ROOT,
                            "%-8s  %-" + width + "s  %-11s  %s",
                            finding.kind().word(),
                            finding.name(),
                            word(finding.state()),
                            finding.detail())
                    .stripTrailing());
        }
        out.println();
        long declared = count(findings, State.DECLARED);
        List<String> toDo = toDo(findings);
        if (toDo.isEmpty()) {
            out.println(
                    dryRun
                            ? "Every exchange, queue and stream is as wanted; bindings were not checked."
                            : "Everything is as wanted" + (declared == 0 ? "." : " now, " + declared + " declared."));
            return ExitCode.OK;
        }
        out.println("Not everything is as wanted" + (declared == 0 ? "" : ", " + declared + " declared") + ": "
                + String.join("; ", toDo) + ".");
        return ExitCode.DIFFERENT;
    }

    private static List<String> toDo(List<Finding> findings) {
        List<String> toDo = new ArrayList<>();
        long missing = count(findings, State.MISSING);
        if (missing > 0) {
            toDo.add(missing + " missing (declare them without --dry-run, or start a bridge)");
        }
        long differing = count(findings, State.DIFFERS);
        if (differing > 0) {
            toDo.add(differing + " not the same and left so (configure what exists, or delete it once its messages are"
                    + " moved away, or choose another amqp.prefix)");
        }
        long refused = count(findings, State.REFUSED);
        if (refused > 0) {
            toDo.add(refused + " refused (give the user of amqp.uri the right to configure, write and read them)");
        }
        return toDo;
    }

    private static long count(List<Finding> findings, State state) {
        return findings.stream().filter(finding -> finding.state() == state).count();
    }

    private static String word(State state) {
        return state == State.UNCHECKED ? "not checked" : state.name().toLowerCase(Locale.ROOT);
    }
}
