package pushbridge.config;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/**
 * The way to RabbitMQ and the names there.
 *
 * @param uris the addresses to try, in this order; each with its own credentials and vhost; contain secrets
 * @param prefix starts the name of every exchange and queue
 * @param prefetch instructions the bridge may have in hand, unsettled
 * @param heartbeat AMQP heartbeat; a silent broker is given up after two
 * @param connectTimeout for the TCP connection and the AMQP handshake each
 * @param confirmTimeout how long a copy may wait for its confirm before it is published again
 * @param backoffInitial first pause before connecting again
 * @param backoffMax longest pause before connecting again
 * @param maxInboundBytes largest body the client library accepts from the broker; one larger kills the connection
 * @param deadMaxMessages the dead-letter queue refuses more than these; then nothing is acknowledged without a copy
 * @param expiredMaxMessages the queue of expired instructions drops its oldest beyond these
 * @param tokenRefresh how often the ownership token is taken anew, well below the broker's consumer timeout (30 min)
 * @param tls how amqps addresses are connected
 */
public record AmqpConfig(
        List<URI> uris,
        String prefix,
        int prefetch,
        Duration heartbeat,
        Duration connectTimeout,
        Duration confirmTimeout,
        Duration backoffInitial,
        Duration backoffMax,
        int maxInboundBytes,
        long deadMaxMessages,
        long expiredMaxMessages,
        Duration tokenRefresh,
        AmqpTlsConfig tls) {}
