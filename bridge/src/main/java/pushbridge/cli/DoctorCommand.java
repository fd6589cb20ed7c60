package pushbridge.cli;

import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.doctor.Check;
import pushbridge.doctor.Check.Verdict;
import pushbridge.doctor.Doctor;
import pushbridge.doctor.RunningBridge;
import pushbridge.log.VisibleText;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "doctor",
        description = {
            "Says whether a bridge can work with this configuration, on this machine and with this RabbitMQ; for what is not as",
            "it should be, why it matters and what to do.",
            "It changes nothing, neither here nor on RabbitMQ, and may be run while a bridge runs."
        },
        footer = {
            "",
            "Exit codes: 0 nothing failed (warnings do not count, unless --strict), 1 something failed, 69 RabbitMQ cannot be",
            "reached, 78 the configuration is wrong."
        })
final class DoctorCommand implements Callable<Integer> {

    private static final int LONGEST = 4_096;

    private final ConfigLoader loader;
    private final Map<String, String> environment;
    private final Supplier<Doctor.Surroundings> surroundings;

    @Option(names = "--json", description = "One JSON object, with all checks.")
    boolean json;

    @Option(names = "--strict", description = "A warning counts as a failure.")
    boolean strict;

    @Option(
            names = "--management",
            paramLabel = "URL",
            description =
                    "Also ask RabbitMQ's management plugin, such as http://rabbit-1:15672, for what AMQP does not tell:"
                            + " policies and the time. User and password are those of amqp.uri, unless the address has others.")
    @Nullable
    String management;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    AdminOptions admin = new AdminOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    DoctorCommand(ConfigLoader loader, Map<String, String> environment, Supplier<Doctor.Surroundings> surroundings) {
        this.loader = loader;
        this.environment = environment;
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Exception {
        CommandLine commandLine = Objects.requireNonNull(spec, "set by picocli").commandLine();
        Doctor doctor = new Doctor(
                loader, admin.config.sources(environment), this::running, management(commandLine), surroundings.get());
        Doctor.Report report = doctor.examine();
        PrintWriter out = commandLine.getOut();
        ExitCode code = code(report);
        if (json) {
            out.println(JsonMapper.shared().writeValueAsString(json(report)));
        } else {
            tell(report, out);
        }
        out.flush();
        return code.number();
    }

    private @Nullable URI management(CommandLine commandLine) {
        if (management == null) {
            return null;
        }
        try {
            URI uri = new URI(management);
            if (uri.getHost() != null && List.of("http", "https").contains(String.valueOf(uri.getScheme()))) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // the same sentence as for another scheme; what stands there may be a secret
        }
        throw new ParameterException(commandLine, "--management must be an address such as http://rabbit-1:15672");
    }

    private ExitCode code(Doctor.Report report) {
        return switch (report.outcome()) {
            case CONFIGURATION -> ExitCode.CONFIG;
            case BROKER -> ExitCode.UNAVAILABLE;
            case OTHER -> ExitCode.DIFFERENT;
            case WELL -> strict && report.count(Verdict.WARN) > 0 ? ExitCode.DIFFERENT : ExitCode.OK;
        };
    }

    private RunningBridge.Answer running() throws InterruptedException {
        try {
            AdminClient client = admin.client(loader, environment);
            AdminClient.Reply health = client.ask("/health/ready");
            AdminClient.Reply metrics = client.ask("/metrics");
            JsonNode body = health.json();
            if (!body.path("status").isString()) {
                return new RunningBridge.Strange("what answers at the port for operators is no bridge");
            }
            List<String> problems = new ArrayList<>();
            body.path("problems").forEach(problem -> problems.add(problem.asString()));
            return new RunningBridge.Runs(
                    body.path("status").asString().equals("ready"),
                    body.path("checks").path("ownership").asString("").equals("standby"),
                    problems,
                    metrics.status() == 200 ? metrics.body() : null);
        } catch (ConfigException e) {
            return new RunningBridge.Strange("the running bridge cannot be asked: " + String.join("; ", e.problems()));
        } catch (AdminClient.Failed e) {
            return e.isNobodyThere()
                    ? new RunningBridge.Nobody()
                    : new RunningBridge.Strange(String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, Object> json(Doctor.Report report) {
        List<Map<String, Object>> checks = new ArrayList<>();
        for (Check check : report.checks()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", check.name());
            one.put("verdict", check.verdict().slug());
            one.put("what", check.what());
            if (!check.why().isEmpty()) {
                one.put("why", check.why());
            }
            if (!check.todo().isEmpty()) {
                one.put("todo", check.todo());
            }
            checks.add(one);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("outcome", report.outcome().name().toLowerCase(Locale.ROOT));
        for (Verdict verdict : Verdict.values()) {
            json.put(verdict.slug(), report.count(verdict));
        }
        json.put("checks", checks);
        return json;
    }

    private static void tell(Doctor.Report report, PrintWriter out) {
        int width = report.checks().stream()
                .mapToInt(check -> check.name().length())
                .max()
                .orElse(1);
        for (Check check : report.checks()) {
            out.println(pad(word(check.verdict()), 4) + "  " + pad(check.name(), width) + "  " + visible(check.what()));
            String indent = " ".repeat(8 + width);
            if (!check.why().isEmpty()) {
                out.println(indent + "why: " + visible(check.why()));
            }
            if (!check.todo().isEmpty()) {
                out.println(indent + "do:  " + visible(check.todo()));
            }
        }
        out.println();
        out.println("%d ok, %d not known, %d to look at, %d failed. Nothing was changed."
                .formatted(
                        report.count(Verdict.OK),
                        report.count(Verdict.UNKNOWN),
                        report.count(Verdict.WARN),
                        report.count(Verdict.FAIL)));
    }

    private static String pad(String name, int width) {
        return name + " ".repeat(width - name.length());
    }

    private static String word(Verdict verdict) {
        return switch (verdict) {
            case OK -> "ok";
            case UNKNOWN -> "?";
            case WARN -> "warn";
            case FAIL -> "FAIL";
        };
    }

    /** RabbitMQ's own words may be in it. */
    private static String visible(String text) {
        return VisibleText.of(text, LONGEST);
    }
}
