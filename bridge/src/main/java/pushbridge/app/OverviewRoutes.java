package pushbridge.app;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.admin.Health;
import pushbridge.amqp.BrokerException;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.CopyPublisher;
import pushbridge.amqp.Finding;
import pushbridge.amqp.QueueDepths;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.amqp.Topology;
import pushbridge.cli.Version;
import pushbridge.config.BridgeConfig;
import pushbridge.config.ShownSetting;
import pushbridge.delivery.DeliveryLoop;
import pushbridge.delivery.DeliveryStats;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.socket.SocketServer;
import pushbridge.timing.Durations;

/**
 * What operators can ask about the bridge as a whole: {@code /api/overview} at once, from memory; {@code /api/queues} and
 * {@code /api/topology} of RabbitMQ; {@code /api/config}.
 */
record OverviewRoutes(
        BridgeConfig config,
        String node,
        Supplier<Health> health,
        DeliveryStats stats,
        BrokerStatus broker,
        CopyPublisher copies,
        SocketServer sockets,
        QueueDepths queues,
        Supplier<List<ShownSetting>> settings) {

    void register(AdminServer admin) {
        admin.register("GET", "/api/overview", request -> AdminAnswer.json(overview()));
        admin.register("GET", "/api/queues", this::queues);
        admin.register("GET", "/api/topology", this::topology);
        admin.register("GET", "/api/config", request -> AdminAnswer.json(Map.of("settings", shown())));
    }

    /** Counters grow, so that whoever asks twice knows the rates in between. */
    private Map<String, Object> overview() {
        Health now = health.get();
        BrokerStatus.Snapshot state = broker.snapshot();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("node", node);
        body.put("version", Version.text());
        body.put("ready", now.ready());
        body.put("checks", now.checks());
        body.put("problems", now.problems());
        body.put("ownership", state.ownership().name().toLowerCase(Locale.ROOT));
        body.put("epoch", stats.epoch());
        body.put("connections", sockets.connections());
        body.put("connectionsMax", config.socket().maxConnections());
        body.put("users", stats.users());
        body.put("channels", stats.channels());
        body.put("unsettled", stats.unsettled());
        body.put("prefetch", config.amqp().prefetch());
        body.put("oldestUnsettledMillis", stats.oldestUnsettledNanos() / 1_000_000);
        body.put("copiesWaiting", copies.waiting());
        body.put("outboxBytes", sockets.pendingBytes());
        body.put("held", held());
        body.put("counters", counters());
        body.put("dead", dead());
        body.put("boundsMillis", Durations.boundsMillis());
        body.put("publishedToWritten", latency(sockets.publishedToWritten()));
        body.put("publishedToAcked", latency(stats.publishedToAcked()));
        body.put("settling", latency(stats.settling()));
        return body;
    }

    private Map<String, Object> held() {
        Map<String, Object> held = new LinkedHashMap<>();
        held.put("messages", stats.heldMessages());
        held.put("messagesMax", config.hold().maxMessages());
        held.put("addresses", stats.heldAddresses());
        held.put("bytes", stats.heldBytes());
        held.put("bytesMax", config.hold().maxBytes());
        return held;
    }

    private Map<String, Long> counters() {
        Map<String, Long> counters = new LinkedHashMap<>();
        counters.put("received", stats.received());
        counters.put("delivered", stats.delivered());
        counters.put("held", stats.held());
        counters.put("heldDelivered", stats.heldDelivered());
        counters.put(
                "dead",
                Arrays.stream(DeadLetterReason.values()).mapToLong(stats::dead).sum());
        counters.put("expired", stats.expired());
        counters.put("dropped", stats.dropped());
        counters.put("returned", stats.returned());
        counters.put("frames", stats.framesOffered());
        return counters;
    }

    /** Since the start of the process; what lies in the queue only the letters themselves tell. */
    private List<Map<String, Object>> dead() {
        List<Map<String, Object>> dead = new ArrayList<>();
        for (DeadLetterReason reason : DeadLetterReason.values()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("reason", reason.slug());
            one.put("meaning", reason.meaning());
            one.put("count", stats.dead(reason));
            dead.add(one);
        }
        return dead;
    }

    private static Map<String, Object> latency(Durations durations) {
        return Map.of("counts", durations.counts(), "sumMillis", durations.sumMillis());
    }

    private AdminAnswer queues(AdminRequest request) throws AdminException {
        try {
            List<Map<String, Object>> all = new ArrayList<>();
            for (Map.Entry<String, QueueDepths.@Nullable Depth> queue :
                    queues.now().entrySet()) {
                Map<String, Object> one = new LinkedHashMap<>();
                one.put("name", queue.getKey());
                QueueDepths.Depth depth = queue.getValue();
                one.put("there", depth != null);
                if (depth != null) {
                    one.put("ready", depth.ready());
                    one.put("consumers", depth.consumers());
                }
                all.add(one);
            }
            return AdminAnswer.json(Map.of("queues", all));
        } catch (BrokerException e) {
            throw new AdminException(503, "no-broker", e.sentence() + ".");
        }
    }

    private AdminAnswer topology(AdminRequest request) throws AdminException {
        try {
            List<Finding> findings = new Topology(config.amqp())
                    .report(node, false, StreamHeldLog.settings(config.hold(), DeliveryLoop.keepingRules()));
            List<Map<String, Object>> all = new ArrayList<>();
            for (Finding finding : findings) {
                Map<String, Object> one = new LinkedHashMap<>();
                one.put("kind", finding.kind().word());
                one.put("name", finding.name());
                one.put("state", finding.state().name().toLowerCase(Locale.ROOT));
                one.put("detail", finding.detail());
                all.add(one);
            }
            return AdminAnswer.json(Map.of("findings", all));
        } catch (BrokerException e) {
            throw new AdminException(503, "no-broker", e.sentence() + ".");
        }
    }

    private List<Map<String, Object>> shown() {
        List<Map<String, Object>> all = new ArrayList<>();
        for (ShownSetting setting : settings.get()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("key", setting.key());
            one.put("value", setting.value());
            one.put("from", setting.from());
            one.put("default", setting.isDefault());
            all.add(one);
        }
        return all;
    }
}
