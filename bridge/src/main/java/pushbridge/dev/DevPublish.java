package pushbridge.dev;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.glassfish.grizzly.http.Method;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import pushbridge.amqp.BrokerException;
import pushbridge.amqp.InstructionPublisher;
import pushbridge.amqp.InstructionPublisher.Publication;
import pushbridge.amqp.InstructionPublisher.Result;
import pushbridge.socket.HandshakeGate;
import pushbridge.socket.HandshakeGate.Handshake;
import pushbridge.socket.HandshakeGate.Refused;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /dev/publish}: publishes the envelope in the body to its {@code to}, through RabbitMQ like any
 * application, and answers what became of the publish. The bridge's own checks see it only when it comes back from the
 * queue, so a wrong envelope can be tried out here and becomes a dead letter.
 */
public final class DevPublish implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HandshakeGate gate;
    private final InstructionPublisher publisher;
    private final int maxBytes;
    /**
     * @param gate refuses what other pages and other machines' names ask, as it does for connections
     * @param maxBytes of a body
     */
    public DevPublish(HandshakeGate gate, InstructionPublisher publisher, int maxBytes) {
        this.gate = gate;
        this.publisher = publisher;
        this.maxBytes = maxBytes;
    }

    /** Waits for the body and for RabbitMQ's answer: not to be called on a selector thread. */
    void service(Request request, Response response) throws IOException {
        if (request.getMethod() != Method.POST) {
            response.setHeader("Allow", "POST");
            answer(response, 405, "error", "Publish with POST.");
            return;
        }
        if (gate.admit(new Handshake(headersOf(request), Map.of(), request.getRemoteAddr()))
                instanceof Refused refused) {
            answer(response, refused.status(), "error", refused.reason());
            return;
        }
        // A form of another page can post without asking, but not with this type.
        String contentType = request.getContentType();
        if (contentType == null || !contentType.toLowerCase(Locale.ROOT).startsWith("application/json")) {
            answer(response, 415, "error", "Send the envelope as application/json.");
            return;
        }
        if (request.getHeader("Upgrade") != null) {
            // Grizzly hands on no body of such a request, so its end would never come.
            answer(response, 400, "error", "Publish with plain HTTP/1.1, without the header Upgrade.");
            return;
        }
        byte[] body;
        try (InputStream stream = request.getInputStream()) {
            body = stream.readNBytes(maxBytes + 1);
        }
        if (body.length > maxBytes) {
            answer(response, 413, "error", "The body is larger than " + maxBytes + " bytes.");
            return;
        }
        publish(body, response);
    }

    private void publish(byte[] body, Response response) throws IOException {
        String address;
        try {
            JsonNode to = JSON.readTree(body).path("to");
            if (!to.isString() || to.stringValue().getBytes(StandardCharsets.UTF_8).length > 255) {
                answer(response, 400, "error", "The envelope needs a member \"to\" with the address.");
                return;
            }
            address = to.stringValue();
        } catch (JacksonException e) {
            answer(response, 400, "error", "The body is not JSON: " + e.getOriginalMessage());
            return;
        }
        try {
            Result result = publisher.publish(new Publication(address, body, null, null, null));
            switch (result.outcome()) {
                case CONFIRMED -> answer(response, 202, "confirmed", "RabbitMQ has it.");
                case RETURNED -> answer(response, 502, "returned", "RabbitMQ has no queue for it.");
                case REFUSED -> answer(response, 502, "refused", "The queue of instructions is full.");
                case TIMEOUT -> answer(response, 504, "timeout", "RabbitMQ did not answer in time.");
            }
        } catch (BrokerException e) {
            answer(response, 502, "error", String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            answer(response, 503, "error", "The bridge is stopping.");
        }
    }

    private static Map<String, List<String>> headersOf(Request request) {
        Map<String, List<String>> headers = new HashMap<>();
        for (String name : request.getHeaderNames()) {
            headers.put(name.toLowerCase(Locale.ROOT), List.of(request.getHeader(name)));
        }
        return headers;
    }

    private static void answer(Response response, int status, String outcome, String detail) throws IOException {
        ObjectNode body = JSON.createObjectNode();
        body.put("outcome", outcome).put("detail", detail);
        byte[] bytes = JSON.writeValueAsBytes(body);
        response.setStatus(status);
        response.setContentType("application/json");
        response.setContentLength(bytes.length);
        response.getOutputStream().write(bytes);
    }

    @Override
    public void close() {
        publisher.close();
    }
}
