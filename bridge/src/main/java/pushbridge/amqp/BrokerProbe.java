package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;

/**
 * Finds out about a RabbitMQ what a bridge needs to know of it, and changes nothing there: it declares nothing that is not
 * there, takes no message, and publishes only to where nothing is.
 *
 * <p>Rights cannot be asked for over AMQP. But RabbitMQ looks at a user's right before it looks at what is wrong with a request,
 * so requests that cannot be carried out tell the two apart: ACCESS_REFUSED without the right, something else with it.
 */
public final class BrokerProbe {

    /** What RabbitMQ says about a queue or an exchange that a user may not use so. */
    private static final Pattern REFUSED = Pattern.compile("(?<kind>queue|exchange) '(?<name>.+?)' in vhost");

    private static final String DEFAULT_EXCHANGE = "amq.default";

    private final AmqpConfig config;
    private final Topology topology;
    private final LogSettings held;

    /** @param held how the stream of the held log is kept */
    public BrokerProbe(AmqpConfig config, LogSettings held) {
        this.config = config;
        this.topology = new Topology(config);
        this.held = held;
    }

    /**
     * One address of {@code amqp.uri}.
     *
     * @param place host and port
     * @param user who is logged in there
     * @param vhost the vhost
     * @param problem why it cannot be used, without a full stop; null when it can
     * @param version RabbitMQ's, as it says; empty when it cannot be used or says none
     * @param cluster the name of its cluster, likewise
     */
    public record Node(
            String place,
            String user,
            String vhost,
            @Nullable String problem,
            String version,
            String cluster) {}

    /** What a user may do with a queue or an exchange. */
    public enum Right {
        CONFIGURE,
        WRITE,
        READ
    }

    /**
     * A right that the user does not have and a bridge needs.
     *
     * @param what such as {@code queue push.dead}
     */
    public record Missing(Right right, String what) {}

    /**
     * What a message of a size came to.
     *
     * @param tried its bytes
     * @param refusal what RabbitMQ says against it; null when it would have taken it
     */
    public record Size(int tried, @Nullable String refusal) {}

    /**
     * What was found at the first address that can be used.
     *
     * @param topology how everything stands, in the order in which it is declared
     * @param dead messages that wait in the dead-letter queue; -1 when it is not there
     * @param missing rights that are missing; empty for none
     * @param streams why there can be no streams; null when there can
     * @param blocked why it takes no messages now; null when it does
     * @param size whether it takes the largest message; null when that could not be tried
     */
    public record Facts(
            List<Finding> topology,
            long dead,
            List<Missing> missing,
            @Nullable String streams,
            @Nullable String blocked,
            @Nullable Size size) {}

    /** Tries each address by itself, in their order. */
    public List<Node> nodes() {
        List<Node> nodes = new ArrayList<>();
        for (URI uri : config.uris()) {
            String place = Connector.place(uri);
            String user =
                    uri.getUserInfo() == null ? "guest" : uri.getUserInfo().split(":", 2)[0];
            try {
                Connection connection = connector(uri).connect();
                try {
                    nodes.add(new Node(
                            place,
                            user,
                            vhost(uri),
                            null,
                            property(connection, "version"),
                            property(connection, "cluster_name")));
                } finally {
                    Connector.abort(connection);
                }
            } catch (BrokerException e) {
                Throwable cause = e.getCause();
                nodes.add(new Node(
                        place, user, vhost(uri), cause == null ? e.sentence() : Connector.describe(cause), "", ""));
            }
        }
        return nodes;
    }

    private static String vhost(URI uri) {
        String path = uri.getPath();
        return path == null || path.length() <= 1 ? "/" : path.substring(1);
    }

    private Connector connector(URI uri) {
        return new Connector(
                new AmqpConfig(
                        List.of(uri),
                        config.prefix(),
                        config.prefetch(),
                        config.heartbeat(),
                        config.connectTimeout(),
                        config.confirmTimeout(),
                        config.backoffInitial(),
                        config.backoffMax(),
                        config.maxInboundBytes(),
                        config.deadMaxMessages(),
                        config.expiredMaxMessages(),
                        config.tokenRefresh(),
                        config.tls()),
                "doctor",
                "doctor");
    }

