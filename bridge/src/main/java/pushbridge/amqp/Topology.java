package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import pushbridge.amqp.Finding.State;
import pushbridge.config.AmqpConfig;

/**
 * The exchanges and queues the bridge needs, all named after the prefix. Declaring is idempotent; every bridge does it
 * after each connect, so a queue deleted meanwhile comes back.
 */
public final class Topology {

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

    /** The topic exchange of receipts; who wants them binds a queue of its own. */
    public String receipts() {
        return prefix + ".receipts";
    }

    /** The queue of the ownership token. */
    public String owner() {
        return prefix + ".owner";
    }

    /** The lock of whoever reads dead letters; exists only while somebody does. */
    String reader() {
        return prefix + ".reader";
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
        Set<Part> refused = new HashSet<>();
        for (Part part : parts()) {
            if (part instanceof Part.Binding binding && refused.contains(binding.from())) {
                continue; // it would be bound to something else of the same name
            }
            try {
                declare(connection, part);
            } catch (RefusedException e) {
                refused.add(part);
                problems.add(sentence(part.what(), e.replyText));
            }
        }
        if (!problems.isEmpty()) {
            throw new BrokerException(String.join("; ", problems), null);
        }
    }

    /**
     * Connects and says how everything stands, in the order in which it is declared. Nothing is ever deleted or changed.
     *
     * @param name shown by the broker
     * @param create whether to declare what is missing; else nothing is created
     * @param held how the stream of the held log is kept; it comes last, since {@link #declare} leaves it to who uses it
     * @throws BrokerException RabbitMQ cannot be reached, or the connection was lost meanwhile
     */
    public List<Finding> report(String name, boolean create, LogSettings held) throws BrokerException {
        Connection connection = new Connector(config, name, "topology").connect();
        try {
            return report(connection, create, new HeldStream(config, held).part());
        } finally {
            Connector.abort(connection);
        }
    }

    List<Finding> report(Connection connection, boolean create, Part.Stream held) throws BrokerException {
        Map<Part, Finding> findings = new LinkedHashMap<>();
        for (Part part : parts()) {
            Finding finding;
            if (part instanceof Part.Binding binding) {
                State from = stateOf(binding.from(), findings);
                State to = stateOf(binding.to(), findings);
                finding = create ? bound(connection, binding, from, to) : unbound(binding, from, to);
            } else {
                finding = found(connection, (Part.Visible) part, create);
            }
            findings.put(part, finding);
        }
        findings.put(held, found(connection, held, create));
        return List.copyOf(findings.values());
    }

    /** The parts are in such an order that both ends of a binding come before it. */
    private static State stateOf(Part part, Map<Part, Finding> findings) {
        return Objects.requireNonNull(findings.get(part), part::what).state();
    }

    private static Finding found(Connection connection, Part.Visible part, boolean create) throws BrokerException {
        String inside;
        try {
            inside = onChannel(connection, part.what(), part::look);
        } catch (RefusedException e) {
            // Also 404 is a durable queue whose node is down, and that one is not missing.
            if (e.replyCode != AMQP.NOT_FOUND
                    || !e.replyText.contains(part instanceof Part.Exchange ? "no exchange" : "no queue")) {
                return finding(part, State.REFUSED, e.replyText);
            }
            return create ? created(connection, part) : finding(part, State.MISSING, "");
        }
        try {
            // Looking does not compare arguments, and declaring what exists creates nothing. (Should somebody delete it
            // between the two, it is back.)
            declare(connection, part);
            return finding(part, State.EXISTS, inside);
        } catch (RefusedException e) {
            return refused(part, e, inside);
        }
    }

    private static Finding created(Connection connection, Part part) throws BrokerException {
        try {
            declare(connection, part);
            return finding(part, State.DECLARED, "");
        } catch (RefusedException e) {
            return refused(part, e, "");
        }
    }

    private static Finding refused(Part part, RefusedException e, String inside) {
        String more = inside.isEmpty() ? "" : "; " + inside;
        Difference difference = Difference.in(e.replyText);
        return difference == null
                ? finding(part, State.REFUSED, e.replyText + more)
                : finding(
                        part,
                        State.DIFFERS,
                        "%s is %s, wanted is %s%s"
                                .formatted(difference.argument(), difference.existing(), difference.wanted(), more));
    }

    private static Finding bound(Connection connection, Part.Binding binding, State from, State to)
            throws BrokerException {
        if (from == State.DIFFERS || from == State.REFUSED) {
            return finding(binding, State.UNCHECKED, "the exchange has to be put right first");
        }
        Finding created = created(connection, binding);
        // What has just come to be had no bindings.
        return created.state() != State.DECLARED || from == State.DECLARED || to == State.DECLARED
                ? created
                : finding(binding, State.BOUND, "declared anew, which changes nothing if it was there");
    }

    private static Finding unbound(Part.Binding binding, State from, State to) {
        return from == State.MISSING || to == State.MISSING
                ? finding(binding, State.MISSING, "")
                : finding(binding, State.UNCHECKED, "only declaring it would tell");
    }

    private static Finding finding(Part part, State state, String detail) {
        return new Finding(part.kind(), part.name(), state, detail);
    }

    /** Declares the token's queue; its message count tells whether a token lies ready. */
    AMQP.Queue.DeclareOk declareOwner(Channel channel) throws IOException {
        return ownerQueue().declareAndCount(channel);
    }

    private Part.Queue ownerQueue() {
        // At most one token lies ready: publishing another one is refused. That is a soft limit, so two bridges that
        // start together may leave a second; it is harmless, since a single active consumer gets tokens, with prefetch
        // 1.
        return new Part.Queue(
                owner(), Map.of("x-single-active-consumer", true, "x-max-length", 1L, "x-overflow", "reject-publish"));
    }

