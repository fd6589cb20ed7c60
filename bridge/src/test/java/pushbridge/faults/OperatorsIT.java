package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** Killed with -9 in the middle of what an operator does: nothing is lost, and a message comes twice at most. */
@ExtendWith(BrokerExtension.class)
final class OperatorsIT {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final Broker broker;
    private final BridgeProcess bridge;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final List<RecordingClient> pages = new ArrayList<>();

    OperatorsIT(Broker broker) throws IOException {
        this.broker = broker;
        bridge = new BridgeProcess(
                "operators",
                Files.createDirectories(Results.FOLDER.resolve("operators-" + broker.prefix())),
                List.of("-Xmx256m"),
                Map.of(),
                List.of(broker.uri()),
                broker.prefix(),
                Scenario.SETTINGS);
    }

    @AfterEach
    void stop() throws InterruptedException {
        timer.shutdownNow();
        pages.forEach(RecordingClient::close);
        bridge.close();
    }

    private void startBridge() throws IOException {
        bridge.start();
        bridge.awaitReady();
    }

    private static String envelope(String address, int seq) {
        return "{\"type\":\"n\",\"payload\":{},\"seq\":%d,\"to\":\"%s\"}".formatted(seq, address);
    }

    private void publish(String address, int count) throws IOException {
        for (int seq = 1; seq <= count; seq++) {
            broker.publish(address, envelope(address, seq));
        }
    }

    private void awaitHeld(int count) {
        Waiting.until(count + " held", () -> bridge.metric("pushbridge_held_messages") == count);
    }

    private String dead() {
        return broker.prefix() + ".dead";
    }

    private CompletableFuture<HttpResponse<String>> post(String path, String body) {
        return HTTP.sendAsync(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + bridge.adminPort() + path))
                        .header("Content-Type", "application/json")
                        .header("X-Pushbridge-Request", "1")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    /** The bridge was killed in the middle. */
    private static void assertIsCutOff(CompletableFuture<HttpResponse<String>> answer) throws Exception {
        assertThat(answer.handle((whole, failure) -> failure != null).get())
                .as("no whole answer")
                .isTrue();
    }

    private RecordingClient page(String user) {
        RecordingClient page = new RecordingClient(
                user, RecordingClient.Kind.V1, List.of(bridge.webSocket()), timer, text -> {}, user.hashCode());
        pages.add(page);
        page.come();
        return page;
    }

    private static List<Long> seqs(List<String> texts, String address) {
        return texts.stream()
                .map(Frame::of)
                .filter(frame -> frame.address().equals(address))
                .map(Frame::seq)
                .toList();
    }

    private static List<Long> range(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(Long::valueOf).toList();
    }

    private static int most(List<Long> seqs) {
        Map<Long, Integer> counts = new HashMap<>();
        seqs.forEach(seq -> counts.merge(seq, 1, Integer::sum));
        return counts.values().stream().mapToInt(count -> count).max().orElse(0);
    }

    @Test
    void heldMessagesOnTheirWayToTheDeadLetters() throws Exception { // I1, I2, I3
        int count = 300;
        startBridge();
        publish("user.ann", count);
        publish("user.bob", count);
        awaitHeld(2 * count);
        CompletableFuture<HttpResponse<String>> answer =
                post("/api/held/dead-letter", "{\"all\":true,\"dryRun\":false}");
        Waiting.until("some to be there", () -> broker.ready(dead()) >= 60);
        bridge.kill();
        assertIsCutOff(answer);

        startBridge();
        List<String> letters =
                broker.drain(dead()).stream().map(Broker.Message::body).toList();
        assertThat(letters).as("it was in the middle").hasSizeBetween(60, 2 * count - 1);
        for (String user : List.of("ann", "bob")) {
            String address = "user." + user;
            List<Long> moved = seqs(letters, address);
            assertThat(moved).as("I2: in order, none twice").isEqualTo(range(moved.size()));
            RecordingClient page = page(user);
            Waiting.until(
                    "the rest to be delivered",
                    () -> seqs(page.texts(), address).contains((long) count));
            List<Long> delivered = seqs(page.texts(), address);
            int first = delivered.get(0).intValue();
            assertThat(first).as("I1: nothing is in neither").isLessThanOrEqualTo(moved.size() + 1);
            assertThat(delivered)
                    .as("I3: the rest in order, none twice")
                    .isEqualTo(range(count).subList(first - 1, count));
        }
        awaitHeld(0);
    }