    private static String property(Connection connection, String name) {
        Object value = connection.getServerProperties().get(name);
        return value == null ? "" : value.toString();
    }

    /**
     * Looks at everything else.
     *
     * @param largest bytes of the largest message
     * @throws BrokerException no address can be used, or the connection was lost meanwhile
     */
    public Facts facts(int largest) throws BrokerException {
        Connection connection = new Connector(config, "doctor", "doctor").connect();
        List<Finding> findings;
        long dead;
        Set<Missing> missing = new LinkedHashSet<>();
        try {
            findings = topology.report(connection, false, new HeldStream(config, held).part());
            dead = ready(connection, topology.dead());
            rights(connection, missing);
        } finally {
            Connector.abort(connection);
        }
        boolean hasStream = findings.stream()
                .anyMatch(finding -> finding.kind() == Finding.Kind.STREAM && finding.state() == Finding.State.EXISTS);
        String streams = hasStream ? null : withoutStreams();
        Publishing publishing = publish(largest);
        missing.addAll(publishing.missing);
        return new Facts(findings, dead, List.copyOf(missing), streams, publishing.blocked, publishing.size);
    }

    private static long ready(Connection connection, String queue) throws BrokerException {
        try {
            return Topology.onChannel(
                    connection,
                    "queue " + queue,
                    channel -> channel.queueDeclarePassive(queue).getMessageCount());
        } catch (Topology.RefusedException e) {
            return -1;
        }
    }

    // ---- rights ------------------------------------------------------------------------------------------------

    private void rights(Connection connection, Set<Missing> missing) throws BrokerException {
        List<String> queues = List.of(
                topology.instructions(),
                topology.dead(),
                topology.expired(),
                topology.owner(),
                new HeldStream(config, held).name(),
                topology.reader());
        List<String> exchanges = List.of(topology.exchange(), topology.deaths(), topology.otherDeaths());
        for (String queue : queues) {
            ask(
                    connection,
                    missing,
                    Right.CONFIGURE,
                    "",
                    "queue " + queue,
                    channel ->
                            // Such an expiry is possible on no version, so that nothing can come of it.
                            channel.queueDeclare(queue, true, false, false, Map.of("x-expires", -1)));
            ask(
                    connection,
                    missing,
                    Right.READ,
                    "",
                    "queue " + queue,
                    channel ->
                            // Nor is such a priority.
                            channel.basicConsume(
                                    queue, false, Map.of("x-priority", "none"), new DefaultConsumer(channel)));
        }
        for (String exchange : exchanges) {
            ask(
                    connection,
                    missing,
                    Right.CONFIGURE,
                    "",
                    "exchange " + exchange,
                    channel ->
                            // Nor is such an alternate exchange.
                            channel.exchangeDeclare(
                                    exchange,
                                    BuiltinExchangeType.FANOUT,
                                    true,
                                    false,
                                    Map.of("alternate-exchange", 1)));
        }
        // To take away a binding that nobody ever made: it needs what making it needs.
        String nobody = "doctor-" + UUID.randomUUID();
        unbind(connection, missing, topology.instructions(), topology.exchange(), nobody);
        unbind(connection, missing, topology.expired(), topology.deaths(), nobody);
        unbind(connection, missing, topology.dead(), topology.otherDeaths(), nobody);
        for (String[] pair :
                new String[][] {{topology.deaths(), topology.exchange()}, {topology.otherDeaths(), topology.deaths()}
                }) {
            ask(
                    connection,
                    missing,
                    Right.WRITE,
                    "exchange " + pair[1],
                    "exchange " + pair[0],
                    channel -> channel.exchangeUnbind(pair[0], pair[1], nobody));
        }
    }

