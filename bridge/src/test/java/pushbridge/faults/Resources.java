package pushbridge.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What processes of bridges take over time, looked at while nothing is under way. A process is compared only with itself:
 * the middle value of the first third of its life with that of the last.
 */
final class Resources {

    /** Fewer say nothing about a trend. */
    private static final int FEWEST = 9;

    private final Map<String, List<Sample>> samples = new LinkedHashMap<>();

    /**
     * One look at one process.
     *
     * @param heap bytes in use after a full collection
     * @param resident bytes of memory that the kernel counts for it
     * @param files what it has open, its clients' sockets not counted
     */
    record Sample(long heap, long resident, int threads, long files) {}

    private static final List<Measure> MEASURES = List.of(
            new Measure("heap after GC, MB", 1e6, 0.10, 4e6, Sample::heap),
            new Measure("RSS, MB", 1e6, 0.10, 16e6, Sample::resident),
            new Measure("threads", 1, 0, 4, Sample::threads),
            new Measure("file handles", 1, 0, 8, Sample::files));

    /**
     * What is looked at.
     *
     * @param unit what one in the table stands for
     * @param share growth by this share of itself is tolerated
     * @param least and by so much in any case
     */
    private record Measure(String title, double unit, double share, double least, ToDoubleFunction<Sample> value) {

        double middle(List<Sample> part) {
            double[] sorted = part.stream().mapToDouble(value).sorted().toArray();
            return sorted[sorted.length / 2];
        }

        boolean isFlat(double first, double last) {
            return last - first <= Math.max(first * share, least);
        }
    }

    /** Whether a process can be looked at: only where the kernel shows it under /proc. */
    static boolean measurable() {
        return Files.isDirectory(Path.of("/proc", "self", "fd"));
    }

    /** Looks at one that serves or stands by, after a collection. */
    void sample(String name, BridgeProcess bridge) throws IOException, InterruptedException {
        bridge.collectGarbage();
        long heap = Math.round(bridge.metric("jvm_memory_used_bytes", "area=\"heap\""));
        Path proc = Path.of("/proc", Long.toString(bridge.pid()));
        long files;
        try (Stream<Path> open = Files.list(proc.resolve("fd"))) {
            files = open.count();
        }
        String role = bridge.ready() ? "owner" : "standby";
        add(
                name + ", process " + bridge.pid() + ", as " + role,
                new Sample(
                        heap,
                        status(proc, "VmRSS") * 1_024,
                        Math.toIntExact(status(proc, "Threads")),
                        files - Math.round(bridge.metric("pushbridge_connections"))));
    }

    /** @param process what is compared with itself: one process in one role, since an owner has more to hold */
    void add(String process, Sample sample) {
        samples.computeIfAbsent(process, key -> new ArrayList<>()).add(sample);
    }

    private static long status(Path proc, String field) throws IOException {
        return Files.readAllLines(proc.resolve("status")).stream()
                .filter(line -> line.startsWith(field + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + field + " in " + proc));
    }

    /** What was seen of each process that lived long enough, first to last third. */
    String table() {
        StringBuilder table = new StringBuilder("| process | looks |");
        MEASURES.forEach(measure -> table.append(' ').append(measure.title).append(" |"));
        table.append(" flat |\n| --- | ---: |")
                .append(" ---: |".repeat(MEASURES.size()))
                .append(" --- |\n");
        judged().forEach((process, all) -> {
            table.append("| %s | %d |".formatted(process, all.size()));
            for (Measure measure : MEASURES) {
                table.append(" %.1f → %.1f |"
                        .formatted(
                                measure.middle(first(all)) / measure.unit, measure.middle(last(all)) / measure.unit));
            }
            table.append(isFlat(all) ? " yes |\n" : " **no** |\n");
        });
        return table.toString();
    }

    /** The tolerances, for people. */
    static String tolerances() {
        return MEASURES.stream()
                .map(measure -> "%s%.0f (%s)"
                        .formatted(
                                measure.share > 0 ? "%.0f%% or ".formatted(measure.share * 100) : "",
                                measure.least / measure.unit,
                                measure.title))
                .collect(Collectors.joining(
                        ", ",
                        "Shown: the middle value of the first and of the last third of at least %d looks at a process"
                                        .formatted(FEWEST)
                                + " while nothing was under way. Flat: it rose by no more than ",
                        "."));
    }

    /** Whether any process lived long enough to be judged. */
    boolean judges() {
        return !judged().isEmpty();
    }

    boolean flat() {
        return judged().values().stream().allMatch(Resources::isFlat);
    }

    private Map<String, List<Sample>> judged() {
        Map<String, List<Sample>> judged = new LinkedHashMap<>();
        samples.forEach((process, all) -> {
            if (all.size() >= FEWEST) {
                judged.put(process, all);
            }
        });
        return judged;
    }

    private static List<Sample> first(List<Sample> all) {
        return all.subList(0, all.size() / 3);
    }

    private static List<Sample> last(List<Sample> all) {
        return all.subList(all.size() - all.size() / 3, all.size());
    }

    private static boolean isFlat(List<Sample> all) {
        return MEASURES.stream()
                .allMatch(measure -> measure.isFlat(measure.middle(first(all)), measure.middle(last(all))));
    }
}
