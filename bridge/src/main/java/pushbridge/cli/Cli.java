package pushbridge.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.ConfigReference;
import pushbridge.config.Machine;
import pushbridge.config.Secrets;
import pushbridge.config.Units;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.doctor.Doctor;
import pushbridge.log.VisibleText;
import pushbridge.metrics.MetricsReference;

/** The command {@code pushbridge}: finds the subcommand, runs it and reports its errors, secrets masked. */
public final class Cli {
    private static final Logger LOG = LoggerFactory.getLogger(Cli.class);

    private final Serve serve;
    private final Publisher publisher;
    private final TopologyCheck topology;
    private final Letters letters;
    private final ConfigLoader loader;
    private final Supplier<Doctor.Surroundings> surroundings;

    /** A command line that hands over to these. */
    public Cli(Serve serve, Publisher publisher, TopologyCheck topology, Letters letters) {
        this(serve, publisher, topology, letters, Machine.current());
    }

    /** The same on a machine as it is said to be, for {@code doctor}. */
    public Cli(
            Serve serve,
            Publisher publisher,
            TopologyCheck topology,
            Letters letters,
            Supplier<Doctor.Surroundings> surroundings) {
        this(serve, publisher, topology, letters, Machine.current(), surroundings);
    }

    Cli(Serve serve, Publisher publisher, TopologyCheck topology, Letters letters, Machine machine) {
        this(serve, publisher, topology, letters, machine, Doctor.Surroundings::current);
    }

    private Cli(
            Serve serve,
            Publisher publisher,
            TopologyCheck topology,
            Letters letters,
            Machine machine,
            Supplier<Doctor.Surroundings> surroundings) {
        this.surroundings = surroundings;
        this.serve = serve;
        this.publisher = publisher;
        this.topology = topology;
        this.letters = letters;
        this.loader = new ConfigLoader(machine);
    }

    /**
     * Runs one command in the calling thread and answers with the exit code of the process, an {@link ExitCode}. Throws
     * nothing: every error becomes text.
     *
     * @param out for what was asked for
     * @param err for what went wrong
     */
    public int run(String[] args, Map<String, String> environment, PrintStream out, PrintStream err) {
        CommandLine commandLine = new CommandLine(new RootCommand())
                .addSubcommand(new ServeCommand(serve, loader, environment))
                .addSubcommand(new PublishCommand(publisher, loader, environment))
                .addSubcommand(new CheckConfigCommand(loader, environment))
                .addSubcommand(new DoctorCommand(loader, environment, surroundings))
                .addSubcommand(new TokenCommand(loader, environment))
                .addSubcommand(new TopologyCommand(topology, loader, environment))
                .addSubcommand(DeadLettersCommand.with(letters, loader, environment, out))
                .addSubcommand(HeldCommand.with(loader, environment))
                .addSubcommand(new TailCommand(loader, environment))
                .addSubcommand(new LogLevelCommand(loader, environment))
                .addSubcommand(new ReloadCommand(loader, environment))
                .addSubcommand(new VersionCommand())
                .addSubcommand(new ConfigDocCommand())
                .addSubcommand(new MetricsDocCommand())
                .setOut(writer(out))
                .setErr(writer(err))
                .registerConverter(OfflinePolicy.class, Cli::offlinePolicy)
                .registerConverter(Duration.class, Cli::expiration)
                .setParameterExceptionHandler((e, arguments) -> wrongCommandLine(e))
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
        listExitCodes(commandLine);
        return commandLine.execute(args);
    }

    private static void listExitCodes(CommandLine command) {
        for (CommandLine subcommand : command.getSubcommands().values()) {
            subcommand.getCommandSpec().usageMessage().exitCodeListHeading("%nExit codes:%n");
            subcommand.getCommandSpec().usageMessage().exitCodeList(ExitCode.list());
            listExitCodes(subcommand);
        }
    }

