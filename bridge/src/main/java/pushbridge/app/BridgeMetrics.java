package pushbridge.app;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.CopyPublisher;
import pushbridge.amqp.ReceiptPublisher;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.auth.KeySource;
import pushbridge.config.BridgeConfig;
import pushbridge.delivery.Clock;
import pushbridge.delivery.CloseCode;
import pushbridge.delivery.DeliveryStats;
import pushbridge.envelope.DeadLetterReason;
import pushbridge.metrics.Metric;
import pushbridge.metrics.MetricsRegistry;
import pushbridge.socket.SocketServer;

/** Tells the registry where each metric's value is kept. */
final class BridgeMetrics {

    private BridgeMetrics() {}

    static void register(
            MetricsRegistry registry,
            BridgeConfig config,
            Clock clock,
            DeliveryStats stats,
            BrokerStatus broker,
            CopyPublisher copies,
            ReceiptPublisher receipts,
            StreamHeldLog held,
            SocketServer sockets,
            @Nullable KeySource keys,
            @Nullable Reload reload) {
        registry.register(Metric.INSTRUCTIONS_RECEIVED, stats::received);
        registry.register(Metric.INSTRUCTIONS_DELIVERED, stats::delivered);
        for (DeadLetterReason reason : DeadLetterReason.values()) {
            registry.register(Metric.INSTRUCTIONS_DEAD, reason.slug(), () -> stats.dead(reason));
        }
        registry.register(Metric.INSTRUCTIONS_HELD, stats::held);
        registry.register(Metric.HELD_DELIVERED, stats::heldDelivered);
        registry.register(Metric.HELD_LOST, stats::heldLost);
        registry.register(Metric.HELD_OPERATED, "release", stats::heldReleased);
        registry.register(Metric.HELD_OPERATED, "drop", stats::heldDropped);
        registry.register(Metric.HELD_OPERATED, "dead-letter", stats::heldDead);
        registry.register(Metric.HELD_MESSAGES, stats::heldMessages);
        registry.register(Metric.HELD_MESSAGES_MAX, () -> config.hold().maxMessages());
        registry.register(Metric.HELD_BYTES_MAX, () -> config.hold().maxBytes());
        registry.register(Metric.CONNECTIONS_MAX, () -> config.socket().maxConnections());
        registry.register(Metric.HELD_ADDRESSES, stats::heldAddresses);
        registry.register(Metric.HELD_BYTES, stats::heldBytes);
        registry.register(Metric.HELD_SPAN_BYTES, stats::heldSpanBytes);
        registry.register(Metric.HELD_OLDEST, () -> (double) stats.heldOldestMillis() / TimeUnit.SECONDS.toMillis(1));
        registry.register(Metric.HELD_LAG, held::lag);
        registry.register(Metric.HELD_REPLAY_TIME, () -> (double) held.replayNanos() / TimeUnit.SECONDS.toNanos(1));
        registry.register(Metric.HELD_REPLAY_RECORDS, held::replayRecords);
        registry.register(Metric.HELD_RECORDS_IGNORED, "void", stats::recordsVoid);
        registry.register(Metric.HELD_RECORDS_IGNORED, "repeated", stats::recordsRepeated);
        registry.register(Metric.HELD_RECORDS_IGNORED, "ahead", stats::recordsAhead);
        registry.register(Metric.HELD_RECORDS_IGNORED, "unreadable", stats::recordsSkipped);
        registry.register(Metric.HELD_CHECKPOINTS_FAILED, stats::failedCheckpoints);
        registry.register(Metric.HELD_COLD_READS, held::coldReads);
        registry.register(Metric.HELD_COLD_PASSED, held::recordsPassed);
        registry.register(Metric.HELD_COLD_WAITING, held::reading);
        registry.register(Metric.HELD_CACHE, "hit", stats::cacheHits);
        registry.register(Metric.HELD_CACHE, "miss", stats::cacheMisses);
        registry.register(Metric.EPOCH, stats::epoch);
        registry.register(Metric.INSTRUCTIONS_EXPIRED, stats::expired);
        registry.register(Metric.INSTRUCTIONS_DROPPED, stats::dropped);
        registry.register(Metric.INSTRUCTIONS_RETURNED, stats::returned);
        registry.register(Metric.INSTRUCTIONS_UNSETTLED, stats::unsettled);
        registry.register(Metric.INTAKE_PACED, () -> (double) stats.pacedNanos() / TimeUnit.SECONDS.toNanos(1));
        registry.register(Metric.INTAKE_CAREFUL, () -> broker.snapshot().careful() ? 1 : 0);
        registry.register(Metric.FRAMES_OFFERED, stats::framesOffered);
        registry.register(Metric.USERS, stats::users);
        registry.register(Metric.CHANNELS, stats::channels);
        registry.register(Metric.LANES, stats::lanes);

        registry.register(Metric.CONNECTIONS, sockets::connections);
        registry.register(Metric.OUTBOX_BYTES, sockets::pendingBytes);
        for (CloseCode code : CloseCode.values()) {
            ended(registry, sockets, code.slug());
        }
        for (String how : SocketServer.OTHER_ENDS) {
            ended(registry, sockets, how);
        }
        for (String why : SocketServer.REFUSALS) {
            registry.register(
                    Metric.HANDSHAKES_REFUSED, why, () -> sockets.refused().getOrDefault(why, 0L));
        }

        registry.register(Metric.COPIES_WAITING, copies::waiting);
        registry.register(Metric.RECEIPTS_WAITING, receipts::waiting);
        for (ReceiptPublisher.Fate fate : ReceiptPublisher.Fate.values()) {
            registry.register(Metric.RECEIPTS, fate.slug(), () -> receipts.counted(fate));
        }
        registry.register(
                Metric.BROKER_CONNECTED, "intake", () -> broker.snapshot().intakeConnected() ? 1 : 0);
        registry.register(
                Metric.BROKER_CONNECTED, "copies", () -> broker.snapshot().publisherConnected() ? 1 : 0);
        registry.register(Metric.OWNER, () -> broker.snapshot().ownership() == BrokerStatus.Ownership.OWNER ? 1 : 0);

        registry.register(Metric.PUBLISH_TO_WRITTEN, sockets.publishedToWritten());
        registry.register(Metric.PUBLISH_TO_ACKED, stats.publishedToAcked());
        registry.register(Metric.PUBLISH_AHEAD, "written", sockets.publishedToWritten()::negative);
        registry.register(Metric.PUBLISH_AHEAD, "acked", stats.publishedToAcked()::negative);
        registry.register(Metric.SETTLE, stats.settling());
        registry.register(Metric.UNSETTLED_OLDEST, () -> seconds(stats.oldestUnsettledNanos()));
        registry.register(Metric.LOOP_IDLE, () -> seconds(clock.nanoTime() - stats.lastTurnNanos()));
        for (String role : BrokerStatus.ROLES) {
            registry.register(Metric.RECOVERIES, role, () -> broker.recoveries(role));
        }
        registry.register(sockets.rates());
        if (reload != null) {
            registry.register(Metric.CONFIG_RELOADS, "ok", reload::takenCount);
            registry.register(Metric.CONFIG_RELOADS, "failed", reload::refusedCount);
            registry.register(Metric.CONFIG_READ_TIME, reload::takenAtSeconds);
        }
        if (keys != null) {
            registry.register(
                    Metric.TOKEN_KEYS_REFRESHED, "ok", () -> keys.state().refreshes());
            registry.register(
                    Metric.TOKEN_KEYS_REFRESHED, "failed", () -> keys.state().failures());
            registry.register(Metric.TOKEN_KEYS_AGE, () -> keys.state().ageSeconds());
        }
    }

    private static double seconds(long nanos) {
        return (double) nanos / TimeUnit.SECONDS.toNanos(1);
    }

    private static void ended(MetricsRegistry registry, SocketServer sockets, String how) {
        registry.register(Metric.CONNECTIONS_ENDED, how, () -> sockets.ended().getOrDefault(how, 0L));
    }
}
