package pushbridge.amqp;

import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Consumer;
import com.rabbitmq.client.MetricsCollector;
import com.rabbitmq.client.NoOpMetricsCollector;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.StrictExceptionHandler;
import io.github.resilience4j.core.IntervalFunction;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.AmqpConfig;
import pushbridge.tls.ClientTls;
import pushbridge.tls.TlsException;
import pushbridge.tls.TlsTrouble;

/**
 * Opens connections for one role. Recovery by the client library is off: it would reuse tags and numbers across
 * channels, while the bridge works in generations (I6).
 */
final class Connector {

    private static final Logger log = LoggerFactory.getLogger(Connector.class);

    private final AmqpConfig config;
    private final String node;
    private final String role;
    private final MetricsCollector meters;

    /**
     * A connector of a command, which nobody watches.
     *
     * @param node the name shown by the broker
     * @param role what the connection is for, for example {@code publish}
     */
    Connector(AmqpConfig config, String node, String role) {
        this(config, node, role, new NoOpMetricsCollector());
    }

    /**
     * @param node the bridge's name, shown by the broker
     * @param role what the connection is for, for example {@code intake}
     * @param meters told what goes over the connection
     */
    Connector(AmqpConfig config, String node, String role, MetricsCollector meters) {
        this.config = config;
        this.node = node;
        this.role = role;
        this.meters = meters;
    }

    /** Connects to the first address that answers; at most the configured timeouts for each. */
    Connection connect() throws BrokerException {
        return connect(0);
    }

    /**
     * The same, for consumers that are called on the thread that reads from the connection.
     *
     * @see ReaderThread
     */
    Connection connectForReader() throws BrokerException {
        return connect(0, true);
    }

    /**
     * The same, beginning further down the list: for who was connected but needs another node.
     *
     * @param skip how many addresses to try last instead of first; not negative
     */
    Connection connect(int skip) throws BrokerException {
        return connect(skip, false);
    }

    private Connection connect(int skip, boolean onReader) throws BrokerException {
        List<URI> uris = new ArrayList<>(config.uris());
        Collections.rotate(uris, -(skip % uris.size()));
        List<String> failures = new ArrayList<>();
        Exception last = null;
        for (URI uri : uris) {
            try {
                ConnectionFactory factory = factory(uri);
                if (onReader) {
                    factory.setSharedExecutor(new ReaderThread());
                    factory.setExceptionHandler(new ReaderExceptionLog());
                }
                return factory.newConnection("pushbridge " + node + " " + role);
            } catch (IOException | TimeoutException | GeneralSecurityException | RuntimeException e) {
                failures.add(place(uri) + " (" + describe(e) + hint(uri, e) + ")");
                last = e;
            }
        }
        throw new BrokerException("RabbitMQ cannot be reached at " + String.join(", ", failures), last);
    }

    /**
     * With TLS 1.3 a broker judges the bridge's certificate when the bridge believes to be connected and writes already; then
     * the end of the connection may come before the alert that says why.
     */
    private static String hint(URI uri, Exception e) {
        boolean ended = (e instanceof SocketException && !(e instanceof ConnectException)) || e instanceof EOFException;
        return uri.getScheme().equals("amqps") && ended
                ? ": it may want a certificate of the bridge, or not take the one it has been shown; see"
                        + " pushbridge.amqp.tls.certificate-file"
                : "";
    }

    /** A moderate time to wait for the answer to one step, in milliseconds. */
    int stepMillis() {
        return Math.toIntExact(config.connectTimeout().toMillis());
    }

    /** Pauses between attempts: exponential, and random so that bridges do not come back all at once. */
    static IntervalFunction backoff(AmqpConfig config) {
        return IntervalFunction.ofExponentialRandomBackoff(config.backoffInitial(), 2.0, 0.5, config.backoffMax());
    }

    /** Host and port, without what is secret. */
    static String place(URI uri) {
        int port = uri.getPort();
        if (port == -1) {
            port = "amqps".equalsIgnoreCase(uri.getScheme())
                    ? ConnectionFactory.DEFAULT_AMQP_OVER_SSL_PORT
                    : ConnectionFactory.DEFAULT_AMQP_PORT;
        }
        return (uri.getHost() == null ? "localhost" : uri.getHost()) + ":" + port;
    }