    private List<Part> parts() {
        Part.Queue dead = new Part.Queue(
                dead(), Map.of("x-max-length", config.deadMaxMessages(), "x-overflow", "reject-publish"));
        Part.Queue expired = new Part.Queue(
                expired(), Map.of("x-max-length", config.expiredMaxMessages(), "x-overflow", "drop-head"));
        Part.Exchange otherDeaths = new Part.Exchange(otherDeaths(), BuiltinExchangeType.FANOUT, Map.of());
        Part.Exchange deaths =
                new Part.Exchange(deaths(), BuiltinExchangeType.HEADERS, Map.of("alternate-exchange", otherDeaths()));
        Part.Queue instructions = new Part.Queue(
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
                        "reject-publish"));
        Part.Exchange push = new Part.Exchange(exchange(), BuiltinExchangeType.TOPIC, Map.of());
        return List.of(
                dead,
                expired,
                otherDeaths,
                new Part.Binding(otherDeaths, dead, "", Map.of()),
                deaths,
                // Routine expiry must not bury real errors: what ran out of time in our own queue is told from the rest
                // by the headers the broker adds. Whatever does not match goes to the alternate exchange, so an
                // error of this rule ends in push.dead, never nowhere. The queue is part of the rule because a first
                // death elsewhere says nothing about this one.
                new Part.Binding(
                        deaths,
                        expired,
                        "",
                        Map.of(
                                "x-match", "all-with-x",
                                "x-first-death-reason", "expired",
                                "x-first-death-queue", instructions())),
                instructions,
                push,
                // Everything, so that a wrong address becomes a dead letter that says so.
                new Part.Binding(push, instructions, "#", Map.of()),
                new Part.Exchange(receipts(), BuiltinExchangeType.TOPIC, Map.of()),
                ownerQueue());
    }

    /** Something asked on a channel that may be lost over it. */
    interface Call<T> {
        T on(Channel channel) throws IOException;
    }

    static void declare(Connection connection, Part part) throws BrokerException, RefusedException {
        onChannel(connection, part.what(), channel -> {
            part.declare(channel);
            return part;
        });
    }

    /** Asks on a channel of its own, because a refusal closes it. */
    static <T> T onChannel(Connection connection, String what, Call<T> call) throws BrokerException, RefusedException {
        try {
            Channel channel = connection.createChannel();
            T answer = call.on(channel);
            channel.abort();
            return answer;
        } catch (IOException | ShutdownSignalException e) {
            ShutdownSignalException signal = e instanceof ShutdownSignalException s
                    ? s
                    : e.getCause() instanceof ShutdownSignalException s ? s : null;
            if (signal == null || signal.isHardError() || signal.isInitiatedByApplication()) {
                throw new BrokerException(
                        "The connection to RabbitMQ was lost while checking %s (%s)"
                                .formatted(what, Connector.describe(e)),
                        e);
            }
            throw new RefusedException(signal);
        }
    }

    /** RabbitMQ closed the channel instead of doing what was asked. */
    static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1;

        final int replyCode;
        final String replyText;

        RefusedException(ShutdownSignalException signal) {
            super(signal);
            replyCode = Connector.replyCode(signal);
            replyText = Connector.describe(signal);
        }
    }

    /** The first argument that is not as wanted; RabbitMQ tells no more than one. */
    private record Difference(String argument, String existing, String wanted, boolean ofQueue, String name) {

        private static final Pattern INEQUIVALENT = Pattern.compile(
                "inequivalent arg '(?<argument>[^']+)' for (?<kind>queue|exchange) '(?<name>.+)' in vhost"
                        + " '.*': received (?<wanted>.+) but current is (?<existing>.+)");

        private static final Pattern VALUE = Pattern.compile("^(?:the value )?'(.*?)'(?: of type '.*')?$");

        /** What a refusal tells; null when it is about something else. */
        static @Nullable Difference in(String replyText) {
            Matcher matcher = INEQUIVALENT.matcher(replyText);
            return matcher.find()
                    ? new Difference(
                            matcher.group("argument"),
                            value(matcher.group("existing")),
                            value(matcher.group("wanted")),
                            matcher.group("kind").equals("queue"),
                            matcher.group("name"))
                    : null;
        }

        /** {@code the value '5' of type 'long'} becomes {@code 5}. */
        private static String value(String text) {
            Matcher matcher = VALUE.matcher(text.strip());
            return matcher.matches() ? matcher.group(1) : text.strip();
        }
    }

    /** What a refused declaration means for an operator. */
    static String sentence(String what, String replyText) {
        return sentence(what, replyText, "move its messages away and delete it, or choose another amqp.prefix");
    }

    /** @param queueRemedy what to do about a queue when what exists cannot be configured */
    static String sentence(String what, String replyText, String queueRemedy) {
        Difference difference = Difference.in(replyText);
        if (difference != null) {
            return "The %s %s exists with %s = %s, but the configuration wants %s: configure what exists, or %s"
                    .formatted(
                            difference.ofQueue() ? "queue" : "exchange",
                            difference.name(),
                            difference.argument(),
                            difference.existing(),
                            difference.wanted(),
                            difference.ofQueue() ? queueRemedy : "delete it, or choose another amqp.prefix");
        }
        return "RabbitMQ refuses to declare the %s (%s): give the user of amqp.uri the right to configure, write and"
                        .formatted(what, replyText)
                + " read it";
    }
}
