package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import pushbridge.delivery.DeliveryStats;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.testing.Broker;
import pushbridge.testing.BrokerExtension;

/** Many connections and a mix of everything: each message is accounted for exactly, each address in order. */
@ExtendWith(BrokerExtension.class)
final class AccountingIT {

    private static final int CONNECTIONS = 1_000;
    private static final int MESSAGES = 50_000;
    private static final int CHANNELS = 20;
    private static final int CONFIRM_EVERY = 1_000;

    /** What one message is to end as. */
    private enum Kind {
        ONLINE_USER,
        CHANNEL,
        ALL,
        ABSENT_USER,
        EMPTY_CHANNEL,
        EXPIRED,
        INVALID
    }

    private final Random random = new Random(42);
    private final Map<Kind, Integer> published = new HashMap<>();
    /** The sequence numbers published to each address that somebody listens to, in order. */
    private final Map<String, List<Integer>> expected = new HashMap<>();

    @Test
    void everyMessageIsAccountedForAndEveryAddressIsInOrder(Broker broker) throws Exception {
        try (TestBridge bridge = TestBridge.start(broker.config(4_096, MESSAGES))) {
            bridge.awaitReady();
            List<WebClient> clients = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                clients.add(bridge.connect("user=u" + i + "&channels=c" + i % CHANNELS));
            }
            bridge.awaitSessions(CONNECTIONS);

            publishAll(broker);
            DeliveryStats stats = bridge.bridge().stats();
            Awaitility.await("everything settled")
                    .atMost(TestBridge.LONG.multipliedBy(2))
                    .until(() -> settled(stats) == MESSAGES);
            Awaitility.await("every frame at its client")
                    .atMost(TestBridge.LONG)
                    .until(() -> allReceived(clients));
            for (int i = 0; i < CONNECTIONS; i++) {
                checkClient(i, clients.get(i).texts());
            }

            // published = delivered + held + dead + expired + dropped, each exactly
            assertThat(stats.received()).isEqualTo(MESSAGES);
            assertThat(stats.delivered()).isEqualTo(count(Kind.ONLINE_USER) + count(Kind.CHANNEL) + count(Kind.ALL));
            assertThat(stats.held()).isEqualTo(count(Kind.ABSENT_USER));
            assertThat(stats.heldMessages()).isEqualTo(count(Kind.ABSENT_USER));
            assertThat(stats.dead(DeadLetterReason.OFFLINE)).isZero();
            assertThat(stats.dead(DeadLetterReason.MALFORMED)).isEqualTo(count(Kind.INVALID));
            assertThat(stats.expired()).isEqualTo(count(Kind.EXPIRED));
            assertThat(stats.dropped()).isEqualTo(count(Kind.EMPTY_CHANNEL));
            assertThat(stats.unsettled()).isZero();
            // and the broker agrees
            broker.awaitReady(broker.prefix() + ".instructions", 0);
            broker.awaitReady(broker.prefix() + ".dead", count(Kind.INVALID));
            broker.awaitReady(broker.prefix() + ".expired", count(Kind.EXPIRED));
            clients.forEach(WebClient::close);
        }
    }

    private void publishAll(Broker broker) throws Exception {
        try (Channel channel = broker.connection().createChannel()) {
            channel.confirmSelect();
            for (int i = 1; i <= MESSAGES; i++) {
                publish(broker, channel, i);
                if (i % CONFIRM_EVERY == 0) {
                    channel.waitForConfirmsOrDie(TestBridge.LONG.toMillis());
                }
            }
        }
    }

    private void publish(Broker broker, Channel channel, int seq) throws Exception {
        int dice = random.nextInt(1_000);
        Kind kind = dice < 600
                ? Kind.ONLINE_USER
                : dice < 680
                        ? Kind.CHANNEL
                        : dice < 682
                                ? Kind.ALL
                                : dice < 780
                                        ? Kind.ABSENT_USER
                                        : dice < 860 ? Kind.EMPTY_CHANNEL : dice < 920 ? Kind.EXPIRED : Kind.INVALID;
        String address = switch (kind) {
            case ONLINE_USER, INVALID, EXPIRED -> "user.u" + random.nextInt(CONNECTIONS);
            case CHANNEL -> "channel.c" + random.nextInt(CHANNELS);
            case ALL -> "all";
            case ABSENT_USER -> "user.absent" + random.nextInt(CONNECTIONS);
            case EMPTY_CHANNEL -> "channel.empty";
        };
        BasicProperties.Builder properties = new BasicProperties.Builder().deliveryMode(2);
        if (kind == Kind.EXPIRED) {
            properties.timestamp(Date.from(Instant.now().minusSeconds(7_200))).expiration("3600000");
        }
        String body = kind == Kind.INVALID ? "{" : "{\"type\":\"n\",\"payload\":{},\"seq\":" + seq + "}";
        channel.basicPublish(broker.prefix(), address, properties.build(), body.getBytes(StandardCharsets.UTF_8));
        published.merge(kind, 1, Integer::sum);
        if (kind == Kind.ONLINE_USER || kind == Kind.CHANNEL || kind == Kind.ALL) {
            expected.computeIfAbsent(address, a -> new ArrayList<>()).add(seq);
        }
    }

    private long count(Kind kind) {
        return published.getOrDefault(kind, 0);
    }

    private static long settled(DeliveryStats stats) {
        return stats.delivered()
                + stats.held()
                + stats.expired()
                + stats.dropped()
                + Stream.of(DeadLetterReason.values()).mapToLong(stats::dead).sum();
    }

    private boolean allReceived(List<WebClient> clients) {
        for (int i = 0; i < clients.size(); i++) {
            if (clients.get(i).received() < framesFor(i)) {
                return false;
            }
        }
        return true;
    }

    private static List<String> addressesOf(int client) {
        return List.of("user.u" + client, "channel.c" + client % CHANNELS, "all");
    }

    private int framesFor(int client) {
        return addressesOf(client).stream()
                .mapToInt(address -> expected.getOrDefault(address, List.of()).size())
                .sum();
    }

    /** Exactly what was published to its addresses, each address in publish order: no loss, no duplicate, no more. */
    private void checkClient(int client, List<String> texts) {
        Map<String, List<Integer>> seen = new HashMap<>();
        for (String text : texts) {
            String address = text.substring("{\"to\":\"".length(), text.indexOf('"', 7));
            int seq = Integer.parseInt(text.substring(text.lastIndexOf(':') + 1, text.length() - 1));
            seen.computeIfAbsent(address, a -> new ArrayList<>()).add(seq);
        }
        Map<String, List<Integer>> wanted = new HashMap<>();
        for (String address : addressesOf(client)) {
            if (expected.containsKey(address)) {
                wanted.put(address, expected.getOrDefault(address, List.of()));
            }
        }
        assertThat(seen).as("what client %d received", client).isEqualTo(wanted);
    }
}
