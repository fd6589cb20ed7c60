package pushbridge.amqp;

import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import pushbridge.config.AmqpConfig;
import pushbridge.testing.Broker;
import pushbridge.testing.FaultProxy;

/** What the tests of the held log have in common: a stream of their own, and each part behind a proxy of its own. */
abstract class HeldLogCase {

    static final int APPEND_RECORDS = 200;
    static final int TAIL_PREFETCH = 100;

    final Broker broker;
    final String stream;
    final BrokerStatus status = new BrokerStatus();
    final FaultProxy appendProxy;
    final FaultProxy readProxy;
    private final List<LogTail> tails = new ArrayList<>();

    HeldLogCase(Broker broker) throws IOException {
        this.broker = broker;
        this.stream = broker.prefix() + ".held";
        this.appendProxy = new FaultProxy(broker.uri());
        this.readProxy = new FaultProxy(broker.uri());
    }

    @AfterEach
    final void removeAll() throws Exception {
        for (LogTail tail : tails) {
            tail.close();
        }
        appendProxy.close();
        readProxy.close();
        deleteStream();
    }

    final void deleteStream() throws IOException, TimeoutException {
        try (Channel channel = broker.connection().createChannel()) {
            channel.queueDelete(stream);
        }
    }

    /** With short patience, so that what never comes is noticed soon. */
    final AmqpConfig config(URI via) {
        AmqpConfig usual = broker.config(via);
        return new AmqpConfig(
                usual.uris(),
                usual.prefix(),
                usual.prefetch(),
                usual.heartbeat(),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                usual.backoffInitial(),
                usual.backoffMax(),
                usual.maxInboundBytes(),
                usual.deadMaxMessages(),
                usual.expiredMaxMessages(),
                usual.tokenRefresh(),
                usual.tls());
    }

    final AmqpConfig throughAppendProxy() {
        return config(appendProxy.uri(broker.uri()));
    }

    final AmqpConfig throughReadProxy() {
        return config(readProxy.uri(broker.uri()));
    }

    static LogSettings large() {
        return settings(0, 10_000_000);
    }

    static LogSettings settings(long maxBytes, long segmentBytes) {
        return new LogSettings(
                Duration.ofDays(1), maxBytes, segmentBytes, APPEND_RECORDS, 1 << 20, TAIL_PREFETCH, 3, 50);
    }

    final LogAppender appender(LogSettings settings) {
        LogAppender appender = new LogAppender(throughAppendProxy(), settings, "node-1", status);
        appender.start();
        return appender;
    }

    final LogTail tail(AmqpConfig config, LogSettings settings, long from, RecordingLog listener) {
        LogTail tail = new LogTail(config, settings, "node-1", (connection, name, patience) -> from, listener, status);
        tails.add(tail);
        tail.start();
        return tail;
    }

    /** Appends numbers from 0 on and waits until they are confirmed. */
    final void fill(LogSettings settings, int count, int size) throws InterruptedException {
        LogAppender appender = appender(settings);
        for (int i = 0; i < count; i++) {
            appender.append(RecordingLog.encode(i, size));
        }
        if (!appender.stop(Broker.PATIENCE).isEmpty()) {
            throw new AssertionError("not everything was confirmed");
        }
    }

    static List<Long> numbers(long from, long below) {
        return LongStream.range(from, below).boxed().toList();
    }
}
