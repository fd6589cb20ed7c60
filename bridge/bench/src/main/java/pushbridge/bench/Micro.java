package pushbridge.bench;

import java.io.PrintStream;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Measures single pieces of the bridge with JMH. {@code scripts/bench --micro} calls it. */
final class Micro {

    private static final int FORKS = 2;
    private static final int WARM_UPS = 5;
    private static final int ROUNDS = 5;
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    private Micro() {}

    /**
     * Runs them and prints a table.
     *
     * @param arguments "full" or "quick", then patterns of JMH; none of them for everything
     */
    public static void main(String[] arguments) throws RunnerException {
        boolean quick = arguments[0].equals("quick");
        TimeValue time = quick ? TimeValue.milliseconds(100) : TimeValue.seconds(1);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .forks(quick ? 1 : FORKS)
                .warmupIterations(quick ? 1 : WARM_UPS)
                .warmupTime(time)
                .measurementIterations(quick ? 2 : ROUNDS)
                .measurementTime(time)
                .jvmArgs("-Xms1g", "-Xmx1g")
                .addProfiler(GCProfiler.class)
                // Else a benchmark that throws would merely be missing in the table.
                .shouldFailOnError(true);
        for (String pattern : List.of(arguments).subList(1, arguments.length)) {
            options.include(pattern);
        }
        PrintStream out = System.out;
        System.setOut(System.err); // JMH says there what it does
        Collection<RunResult> results = new Runner(options.build()).run();
        if (results.isEmpty()) {
            Console.say("No benchmark matches.");
            System.exit(2);
        }
        out.println((quick ? "Only for trying out.\n\n" : "")
                + "| piece | ns | ± (99.9%) | bytes allocated |\n| --- | --- | --- | --- |");
        results.stream().sorted(Comparator.comparing(Micro::name)).forEach(each -> out.println(row(each)));
    }

    private static String row(RunResult result) {
        Result<?> time = result.getPrimaryResult();
        Result<?> allocated = result.getSecondaryResults().get(ALLOCATED);
        return String.format(
                Locale.ROOT,
                "| `%s` | %,.1f | %s | %s |",
                name(result),
                time.getScore(),
                Double.isNaN(time.getScoreError()) ? "" : String.format(Locale.ROOT, "%,.1f", time.getScoreError()),
                allocated == null ? "" : String.format(Locale.ROOT, "%,.0f", allocated.getScore()));
    }

    /** As {@code OutboxBenchmark.batch}, and the parameters. */
    private static String name(RunResult result) {
        String full = result.getParams().getBenchmark();
        int method = full.lastIndexOf('.');
        StringBuilder name = new StringBuilder(full.substring(full.lastIndexOf('.', method - 1) + 1));
        for (String key : result.getParams().getParamsKeys()) {
            name.append(' ').append(key).append('=').append(result.getParams().getParam(key));
        }
        return name.toString();
    }
}