    private static void unbind(
            Connection connection, Set<Missing> missing, String queue, String exchange, String nobody)
            throws BrokerException {
        ask(
                connection,
                missing,
                Right.WRITE,
                "exchange " + exchange,
                "queue " + queue,
                channel -> channel.queueUnbind(queue, exchange, nobody));
    }

    /**
     * @param right what it needs of {@code what}
     * @param read what else it needs to read; empty for nothing
     */
    private static void ask(
            Connection connection, Set<Missing> missing, Right right, String read, String what, Topology.Call<?> call)
            throws BrokerException {
        try {
            Topology.onChannel(connection, what, call);
        } catch (Topology.RefusedException e) {
            if (e.replyCode == AMQP.ACCESS_REFUSED) {
                Matcher refused = REFUSED.matcher(e.replyText);
                String named = refused.find() ? refused.group("kind") + " " + refused.group("name") : what;
                missing.add(named.equals(read) ? new Missing(Right.READ, read) : new Missing(right, what));
            }
        }
    }

    // ---- streams -----------------------------------------------------------------------------------------------

    /** Why there can be no streams, or null. On a connection of its own, which some releases end over it. */
    private @Nullable String withoutStreams() throws BrokerException {
        Connection connection = new Connector(config, "doctor", "doctor streams").connect();
        String name = config.prefix() + ".doctor-" + UUID.randomUUID();
        try {
            // A stream can never delete itself; that is looked at after whether there are streams at all.
            Topology.onChannel(
                    connection,
                    "streams",
                    channel -> channel.queueDeclare(name, true, false, true, Map.of("x-queue-type", "stream")));
            // Not on any version known; but what was not meant to come about must not stay.
            Topology.onChannel(connection, "streams", channel -> channel.queueDelete(name));
            return null;
        } catch (BrokerException e) {
            if (HeldStream.lacksStreams(e.sentence())) {
                return e.sentence();
            }
            throw e;
        } catch (Topology.RefusedException e) {
            return HeldStream.lacksStreams(e.replyText) ? e.replyText : null;
        } finally {
            Connector.abort(connection);
        }
    }

    // ---- publishing --------------------------------------------------------------------------------------------

    private record Publishing(
            List<Missing> missing,
            @Nullable String blocked,
            @Nullable Size size) {}

    /**
     * Publishes through the default exchange to a queue that does not exist. On a connection of its own, since RabbitMQ stops
     * reading from whoever publishes while it takes no messages.
     */
    private Publishing publish(int largest) throws BrokerException {
        Connection connection = new Connector(config, "doctor", "doctor publish").connect();
        AtomicReference<@Nullable String> blocked = new AtomicReference<>();
        connection.addBlockedListener(blocked::set, () -> blocked.set(null));
        String nobody = config.prefix() + ".doctor-" + UUID.randomUUID();
        try {
            send(connection, nobody, 1);
            try {
                send(connection, nobody, largest);
                return new Publishing(List.of(), blocked.get(), new Size(largest, null));
            } catch (Topology.RefusedException e) {
                return new Publishing(List.of(), blocked.get(), new Size(largest, e.replyText));
            }
        } catch (Topology.RefusedException e) {
            return e.replyCode == AMQP.ACCESS_REFUSED
                    ? new Publishing(
                            List.of(new Missing(Right.WRITE, "exchange " + DEFAULT_EXCHANGE)), blocked.get(), null)
                    : new Publishing(List.of(), e.replyText, null);
        } catch (BrokerException e) {
            String why = blocked.get();
            if (why == null) {
                throw e;
            }
            return new Publishing(List.of(), why, null);
        } finally {
            connection.abort(100); // a blocked connection is not read, so its close would not be answered
        }
    }

    private static void send(Connection connection, String nobody, int bytes)
            throws BrokerException, Topology.RefusedException {
        Topology.onChannel(connection, "publishing", channel -> {
            channel.basicPublish("", nobody, null, new byte[bytes]);
            channel.basicQos(1); // answered when what was published before has been looked at
            return channel;
        });
    }
}
