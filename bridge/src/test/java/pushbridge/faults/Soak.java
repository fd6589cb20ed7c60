package pushbridge.faults;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Breaks things at random for as long as asked: fault, wait until all is well again, judge, and again. What is drawn
 * depends on the seed alone. {@code scripts/soak} runs it.
 */
public final class Soak {

    /**
     * The share of the time in which bridges are ended, too. From then on their processes live, so that what they take
     * can be compared over time.
     */
    private static final double MORTAL_SHARE = 0.4;

    private final Duration length;
    private final Random random;
    private final SoakWorld world;
    private final PrintStream progress;
    private final Map<SoakFault, Tally> tallies = new EnumMap<>(SoakFault.class);
    private final Resources resources = new Resources();
    private final List<String> complaints = new ArrayList<>();
    private final List<SoakFault> bag = new ArrayList<>();
    private int rounds;

    private Soak(Duration length, long seed, SoakWorld world, PrintStream progress) {
        this.length = length;
        this.random = new Random(seed);
        this.world = world;
        this.progress = progress;
    }

    /**
     * Runs one; exits with 0 when every promise was kept, else 1.
     *
     * @param arguments the minutes, and optionally the seed
     */
    public static void main(String[] arguments) throws Exception {
        Duration length = Duration.ofSeconds(Math.round(Double.parseDouble(arguments[0]) * 60));
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : new Random().nextInt(1_000_000);
        PrintStream progress = System.err;
        progress.println("Seed " + seed);
        boolean passed;
        try (RabbitNodes rabbit = RabbitNodes.start(1);
                SoakWorld world = new SoakWorld(rabbit, seed, progress)) {
            progress.println("Logs and data: " + rabbit.home());
            Soak soak = new Soak(length, seed, world, progress);
            passed = soak.run();
            String broker = rabbit.only().ctl("-q", "version").strip();
            System.out.print(soak.report(seed, broker));
        }
        System.exit(passed ? 0 : 1);
    }

    private boolean run() throws Exception {
        long began = System.nanoTime();
        world.begin();
        try {
            while (System.nanoTime() - began < length.toNanos()) {
                boolean mortal = System.nanoTime() - began < length.toNanos() * MORTAL_SHARE;
                round(draw(mortal), Duration.ofNanos(System.nanoTime() - began));
            }
        } catch (ConditionTimeoutException | AssertionError e) {
            complain("Round %d did not end: %s; %s".formatted(rounds, e.getMessage(), world.state()));
        }
        return complaints.isEmpty() && resources.flat();
    }

    /** All kinds come equally often, in random order. */
    private SoakFault draw(boolean mortal) {
        while (true) {
            if (bag.isEmpty()) {
                bag.addAll(List.of(SoakFault.values()));
                Collections.shuffle(bag, random);
            }
            SoakFault fault = bag.remove(bag.size() - 1);
            if (mortal || !fault.endsBridges()) {
                return fault;
            }
        }
    }

    private void round(SoakFault fault, Duration at) throws Exception {
        rounds++;
        world.last(random, 2, 5); // in full flow
        fault.strike(world, random);
        long ended = System.nanoTime();
        world.awaitReady(); // it may not have noticed yet, hence what follows
        SoakWorld.Round round = world.settle();
        Duration well = Duration.ofNanos(System.nanoTime() - ended);
        Verdict verdict = round.verdict();
        Tally tally = tallies.computeIfAbsent(fault, key -> new Tally());
        tally.add(verdict, well);
        progress.printf(
                "%3d:%02d  %-62s %,6d published, %,4d duplicated, %d lost, %d reordered, ready and drained after %.1f s%n",
                at.toMinutes(),
                at.toSecondsPart(),
                fault.title(),
                verdict.published(),
                verdict.duplicated(),
                verdict.lost().size(),
                verdict.reordered().size(),
                well.toMillis() / 1e3);
        if (!verdict.flawless()) {
            complain("Round %d, %s: %s".formatted(rounds, fault.title(), verdict));
        }
        if (verdict.copied() > 0) {
            complain("Round %d, %s: %d messages became dead letters or expired"
                    .formatted(rounds, fault.title(), verdict.copied()));
        }
        if (!round.settled()) {
            complain("Round %d, %s: not everything was settled; %s".formatted(rounds, fault.title(), world.state()));
        }
        look();
        world.goOn();
    }

    private void look() throws IOException, InterruptedException {
        if (!Resources.measurable()) {
            return;
        }
        int number = 0;
        for (BridgeProcess bridge : world.bridges()) {
            resources.sample("bridge " + ++number, bridge);
        }
    }

    private void complain(String sentence) {
        complaints.add(sentence);
        progress.println("   FAILED: " + sentence);
    }

    private String report(long seed, String broker) {
        StringBuilder report = new StringBuilder(
                "%n%d minutes, seed %d, RabbitMQ %s, Java %s, %d processors; %d pages, %d messages a second%n%n"
                        .formatted(
                                length.toMinutes(),
                                seed,
                                broker,
                                System.getProperty("java.version"),
                                Runtime.getRuntime().availableProcessors(),
                                SoakWorld.USERS,
                                SoakWorld.RATE));
        report.append("""
                | fault | times | published | delivered | duplicated | lost | reordered | ready and drained within |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
                """);
        Tally all = new Tally();
        tallies.forEach((fault, tally) -> {
            report.append(tally.line(fault.title()));
            all.add(tally);
        });
        report.append(all.line("**all**"))
                .append('\n')
                .append(resources.table())
                .append('\n')
                .append(Resources.tolerances())
                .append(resources.judges() ? "" : " None was looked at often enough, so nothing is judged.")
                .append('\n');
        Stream.concat(complaints.stream(), resources.flat() ? Stream.of() : Stream.of("A process grows"))
                .forEach(sentence -> report.append("FAILED: ").append(sentence).append('\n'));
        return report.append(complaints.isEmpty() && resources.flat() ? "passed\n" : "")
                .toString();
    }

    /** What has happened under one kind of fault. */
    private static final class Tally {
        private int times;
        private long published;
        private long delivered;
        private long duplicated;
        private long lost;
        private long reordered;
        private Duration longest = Duration.ZERO;

        void add(Verdict verdict, Duration well) {
            times++;
            published += verdict.published();
            delivered += verdict.delivered();
            duplicated += verdict.duplicated();
            lost += verdict.lost().size();
            reordered += verdict.reordered().size();
            longest = well.compareTo(longest) > 0 ? well : longest;
        }

        void add(Tally other) {
            times += other.times;
            published += other.published;
            delivered += other.delivered;
            duplicated += other.duplicated;
            lost += other.lost;
            reordered += other.reordered;
            longest = other.longest.compareTo(longest) > 0 ? other.longest : longest;
        }

        String line(String title) {
            return "| %s | %d | %,d | %,d | %,d | %d | %d | %.1f s |%n"
                    .formatted(
                            title, times, published, delivered, duplicated, lost, reordered, longest.toMillis() / 1e3);
        }
    }
}
