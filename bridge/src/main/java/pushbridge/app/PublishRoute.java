package pushbridge.app;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminRequest;
import pushbridge.admin.AdminServer;
import pushbridge.amqp.BrokerException;
import pushbridge.amqp.InstructionPublisher;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.envelope.Address;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * An operator's test message: {@code POST /api/publish}, through RabbitMQ like any application's. What is wrong with the
 * envelope beyond its address the bridge finds out when it comes back, so that can be tried out as well.
 */
final class PublishRoute {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final InstructionPublisher publisher;

    private PublishRoute(InstructionPublisher publisher) {
        this.publisher = publisher;
    }

    static void register(AdminServer admin, InstructionPublisher publisher) {
        admin.register("POST", "/api/publish", new PublishRoute(publisher)::publish);
    }

    private AdminAnswer publish(AdminRequest request) throws AdminException, InterruptedException {
        JsonNode body = request.json();
        String to = body.path("to").asString("");
        try {
            Address.parse(to);
        } catch (Address.InvalidAddressException e) {
            throw new AdminException(400, "unaddressable", "to: " + e.getMessage() + ".");
        }
        ObjectNode envelope = JSON.createObjectNode();
        envelope.put("to", to);
        envelope.set("type", body.path("type"));
        envelope.set("payload", body.path("payload"));
        envelope.set(
                "seq",
                body.path("seq").isMissingNode()
                        ? JSON.getNodeFactory().numberNode(System.currentTimeMillis() * 1000)
                        : body.path("seq"));
        byte[] bytes = JSON.writeValueAsString(envelope).getBytes(StandardCharsets.UTF_8);
        try {
            InstructionPublisher.Result result = publisher.publish(
                    new InstructionPublisher.Publication(to, bytes, offline(body), expiration(body), null));
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("outcome", result.outcome().name().toLowerCase(Locale.ROOT));
            answer.put("detail", sentence(result.outcome()));
            answer.put("messageId", result.messageId());
            int status = result.outcome() == InstructionPublisher.Outcome.CONFIRMED ? 200 : 503;
            return AdminAnswer.json(status, answer)
                    .noting("a test message to " + to + ", " + result.messageId() + ": " + answer.get("outcome"));
        } catch (BrokerException e) {
            throw new AdminException(503, "no-broker", e.sentence() + ".");
        }
    }

    private static String sentence(InstructionPublisher.Outcome outcome) {
        return switch (outcome) {
            case CONFIRMED -> "RabbitMQ has it.";
            case RETURNED -> "RabbitMQ has no queue for it.";
            case REFUSED -> "RabbitMQ refuses it: the queue of instructions is full, or has no leader at the moment.";
            case TIMEOUT -> "RabbitMQ did not answer in time; it may have been published or not.";
        };
    }

    private static @Nullable OfflinePolicy offline(JsonNode body) throws AdminException {
        if (body.path("offline").isMissingNode()) {
            return null;
        }
        String wanted = body.path("offline").asString("");
        for (OfflinePolicy policy : OfflinePolicy.values()) {
            if (policy.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(wanted)) {
                return policy;
            }
        }
        throw new AdminException(400, "invalid", "offline must be hold, drop or dead-letter.");
    }

    private static @Nullable Duration expiration(JsonNode body) throws AdminException {
        JsonNode millis = body.path("expirationMillis");
        if (millis.isMissingNode()) {
            return null;
        }
        if (!millis.isIntegralNumber() || !millis.canConvertToLong() || millis.longValue() < 0) {
            throw new AdminException(400, "invalid", "expirationMillis must be a number of milliseconds.");
        }
        return Duration.ofMillis(millis.longValue());
    }
}
