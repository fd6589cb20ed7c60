package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.config.BridgeConfig;
import pushbridge.config.IntakeConfig;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;
import pushbridge.testing.FaultProxy;

/** What browsers and operators see while RabbitMQ is away. */
@ExtendWith(BrokerExtension.class)
final class BrokerFaultsIT {

    private static String envelope(int seq) {
        return "{\"type\":\"n\",\"payload\":{},\"seq\":" + seq + "}";
    }

    @Test
    void startedBeforeRabbitMqItBecomesReadyWhenThatComes(Broker broker) throws Exception {
        try (FaultProxy proxy = new FaultProxy(broker.uri())) {
            proxy.refuse();
            try (TestBridge bridge = TestBridge.start(broker.config(proxy.uri(broker.uri())))) {
                WebClient ann = bridge.connect("user=ann");
                bridge.awaitSessions(1);
                HttpResponse<String> away = bridge.admin("/health/ready");
                assertThat(away.statusCode()).isEqualTo(503);
                assertThat(bridge.admin("/health/live").statusCode()).isEqualTo(200);

                proxy.permit();
                bridge.awaitReady();
                Broker.await(
                        "no problem left",
                        () -> bridge.bridge().health().problems().isEmpty());
                broker.publish("user.ann", envelope(1));
                ann.await(1);
            }
        }
    }

    @Test
    void ofSeveralAddressesTheNextOneIsTriedWhenOneIsDead(Broker broker) throws Exception {
        URI dead;
        try (ServerSocket reserved = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = URI.create("amqp://guest:guest@127.0.0.1:" + reserved.getLocalPort() + "/%2F");
        }
        try (TestBridge bridge = TestBridge.start(broker.config(dead, broker.uri()))) {
            bridge.awaitReady();
        }
    }

    @Test
    void nothingIsTakenBeforeTheStartDelayIsOver(Broker broker) throws Exception {
        BridgeConfig config = TestBridge.config(broker.config(), TestBridge.LONG, null);
        BridgeConfig late = new BridgeConfig(
                config.amqp(),
                new IntakeConfig(Duration.ofHours(1), Duration.ZERO, 50, 20),
                config.message(),
                config.delivery(),
                config.hold(),
                config.outbox(),
                config.socket(),
                config.auth(),
                config.admin(),
                config.letters(),
                config.receipts(),
                config.shutdown());
        try (TestBridge bridge = TestBridge.start(late)) {
            bridge.awaitReady();
            broker.publish("user.ann", envelope(1));
            broker.awaitReady(broker.prefix() + ".instructions", 1);
            assertThat(bridge.bridge().stats().received()).isZero();
        }
    }

    @Test
    void browsersStayConnectedThroughABrokenBrokerConnectionAndMissNothing(Broker broker) throws Exception {
        try (FaultProxy proxy = new FaultProxy(broker.uri());
                TestBridge bridge = TestBridge.start(broker.config(proxy.uri(broker.uri())))) {
            bridge.awaitReady();
            WebClient ann = bridge.connect("user=ann");
            bridge.awaitSessions(1);
            for (int seq = 1; seq <= 300; seq++) {
                broker.publish("user.ann", envelope(seq));
                if (seq % 60 == 0) {
                    proxy.cut();
                }
            }
            Broker.await("message 300", () -> ann.texts().stream().anyMatch(text -> text.contains("\"seq\":300}")));

            List<String> first = ann.texts().stream().distinct().toList();
            assertThat(first).hasSize(300);
            for (int seq = 1; seq <= 300; seq++) {
                assertThat(first.get(seq - 1)).contains("\"seq\":" + seq + "}");
            }
            assertThat(ann.closed()).isNotDone();
            Broker.await("everything settled", () -> bridge.bridge().stats().unsettled() == 0);
            broker.awaitReady(broker.prefix() + ".instructions", 0);
        }
    }

    @Test
    void aSecondBridgeStandsByAndTakesOver(Broker broker) throws Exception {
        try (TestBridge second = startSecondAfterFirst(broker)) {
            WebClient ann = second.connect("user=ann");
            second.awaitSessions(1);
            broker.publish("user.ann", envelope(7));
            assertThat(ann.await(1).get(0)).contains("\"seq\":7}");
        }
    }

    private static TestBridge startSecondAfterFirst(Broker broker) throws Exception {
        TestBridge first = TestBridge.start(broker.config());
        TestBridge second;
        try (first) {
            first.awaitReady();
            second = TestBridge.start(broker.config());
            Broker.await(
                    "the second to stand by",
                    () -> second.bridge().health().problems().toString().contains("Another bridge is the owner"));
            HttpResponse<String> refused = TestBridge.HTTP.send(
                    java.net.http.HttpRequest.newBuilder(second.publicUri("/ws?user=ann"))
                            .header(
                                    "Origin",
                                    "http://127.0.0.1:" + second.bridge().socketPort())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(refused.statusCode()).isIn(426, 503);
            WebClient ann = first.connect("user=ann");
            first.awaitSessions(1);
            broker.publish("user.ann", envelope(1));
            ann.await(1);
        }
        second.awaitReady();
        return second;
    }

    @Test
    void stoppingTellsTheClientsAndLeavesTheRestToRabbitMq(Broker broker) throws Exception {
        WebClient page;
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            page = bridge.connect("user=ann", "pushbridge.v1");
            page.await(1);
            bridge.awaitSessions(1);
            broker.publish("user.ann", envelope(1)); // never acknowledged
            page.await(2);
        }
        assertThat(page.closed().get()).isEqualTo(1012);
        assertThat(page.texts().get(2)).contains("bridge.going-away");
        broker.awaitReady(broker.prefix() + ".instructions", 1);
    }

    @Test
    void aClientThatLeavesAtOnceWhenToldSoDoesNotTurnItsMessageIntoADeadLetter(Broker broker) throws Exception { // I7
        int clients = 100;
        try (TestBridge bridge = TestBridge.start(broker.config())) {
            bridge.awaitReady();
            List<WebClient> pages = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                WebClient page = bridge.connect("user=u" + i, "pushbridge.v1");
                page.leaveAt("bridge.going-away");
                pages.add(page);
            }
            bridge.awaitSessions(clients);
            for (int i = 0; i < clients; i++) {
                broker.publish("user.u" + i, envelope(1)); // never acknowledged
            }
            pages.forEach(page -> page.await(2));
        }
        broker.awaitReady(broker.prefix() + ".dead", 0);
        // Held or still in the queue: the next bridge has them all.
        try (TestBridge next = TestBridge.start(broker.config())) {
            next.awaitReady();
            for (int i = 0; i < clients; i++) {
                try (WebClient page = next.connect("user=u" + i)) {
                    assertThat(page.await(1).get(0)).contains("\"to\":\"user.u" + i + "\"");
                }
            }
        }
    }
}
