package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import pushbridge.delivery.Clock;

final class GenerationTest {

    @Test
    void anAckWriterThatFailsEndsItsGeneration() throws Exception { // or nothing would ever be acknowledged again
        CompletableFuture<String> lost = new CompletableFuture<>();
        Generation generation = new Generation(
                1,
                channelThatCannotAcknowledge(),
                new InstructionReader(TestBodies::read, Clock.system()),
                new RecordingHandler(),
                () -> true,
                lost::complete);
        generation.open("instructions", 10, "tag");
        try {
            generation.ack(1, true);
            generation.flush();
            assertThat(lost.get(10, TimeUnit.SECONDS))
                    .contains("acknowledging failed")
                    .contains("no such tag");
        } finally {
            generation.end();
        }
    }

    private static Channel channelThatCannotAcknowledge() {
        return (Channel) Proxy.newProxyInstance(
                GenerationTest.class.getClassLoader(), new Class<?>[] {Channel.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("basicAck")) {
                        throw new IllegalStateException("no such tag");
                    }
                    return null;
                });
    }
}