    @Test
    void whatWasSaidToBeDroppedStaysDropped() throws Exception { // I1
        startBridge();
        publish("user.ann", 50);
        publish("user.bob", 5);
        awaitHeld(55);
        assertThat(post("/api/held/drop", "{\"addresses\":[\"user.a*\"],\"dryRun\":false}")
                        .get()
                        .body())
                .contains("\"messages\":50");
        bridge.kill();
        startBridge();
        awaitHeld(5);
    }

    @Test
    void deadLettersThatABridgeReplays() throws Exception { // I1, I3
        int count = 400;
        startBridge();
        publish("user.ann", count);
        awaitHeld(count);
        String all = "{\"queue\":\"dead\",\"filter\":{},\"how\":{},\"dryRun\":false}";
        assertThat(post("/api/held/dead-letter", "{\"all\":true,\"dryRun\":false}")
                        .get()
                        .body())
                .contains("\"messages\":" + count);
        awaitHeld(0);

        CompletableFuture<HttpResponse<String>> answer = post("/api/dead-letters/replay", all);
        // Nobody is there, so that what comes back is held: as often as it was published.
        Waiting.until("some to be back", () -> bridge.metric("pushbridge_held_messages") >= 1);
        bridge.kill();
        assertIsCutOff(answer);

        startBridge();
        long left = broker.ready(dead());
        String rest = post("/api/dead-letters/replay", all).get().body();
        assertThat(rest).contains("\"replayed\":" + left);
        Waiting.until("none to be left", () -> broker.ready(dead()) == 0);
        RecordingClient page = page("ann");
        Waiting.until("all to be there", () -> seqs(page.texts(), "user.ann").containsAll(range(count)));
        awaitHeld(0);
        List<Long> delivered = seqs(page.texts(), "user.ann");
        assertThat(most(delivered)).as("at most a duplicate").isLessThanOrEqualTo(2);
        assertThat(new LinkedHashSet<>(delivered)).as("first sights in order").containsExactlyElementsOf(range(count));
    }

    @Test
    void deadLettersThatTheCommandLineReplays() throws Exception { // I1, I3
        int users = 10;
        int each = 200;
        startBridge();
        for (int user = 0; user < users; user++) {
            publish("user.u" + user, each);
        }
        awaitHeld(users * each);
        assertThat(post("/api/held/dead-letter", "{\"all\":true,\"dryRun\":false}")
                        .get()
                        .body())
                .contains("\"messages\":" + users * each);
        bridge.kill();
        int count = (int) broker.ready(dead());
        assertThat(count).isEqualTo(users * each);

        String instructions = broker.prefix() + ".instructions";
        Process first = replay("replay-killed.log");
        Waiting.until("some to be published", () -> broker.ready(instructions) >= 1);
        first.destroyForcibly().waitFor();
        assertThat(broker.ready(instructions)).as("it was in the middle").isLessThan(count);

        // Until RabbitMQ has noticed that it is gone, it still holds the lock: 75, try again.
        Waiting.until("the rest to be replayed", () -> replay("replay-rest.log").waitFor() == 0);
        assertThat(broker.ready(dead())).isZero();

        startBridge();
        for (int user = 0; user < users; user++) {
            String address = "user.u" + user;
            RecordingClient page = page("u" + user);
            Waiting.until("all to be there", () -> seqs(page.texts(), address).containsAll(range(each)));
            List<Long> delivered = seqs(page.texts(), address);
            assertThat(most(delivered)).as("at most a duplicate").isLessThanOrEqualTo(2);
            assertThat(new LinkedHashSet<>(delivered))
                    .as("first sights in order")
                    .containsExactlyElementsOf(range(each));
        }
    }

    private Process replay(String log) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "pushbridge.Main",
                "dead-letters",
                "replay",
                "--all",
                "--yes",
                "--direct"));
        command.addAll(List.of("--set", "amqp.uri=" + broker.uri(), "--set", "amqp.prefix=" + broker.prefix()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        Results.FOLDER.resolve(log).toFile()));
        builder.environment().keySet().removeIf(key -> key.startsWith("PUSHBRIDGE_"));
        return builder.start();
    }
}