    private ConnectionFactory factory(URI uri) throws IOException, GeneralSecurityException {
        ConnectionFactory factory = new ConnectionFactory();
        try {
            factory.setUri(uri);
        } catch (IllegalArgumentException e) {
            // The library's message may repeat the address with its password.
            throw new IOException("not a usable AMQP address; expected amqp://user:password@host:port/vhost", null);
        }
        if (uri.getScheme().equals("amqps")) {
            secure(factory);
        }
        if (factory.getVirtualHost().isEmpty()) {
            factory.setVirtualHost("/"); // a trailing slash is rarely meant as the vhost with the empty name
        }
        int timeout = stepMillis();
        factory.setConnectionTimeout(timeout);
        factory.setHandshakeTimeout(timeout);
        factory.setChannelRpcTimeout(timeout);
        factory.setRequestedHeartbeat(Math.toIntExact(config.heartbeat().toSeconds()));
        factory.setMaxInboundMessageBodySize(config.maxInboundBytes());
        factory.setAutomaticRecoveryEnabled(false);
        factory.setTopologyRecoveryEnabled(false);
        AtomicInteger threads = new AtomicInteger();
        factory.setThreadFactory(task -> {
            Thread thread = new Thread(task, "pushbridge-amqp-" + role + "-io-" + threads.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        factory.setExceptionHandler(new ExceptionLog());
        factory.setMetricsCollector(meters);
        return factory;
    }

    /** Reads the files anew each time, so that a new certificate needs no restart. */
    private void secure(ConnectionFactory factory) throws IOException {
        try {
            // Instead of the library's own choice for amqps, which trusts everybody.
            factory.useSslProtocol(ClientTls.context(config.tls()));
        } catch (TlsException e) {
            throw new IOException(e.getMessage(), e);
        }
        if (config.tls().verify()) {
            factory.enableHostnameVerification();
        }
    }

    /** What went wrong, in words that fit into a sentence. */
    static String describe(Throwable e) {
        if (e instanceof AuthenticationFailureException || e instanceof PossibleAuthenticationFailureException) {
            return "it refuses the user name or password";
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            String known = known(cause);
            if (known != null) {
                return known;
            }
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static @Nullable String known(Throwable e) {
        if (e instanceof ShutdownSignalException signal) {
            return describe(signal);
        } else if (e instanceof UnknownHostException) {
            return "unknown host";
        } else if (e instanceof NoRouteToHostException) {
            return "no route to it";
        } else if (e instanceof ConnectException) {
            return String.valueOf(e.getMessage()).contains("refused") ? "connection refused" : "no connection in time";
        } else if (e instanceof SocketTimeoutException || e instanceof TimeoutException) {
            return "no answer in time";
        } else if (e instanceof SSLException tls) {
            return TlsTrouble.describe(tls);
        } else if (e instanceof EOFException) {
            return "it closed the connection";
        }
        return null;
    }

    /** Why a channel or connection ended. */
    static String describe(ShutdownSignalException signal) {
        if (signal.getReason() instanceof com.rabbitmq.client.AMQP.Connection.Close close) {
            return close.getReplyText();
        } else if (signal.getReason() instanceof com.rabbitmq.client.AMQP.Channel.Close close) {
            return close.getReplyText();
        }
        Throwable cause = signal.getCause();
        return cause == null || cause == signal ? "the connection ended" : describe(cause);
    }

    /** Tells why a channel or connection closed: the code of the broker's close method, or 0. */
    static int replyCode(ShutdownSignalException signal) {
        if (signal.getReason() instanceof com.rabbitmq.client.AMQP.Connection.Close close) {
            return close.getReplyCode();
        } else if (signal.getReason() instanceof com.rabbitmq.client.AMQP.Channel.Close close) {
            return close.getReplyCode();
        }
        return 0;
    }

    /** Closes by force and waits only briefly: for a connection that is broken, suspect or not needed any more. */
    static void abort(Connection connection) {
        connection.abort(ABORT_MILLIS);
    }

    private static final int ABORT_MILLIS = 2_000;

    /** A callback that throws closes its channel, which ends the generation; a lost connection is no news here. */
    private static class ExceptionLog extends StrictExceptionHandler {
        @Override
        public void handleUnexpectedConnectionDriverException(Connection connection, Throwable e) {
            log.debug("The connection {} ended", connection, e);
        }
    }

    /** Closing the channel would wait for an answer that the very thread has to read: whoever consumes ends what broke. */
    private static final class ReaderExceptionLog extends ExceptionLog {
        @Override
        public void handleConsumerException(
                Channel channel, Throwable exception, Consumer consumer, String consumerTag, String methodName) {
            log.error("A consumer failed in {}", methodName, exception);
        }
    }
}
