package pushbridge.faults;

import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The queues of a bridge as an outsider sees them; connects for each question.
 *
 * @param brokers where RabbitMQ is
 * @param prefix as the bridges have it in {@code amqp.prefix}
 */
record Queues(List<URI> brokers, String prefix) {

    private interface Question<T> {
        T ask(Channel channel) throws IOException;
    }

    private <T> T ask(Question<T> question) throws IOException, TimeoutException {
        Connection connection = Publisher.connect(brokers, "queues");
        try {
            return question.ask(connection.createChannel());
        } finally {
            connection.abort(1_000);
        }
    }

    String name(String queue) {
        return prefix + "." + queue;
    }

    /** Messages ready in a queue. */
    long ready(String queue) throws IOException, TimeoutException {
        return ask(channel -> channel.messageCount(name(queue)));
    }

    /** How a queue is, for people. */
    String counts(String queue) {
        try {
            DeclareOk counts = ask(channel -> channel.queueDeclarePassive(name(queue)));
            return "%d ready, %d consumers".formatted(counts.getMessageCount(), counts.getConsumerCount());
        } catch (IOException | TimeoutException e) {
            return e.toString();
        }
    }

    /** Deletes a queue with all it has. */
    void delete(String queue) throws IOException, TimeoutException {
        var unused = ask(channel -> channel.queueDelete(name(queue)));
    }

    /** Takes one message; null when there is none. */
    @Nullable
    GetResponse take(String queue) throws IOException, TimeoutException {
        List<GetResponse> taken = ask(channel -> {
            GetResponse got = channel.basicGet(name(queue), true);
            return got == null ? List.of() : List.of(got);
        });
        return taken.isEmpty() ? null : taken.get(0);
    }

    /** Takes all there is in {@code dead} or {@code expired}. */
    List<Copy> takeCopies(String queue) throws IOException, TimeoutException {
        return ask(channel -> {
            List<Copy> found = new ArrayList<>();
            for (GetResponse got = channel.basicGet(name(queue), true);
                    got != null;
                    got = channel.basicGet(name(queue), true)) {
                Map<String, Object> headers = got.getProps().getHeaders();
                Object reason = headers == null ? null : headers.get("x-push-reason");
                found.add(new Copy(
                        Frame.of(new String(got.getBody(), StandardCharsets.UTF_8)),
                        queue.equals("expired") ? "expired" : reason == null ? "" : reason.toString()));
            }
            return found;
        });
    }
}
