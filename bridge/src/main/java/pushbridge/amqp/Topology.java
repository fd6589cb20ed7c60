package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.config.AmqpConfig;

/**
 * The exchanges and queues the bridge needs, all named after the prefix. Declaring is idempotent; every bridge does it
 * after each connect, so a queue deleted meanwhile comes back.
 */
public final class Topology {

    /**
     * Large and positive on every quorum queue: without a limit RabbitMQ 3.10–3.13 returns messages to the tail, 4.x
     * has a default of 20, and 3.x discards at once with −1. With one they return to the head, everywhere.
     */
    private static final int DELIVERY_LIMIT = 1_000_000;

    private final AmqpConfig config;
    private final String prefix;

    public Topology(AmqpConfig config) {
        this.config = config;
        this.prefix = config.prefix();
    }

    /** The topic exchange applications publish to. */
    public String exchange() {
        return prefix;
    }

    /** The queue of instructions. */
    public String instructions() {
        return prefix + ".instructions";
    }

    /** The dead-letter queue: real errors. */
    public String dead() {
        return prefix + ".dead";
    }

    /** Instructions whose time was over; drops its oldest. */
    public String expired() {
        return prefix + ".expired";
    }

    /** The queue of the ownership token. */
    public String owner() {
        return prefix + ".owner";
    }

    /** Where the broker itself dead-letters to. */
    String deaths() {
        return prefix + ".deaths";
    }

    /** Takes from {@link #deaths()} what is not routine expiry. */
    String otherDeaths() {
        return prefix + ".deaths.other";
    }

    /**
     * Declares everything.
     *
     * @throws BrokerException naming every queue or exchange that exists with other arguments
     */
    void declare(Connection connection) throws BrokerException {
        List<String> problems = new ArrayList<>();
        for (Step step : steps()) {
            String problem = run(connection, step);
            if (problem != null) {
                problems.add(problem);
            }
        }
        if (!problems.isEmpty()) {
            throw new BrokerException(String.join("; ", problems), null);
        }
    }

    /** Declares the token's queue; its message count tells whether a token lies ready. */
    AMQP.Queue.DeclareOk declareOwner(Channel channel) throws IOException {
        // At most one token lies ready: publishing another one is refused. That is a soft limit, so two bridges that
        // start together may leave a second; it is harmless, since a single active consumer gets tokens, with prefetch
        // 1.
        return queue(
                channel,
                owner(),
                Map.of("x-single-active-consumer", true, "x-max-length", 1L, "x-overflow", "reject-publish"));
    }

    private List<Step> steps() {
        return List.of(
                new Step(
                        "queue " + dead(),
                        channel -> queue(
                                channel,
                                dead(),
                                Map.of("x-max-length", config.deadMaxMessages(), "x-overflow", "reject-publish"))),
                new Step(
                        "queue " + expired(),
                        channel -> queue(
                                channel,
                                expired(),
                                Map.of("x-max-length", config.expiredMaxMessages(), "x-overflow", "drop-head"))),
                new Step("exchange " + otherDeaths(), channel -> {
                    channel.exchangeDeclare(otherDeaths(), BuiltinExchangeType.FANOUT, true);
                    channel.queueBind(dead(), otherDeaths(), "");
                }),
                // Routine expiry must not bury real errors: what ran out of time in our own queue is told from the rest
                // by the headers the broker adds. Whatever does not match goes to the alternate exchange, so an
                // error of this rule ends in push.dead, never nowhere. The queue is part of the rule because a first
                // death elsewhere says nothing about this one.
                new Step("exchange " + deaths(), channel -> {
                    channel.exchangeDeclare(
                            deaths(),
                            BuiltinExchangeType.HEADERS,
                            true,
                            false,
                            Map.of("alternate-exchange", otherDeaths()));
                    channel.queueBind(
                            expired(),
                            deaths(),
                            "",
                            Map.of(
                                    "x-match", "all-with-x",
                                    "x-first-death-reason", "expired",
                                    "x-first-death-queue", instructions()));
                }),
                new Step(
                        "queue " + instructions(),
                        channel -> queue(
                                channel,
                                instructions(),
                                Map.of(
                                        "x-single-active-consumer",
                                        true,
                                        "x-dead-letter-exchange",
                                        deaths(),
                                        "x-dead-letter-strategy",
                                        "at-least-once",
                                        // at-least-once needs it
                                        "x-overflow",
                                        "reject-publish"))),
                new Step("exchange " + exchange(), channel -> {
                    channel.exchangeDeclare(exchange(), BuiltinExchangeType.TOPIC, true);
                    // Everything, so that a wrong address becomes a dead letter that says so.
                    channel.queueBind(instructions(), exchange(), "#");
                }),
                new Step("queue " + owner(), this::declareOwner));
    }