    private static int wrongCommandLine(ParameterException e) {
        CommandLine command = e.getCommandLine();
        command.getErr().println("pushbridge: " + Secrets.mask(String.valueOf(e.getMessage())));
        command.getErr().println("'" + command.getCommandSpec().qualifiedName() + " --help' shows what is possible.");
        return ExitCode.USAGE.number();
    }

    private static int failed(Exception e, CommandLine command) {
        PrintWriter err = command.getErr();
        if (e instanceof ConfigException) {
            err.println("pushbridge: " + e.getMessage());
            return ExitCode.CONFIG.number();
        }
        if (e instanceof AdminClient.Failed failed) {
            // It may quote what came from outside, and this is a terminal.
            err.println("pushbridge: " + VisibleText.of(String.valueOf(failed.getMessage()), 4096));
            return failed.exitCode().number();
        }
        err.println("pushbridge: internal error: " + Secrets.mask(e.toString()));
        Object ran = command.getCommand();
        if (ran instanceof ServeCommand) {
            // Nobody may be there to run it again with --verbose.
            LOG.error("The bridge ended because of an internal error", e);
        } else if (command.getParseResult().hasMatchedOption("--verbose")) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            err.print(Secrets.mask(trace.toString()));
            err.flush();
        } else {
            err.println("Run the command again with --verbose to see where it came from.");
        }
        return ExitCode.INTERNAL.number();
    }

    private static OfflinePolicy offlinePolicy(String text) {
        for (OfflinePolicy policy : OfflinePolicy.values()) {
            if (policy.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(text)) {
                return policy;
            }
        }
        throw new TypeConversionException("it must be hold, drop or dead-letter");
    }

    /** Milliseconds, as in the AMQP property, or a duration as in the configuration. */
    private static Duration expiration(String text) {
        if (text.matches("[0-9]{1,12}")) {
            return Duration.ofMillis(Long.parseLong(text));
        }
        try {
            return Units.duration(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }

    @Command(
            name = "pushbridge",
            description = "Takes push-instructions from RabbitMQ and delivers them to browsers over WebSocket.",
            synopsisSubcommandLabel = "COMMAND")
    static final class RootCommand implements Callable<Integer> {
        @Spec
        @Nullable
        CommandSpec spec;

        @Mixin
        CommonOptions common = new CommonOptions();

        /** Reached when no subcommand is given. */
        @Override
        public Integer call() {
            throw new ParameterException(
                    Objects.requireNonNull(spec, "set by picocli").commandLine(), "Missing command");
        }
    }

    @Command(name = "version", description = "Prints the version of the bridge and of Java.")
    static final class VersionCommand implements Callable<Integer> {
        @Spec
        @Nullable
        CommandSpec spec;

        @Mixin
        CommonOptions common = new CommonOptions();

        @Override
        public Integer call() {
            Objects.requireNonNull(spec, "set by picocli")
                    .commandLine()
                    .getOut()
                    .println(Version.text());
            return ExitCode.OK.number();
        }
    }

    @Command(name = "config-doc", description = "Prints the reference of all configuration keys, as Markdown.")
    static final class ConfigDocCommand extends DocCommand {
        ConfigDocCommand() {
            super(ConfigReference::markdown);
        }
    }

    @Command(name = "metrics-doc", description = "Prints the reference of all metrics, as Markdown.")
    static final class MetricsDocCommand extends DocCommand {
        MetricsDocCommand() {
            super(MetricsReference::markdown);
        }
    }

    /** Prints a page that is generated from the code. */
    abstract static class DocCommand implements Callable<Integer> {
        private final Supplier<String> page;

        @Spec
        @Nullable
        CommandSpec spec;

        @Mixin
        CommonOptions common = new CommonOptions();

        DocCommand(Supplier<String> page) {
            this.page = page;
        }

        @Override
        public Integer call() {
            PrintWriter out =
                    Objects.requireNonNull(spec, "set by picocli").commandLine().getOut();
            out.print(page.get());
            out.flush();
            return ExitCode.OK.number();
        }
    }
}
