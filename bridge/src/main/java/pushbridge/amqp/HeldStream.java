package pushbridge.amqp;

import com.rabbitmq.client.Connection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;

/**
 * The stream of the held log. Declared after each connect by everybody who uses it, like the rest of the topology; kept
 * apart because a bridge without it still delivers to who is there.
 */
final class HeldStream {

    private final Part.Stream part;

    HeldStream(AmqpConfig config, LogSettings settings) {
        Map<String, Object> wanted = new HashMap<>();
        wanted.put("x-queue-type", "stream");
        if (!settings.maxAge().isZero()) {
            wanted.put("x-max-age", settings.maxAge().toSeconds() + "s");
        }
        if (settings.maxBytes() > 0) {
            wanted.put("x-max-length-bytes", settings.maxBytes());
        }
        wanted.put("x-stream-max-segment-size-bytes", settings.segmentBytes());
        this.part = new Part.Stream(config.prefix() + ".held", Map.copyOf(wanted));
    }

    String name() {
        return part.name();
    }

    /** For a comparison with what is there. */
    Part.Stream part() {
        return part;
    }

    /** Idempotent. */
    void declare(Connection connection) throws BrokerException {
        String what = part.what();
        try {
            Topology.declare(connection, part);
        } catch (BrokerException e) {
            // Some releases end the connection over it.
            throw lacksStreams(e.sentence()) ? new BrokerException(noStreams(connection), e) : e;
        } catch (Topology.RefusedException e) {
            String sentence = lacksStreams(e.replyText) ? noStreams(connection) : refused(what, e.replyText);
            throw new BrokerException(sentence, e);
        }
    }

    static String refused(String what, String replyText) {
        return Topology.sentence(
                what,
                replyText,
                "delete it once nothing is held in it any more, or choose another amqp.prefix (a policy may change its"
                        + " retention as it is)");
    }

    static boolean lacksStreams(String replyText) {
        return replyText.contains("feature flag is disabled") || replyText.contains("unsupported queue type");
    }

    private String noStreams(Connection connection) {
        return ("RabbitMQ at %s has no streams, so there is nowhere to keep the held log %s: enable them with"
                        + " 'rabbitmqctl enable_feature_flag stream_queue' (RabbitMQ 3.9 or later)")
                .formatted(place(connection), name());
    }

    /** Why reading did not begin or ended, in one sentence. */
    String unreadable(Connection connection, String reason) {
        if (needsOtherNode(reason)) {
            return ("The RabbitMQ node at %s has no replica of the stream %s: name one that has in amqp.uri, or give it"
                            + " one with 'rabbitmq-streams add_replica'")
                    .formatted(place(connection), name());
        }
        return "The stream %s cannot be read at %s (%s)".formatted(name(), place(connection), reason);
    }

    /** Whether another address of {@code amqp.uri} may do better: streams are read from a replica of the node itself. */
    static boolean needsOtherNode(@Nullable String reason) {
        return reason != null && reason.contains("replica on the local node");
    }

    private static String place(Connection connection) {
        return connection.getAddress().getHostAddress() + ":" + connection.getPort();
    }
}
