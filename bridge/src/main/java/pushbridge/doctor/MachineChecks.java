package pushbridge.doctor;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.config.BridgeConfig;
import pushbridge.config.Units;

/** This machine: ports, files, memory; and the bridge that may run on it. */
final class MachineChecks {

    private final BridgeConfig config;
    private final RunningBridge.Answer bridge;
    private final List<Check> checks = new ArrayList<>();

    MachineChecks(BridgeConfig config, RunningBridge.Answer bridge) {
        this.config = config;
        this.bridge = bridge;
    }

    List<Check> look(OptionalLong fileLimit, long heapBytes) {
        bridge();
        port("socket", config.socket().host(), config.socket().port());
        port("admin", config.admin().host(), config.admin().port());
        files(fileLimit);
        heap(heapBytes);
        return checks;
    }

    private void bridge() {
        String where = config.admin().host() + ":" + config.admin().port();
        if (bridge instanceof RunningBridge.Runs runs) {
            if (runs.ready()) {
                checks.add(
                        runs.problems().isEmpty()
                                ? Check.ok("bridge", "runs and is ready, operators at " + where)
                                : Check.warn(
                                        "bridge",
                                        "runs and is ready, and says: " + String.join(" ", runs.problems()),
                                        "It works, but needs somebody.",
                                        "Do what it says."));
            } else if (runs.standby()) {
                checks.add(Check.ok("bridge", "runs and stands by for another one, operators at " + where));
            } else {
                checks.add(Check.fail(
                        "bridge",
                        "runs and is not ready: " + String.join(" ", runs.problems()),
                        "It delivers nothing while that is so.",
                        "Do what it says; its log says more."));
            }
        } else if (bridge instanceof RunningBridge.Strange strange) {
            checks.add(Check.warn(
                    "bridge",
                    strange.sentence(),
                    "Operators, probes and scrapes will not find a bridge there.",
                    "Is it a bridge with another admin.token or certificate, or something else?"));
        } else {
            checks.add(Check.ok("bridge", "none runs with this configuration, as far as can be seen at " + where));
        }
    }

    private boolean isRunning() {
        return bridge instanceof RunningBridge.Runs;
    }

    private void port(String section, String host, int port) {
        String name = section + " port";
        String where = host + ":" + port;
        if (port == 0) {
            checks.add(Check.ok(name, "any free one is taken at the start"));
            return;
        }
        String todo =
                "Stop what uses it ('ss -ltnp sport = :%d' says what), or set pushbridge.%s.port or pushbridge.%s.host."
                        .formatted(port, section, section);
        String why = "'serve' ends at once when it cannot listen there.";
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            checks.add(Check.fail(
                    name, host + " is no address of anything", why, "Correct pushbridge." + section + ".host."));
            return;
        }
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(address);
            checks.add(Check.ok(name, where + " is free"));
        } catch (BindException e) {
            boolean taken = String.valueOf(e.getMessage()).contains("in use");
            if (taken && isRunning()) {
                checks.add(Check.ok(
                        name,
                        where
                                + (section.equals("admin")
                                        ? " is the running bridge's"
                                        : " is taken, by the running bridge as it seems")));
            } else {
                checks.add(Check.fail(
                        name, where + (taken ? " is taken by something else" : ": " + e.getMessage()), why, todo));
            }
        } catch (IOException e) {
            checks.add(Check.fail(name, where + ": " + e.getMessage(), why, todo));
        }
    }

    private void files(OptionalLong ofThisProcess) {
        double running = metric("process_files_max_files");
        OptionalLong limit = running > 0 ? OptionalLong.of((long) running) : ofThisProcess;
        if (limit.isEmpty()) {
            checks.add(Check.unknown("file limit", "this system does not tell how many files a process may open", ""));
            return;
        }
        String whose = running > 0 ? "the running bridge" : "this shell";
        String warning = FileLimit.warning(config, limit.getAsLong());
        if (warning == null) {
            checks.add(Check.ok(
                    "file limit",
                    "%s may open %d files, enough for pushbridge.socket.max-connections=%d"
                            .formatted(whose, limit.getAsLong(), config.socket().maxConnections())));
        } else {
            checks.add(Check.warn(
                    "file limit",
                    "%s may open %d files, too few for pushbridge.socket.max-connections=%d"
                            .formatted(whose, limit.getAsLong(), config.socket().maxConnections()),
                    "At the limit nobody comes in any more, operators and RabbitMQ included.",
                    warning.substring(warning.indexOf("Raise it")) + "."
                            + (running > 0 ? "" : " A service has a limit of its own, which counts there.")));
        }
    }

    private void heap(long ofThisProcess) {
        double running = metric("jvm_memory_max_bytes");
        long heap = running > 0 ? (long) running : ofThisProcess;
        long needed = (long) config.amqp().prefetch() * config.message().maxBytes();
        long share = heap * config.intake().heapPercent() / 100;
        String what =
                "%s may have %s of heap; pushbridge.amqp.prefetch × pushbridge.message.max-bytes can take %s of its %s"
                        .formatted(
                                running > 0 ? "the running bridge" : "this Java",
                                Units.show(mebibytes(heap)),
                                Units.show(mebibytes(needed)),
                                Units.show(mebibytes(share)));
        checks.add(
                needed <= share
                        ? Check.ok("heap", what)
                        : Check.fail(
                                "heap",
                                what,
                                "Messages that large, as many as that, would end the process.",
                                "Give Java more (-Xmx), or lower one of the two."));
    }

    private static long mebibytes(long bytes) {
        return bytes < 1 << 20 ? bytes : bytes >> 20 << 20;
    }

    /** The sum of what the running bridge says of it; 0 when it says nothing. */
    private double metric(String name) {
        String text = bridge instanceof RunningBridge.Runs runs ? runs.metrics() : null;
        return text == null ? 0 : sum(text, name);
    }

    /** Of the heap, where there are areas; what has no limit counts nothing. */
    static double sum(String metrics, @Nullable String name) {
        Matcher line =
                Pattern.compile("(?m)^" + name + "(\\{[^}]*\\})? (\\S+)$").matcher(metrics);
        double sum = 0;
        while (line.find()) {
            String labels = line.group(1);
            if (labels == null || !labels.contains("area=") || labels.contains("area=\"heap\"")) {
                sum += Math.max(0, Double.parseDouble(line.group(2)));
            }
        }
        return sum;
    }
}
