package pushbridge.bench;

import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/** Plays scenarios, one after the other, and prints what they measured. {@code scripts/bench} calls it. */
@Command(name = "bench")
final class Main implements Callable<Integer> {

    private static final double QUICK = 0.05;

    private interface Scenario {
        void run(Bench bench) throws BenchException;
    }

    private static final Map<String, Scenario> SCENARIOS = scenarios();

    @Parameters
    List<String> names = new ArrayList<>();

    @Option(names = "--quick")
    boolean quick;

    @Option(names = "--scale")
    @Nullable
    Double scale;

    @Option(names = "--json")
    @Nullable
    Path json;

    @Option(names = "--list")
    boolean list;

    @Option(names = "--root", required = true)
    Path root = Path.of("");

    @Option(names = "--broker-name", required = true)
    String brokerName = "";

    @Option(names = "--broker-home", required = true)
    Path brokerHome = Path.of("");

    @Option(names = "--work", required = true)
    Path work = Path.of("");

    @Option(names = "--commit", required = true)
    String commit = "";

    private static Map<String, Scenario> scenarios() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("hold-absent", HoldAbsent::run);
        all.put("hold-restart", HoldRestart::run);
        all.put("hold-return-one", HoldReturnOne::run);
        all.put("hold-return-many", HoldReturnMany::run);
        all.put("hold-week", HoldWeek::run);
        all.put("hold-order-restart", HoldOrderRestart::run);
        all.put("unicast-confirm", UnicastConfirm::run);
        all.put("unicast-drain", Unicast::drain);
        all.put("unicast-latency", Unicast::latency);
        all.put("fanout-burst", Fanout::burst);
        all.put("fanout-steady", Fanout::steady);
        all.put("fanout-wide", Fanout::wide);
        all.put("fanout-stalled", Fanout::stalled);
        all.put("idle", Idle::run);
        all.put("start", Start::run);
        return all;
    }

    /** See {@code scripts/bench --help}. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, BenchException {
        if (list) {
            System.out.println(String.join("\n", SCENARIOS.keySet()));
            return 0;
        }
        for (String name : names) {
            if (!SCENARIOS.containsKey(name)) {
                Console.say("There is no scenario '" + name + "'; there are " + String.join(", ", SCENARIOS.keySet()));
                return 2;
            }
        }
        double size = scale != null ? scale : quick ? QUICK : 1;
        Figures figures = new Figures();
        Bench bench = new Bench(
                root.resolve("bridge/target/pushbridge"),
                root.resolve("scripts/broker"),
                brokerName,
                brokerHome,
                work,
                size,
                figures);
        Map<String, String> machine = Machine.describe();
        machine.put("broker", brokerVersion(bench));
        machine.put("commit", commit);
        Map<String, String> failed = new LinkedHashMap<>();
        OffsetDateTime began = OffsetDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS);
        for (String name : names.isEmpty() ? SCENARIOS.keySet() : names) {
            Console.say(name);
            figures.begin(name);
            long start = System.nanoTime();
            try {
                Objects.requireNonNull(SCENARIOS.get(name)).run(bench);
            } catch (BenchException e) {
                Console.say("  " + name + " failed: " + e.getMessage());
                failed.put(name, String.valueOf(e.getMessage()));
            }
            Console.say("  took " + Math.round(Waiting.seconds(System.nanoTime() - start)) + " s");
        }
        print(figures, machine, failed, size, began);
        Path file = json;
        if (file != null) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("date", began.toString());
            all.put("scale", size);
            all.put("machine", machine);
            all.put("failed", failed);
            all.put("figures", figures.all());
            Files.writeString(
                    file,
                    JsonMapper.builder()
                                    .build()
                                    .writerWithDefaultPrettyPrinter()
                                    .writeValueAsString(all) + "\n");
        }
        return failed.isEmpty() && figures.allReached() ? 0 : 1;
    }

    private static String brokerVersion(Bench bench) throws IOException, BenchException {
        try (BrokerNode broker = bench.broker();
                Connection connection = broker.connect("version")) {
            return Machine.broker(connection);
        }
    }

    private static void print(
            Figures figures,
            Map<String, String> machine,
            Map<String, String> failed,
            double size,
            OffsetDateTime began) {
        System.out.println();
        System.out.println(began + (size == 1 ? "" : ", at " + size + " of the full size: only for trying out"));
        machine.forEach((what, value) -> System.out.println(what + ": " + value));
        System.out.println();
        System.out.print(figures.table());
        failed.forEach((name, why) -> System.out.println("\n" + name + " FAILED: " + why));
    }
}