    private static AMQP.Queue.DeclareOk queue(Channel channel, String name, Map<String, Object> arguments)
            throws IOException {
        Map<String, Object> all = new java.util.HashMap<>(arguments);
        all.put("x-queue-type", "quorum");
        all.put("x-delivery-limit", DELIVERY_LIMIT);
        return channel.queueDeclare(name, true, false, false, all);
    }

    /** One declaration, on a channel that it may lose. */
    interface Declaration {
        void on(Channel channel) throws IOException;
    }

    private record Step(String what, Declaration declaration) {}

    private static @Nullable String run(Connection connection, Step step) throws BrokerException {
        ShutdownSignalException refusal = refusal(connection, step.what(), step.declaration());
        return refusal == null ? null : sentence(step.what(), Connector.describe(refusal));
    }

    /**
     * Runs one declaration on a channel of its own, because a refusal closes it.
     *
     * @return the refusal, or null when it is declared
     * @throws BrokerException the connection was lost
     */
    static @Nullable ShutdownSignalException refusal(Connection connection, String what, Declaration declaration)
            throws BrokerException {
        try {
            Channel channel = connection.createChannel();
            declaration.on(channel);
            channel.abort();
            return null;
        } catch (IOException | ShutdownSignalException e) {
            ShutdownSignalException signal = e instanceof ShutdownSignalException s
                    ? s
                    : e.getCause() instanceof ShutdownSignalException s ? s : null;
            if (signal == null || signal.isHardError() || signal.isInitiatedByApplication()) {
                throw new BrokerException(
                        "The connection to RabbitMQ was lost while declaring %s (%s)"
                                .formatted(what, Connector.describe(e)),
                        e);
            }
            return signal;
        }
    }

    private static final Pattern INEQUIVALENT =
            Pattern.compile("inequivalent arg '(?<argument>[^']+)' for (?<kind>queue|exchange) '(?<name>.+)' in vhost"
                    + " '.*': received (?<wanted>.+) but current is (?<existing>.+)");

    /** What a refused declaration means for an operator. */
    static String sentence(String what, String replyText) {
        return sentence(what, replyText, "move its messages away and delete it, or choose another amqp.prefix");
    }

    /** @param queueRemedy what to do about a queue when what exists cannot be configured */
    static String sentence(String what, String replyText, String queueRemedy) {
        Matcher matcher = INEQUIVALENT.matcher(replyText);
        if (matcher.find()) {
            String kind = matcher.group("kind");
            return "The %s %s exists with %s = %s, but the configuration wants %s: configure what exists, or %s"
                    .formatted(
                            kind,
                            matcher.group("name"),
                            matcher.group("argument"),
                            value(matcher.group("existing")),
                            value(matcher.group("wanted")),
                            kind.equals("queue") ? queueRemedy : "delete it, or choose another amqp.prefix");
        }
        return "RabbitMQ refuses to declare the %s (%s): give the user of amqp.uri the right to configure, write and"
                        .formatted(what, replyText)
                + " read it";
    }

    /** {@code the value '5' of type 'long'} becomes {@code 5}. */
    private static String value(String text) {
        Matcher matcher =
                Pattern.compile("^(?:the value )?'(.*?)'(?: of type '.*')?$").matcher(text.strip());
        return matcher.matches() ? matcher.group(1) : text.strip();
    }
}
