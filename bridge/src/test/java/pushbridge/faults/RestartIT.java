package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an operator does on purpose: ends a bridge with SIGTERM, once or twice. */
@Tag("slow")
final class RestartIT {

    /** Pages looked at in every detail, and as many others as the promise speaks of. */
    private static final int PAGES = 200;

    private static final int OTHERS = Integer.getInteger("pushbridge.restart.pages", 5_000) - PAGES;

    private static final long SPREAD_SECONDS = 8;

    /** A quarter of it is for saying good-bye, to 5,000 on a machine that plays all of them beside two bridges. */
    private static final long GRACE_SECONDS = 20;

    private static RabbitNodes rabbit;

    @BeforeAll
    static void startRabbit() throws Exception {
        rabbit = RabbitNodes.start(1);
    }

    @AfterAll
    static void stopRabbit() throws Exception {
        rabbit.close();
    }

    @Test
    void aRollingRestartUnderLoadLosesNothingAndPagesComeBackSpread() throws Exception { // I1, I2, I3
        String fault = "rolling restart (SIGTERM) of an owner and its standby, %,d pages".formatted(PAGES + OTHERS);
        try (Scenario run = new Scenario(fault, rabbit.uris(), PAGES, OTHERS)
                .with("socket.max-connections-per-address", "10000")
                .with("socket.max-handshakes-per-second-per-address", "2000")
                // For 5,000 pages the pings of a fault's usual haste would be most of the work.
                .with("socket.ping-interval", "10s")
                .with("socket.pong-timeout", "20s")
                .with("shutdown.spread", SPREAD_SECONDS + "s")
                .with("shutdown.grace", GRACE_SECONDS + "s")) {
            BridgeProcess first = run.bridge();
            first.awaitReady();
            BridgeProcess second = run.bridge();
            run.begin();
            for (BridgeProcess[] turn :
                    List.of(new BridgeProcess[] {first, second}, new BridgeProcess[] {second, first})) {
                BridgeProcess leaving = turn[0];
                BridgeProcess staying = turn[1];
                Waiting.until("the standby to answer", () -> !staying.answer().isEmpty());
                run.flow(400);
                run.takeLongestSilenceMillis();
                run.residents().forEach(RecordingClient::takeDelays);
                run.crowd().takeDelays();
                long began = System.nanoTime();
                leaving.terminate();
                assertThat(leaving.awaitEnd()).as("exit code").isZero();
                long ended = System.nanoTime();
                staying.awaitReady();
                run.delivery(400);
                Waiting.until(
                        "all pages to be back",
                        () -> run.residents().stream()
                                        .filter(RecordingClient::isTold)
                                        .allMatch(RecordingClient::connected)
                                && run.crowd().connected() == OTHERS);
                assertThat(TimeUnit.NANOSECONDS.toSeconds(ended - began))
                        .as("seconds for the end in order")
                        .isLessThan(GRACE_SECONDS + 5);
                assertThat(run.crowd().problems())
                        .as("lost or reordered in the crowd")
                        .isEmpty();
                int told = assertSpread(run);
                note(told, run.takeLongestSilenceMillis(), TimeUnit.NANOSECONDS.toMillis(ended - began));
                leaving.start(); // the next standby
                // Until it answers, a signal ends the JVM as it would any other.
                Waiting.until(
                        "the next standby to answer", () -> !leaving.answer().isEmpty());
            }
            run.finish();
        }
    }

    /**
     * Each quarter of the time has its share of those that are asked to come back: at once would be a herd. When they
     * really are back depends on the machine that plays all of them.
     */
    private static int assertSpread(Scenario run) {
        List<Long> delays = Stream.concat(
                        run.residents().stream().flatMap(client -> client.takeDelays().stream()),
                        run.crowd().takeDelays().stream())
                .toList();
        // Nearly all: a page that is reset before it has read what came in front of the end
        // never sees it, and one thread reads for thousands here.
        assertThat(delays.size()).as("pages that were asked to wait").isGreaterThan((PAGES + OTHERS) * 3 / 4);
        long quarter = TimeUnit.SECONDS.toMillis(SPREAD_SECONDS) / 4;
        Map<Long, Long> shares =
                delays.stream().collect(Collectors.groupingBy(delay -> delay / quarter, Collectors.counting()));
        assertThat(shares).as("pages by quarter of the time").containsOnlyKeys(0L, 1L, 2L, 3L);
        assertThat(shares.values())
                .as("of %d pages in each quarter of the time: %s", delays.size(), shares)
                .allSatisfy(share -> assertThat(share).isBetween(delays.size() / 8L, delays.size() * 3L / 8));
        return delays.size();
    }

    private static void note(int told, long silenceMillis, long stopMillis) throws Exception {
        String line =
                "%,d pages, %,d of them told when to come back: nobody got anything new for %,d ms; the end in order took %,d ms%n"
                        .formatted(PAGES + OTHERS, told, silenceMillis, stopMillis);
        System.out.print("Rolling restart, " + line);
        Files.writeString(
                Results.FOLDER.resolve("restarts.txt"), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Test
    void aSecondSignalEndsItAtOnceAndLosesNothing() throws Exception { // I1
        try (Scenario run = new Scenario("bridge ended by two signals", rabbit.uris(), 30)
                .with("shutdown.grace", "10m")
                .with("socket.stall-after", "10m")) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            // Who reads nothing holds up the end in order.
            run.residents().stream().limit(5).forEach(RecordingClient::stall);
            run.flow(200);
            bridge.terminate();
            Waiting.until("it to be stopping", () -> !bridge.ready());
            assertThat(bridge.alive()).isTrue();
            bridge.terminate();
            assertThat(bridge.awaitEnd()).isEqualTo(143);
            bridge.start();
            bridge.awaitReady();
            run.finish();
        }
    }
}
