package pushbridge.doctor;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import pushbridge.amqp.BrokerException;
import pushbridge.amqp.BrokerProbe;
import pushbridge.amqp.BrokerProbe.Facts;
import pushbridge.amqp.BrokerProbe.Missing;
import pushbridge.amqp.BrokerProbe.Node;
import pushbridge.amqp.BrokerProbe.Right;
import pushbridge.amqp.Finding;
import pushbridge.amqp.Finding.State;
import pushbridge.amqp.StreamHeldLog;
import pushbridge.config.AmqpConfig;
import pushbridge.config.HoldConfig;
import pushbridge.config.Units;
import pushbridge.delivery.DeliveryLoop;

/** RabbitMQ: whether it is there, lets us in, lets us do, has what we need and takes what we send. */
final class BrokerChecks {

    /** What only tells whether RabbitMQ is there. */
    static final String NAME = "RabbitMQ";

    /** Larger ones are not sent to a RabbitMQ at work only to find out. */
    private static final int MOST_TRIED = 16 << 20;

    /** The most that {@code max_message_size} can be set to, on every version. */
    private static final int LARGEST_POSSIBLE = 512 << 20;

    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

    private final AmqpConfig amqp;
    private final HoldConfig hold;
    private final int largest;
    private final boolean running;
    private final List<Check> checks = new ArrayList<>();

    /**
     * @param largest {@code message.max-bytes}
     * @param running whether a bridge runs with this configuration
     */
    BrokerChecks(AmqpConfig amqp, HoldConfig hold, int largest, boolean running) {
        this.amqp = amqp;
        this.hold = hold;
        this.largest = largest;
        this.running = running;
    }

    /** @param management where the management plugin answers; null for not to be asked */
    List<Check> look(@Nullable URI management) throws InterruptedException {
        BrokerProbe probe = new BrokerProbe(amqp, StreamHeldLog.settings(hold, DeliveryLoop.keepingRules()));
        List<Node> nodes = probe.nodes();
        Node used = nodes.stream()
                .filter(node -> node.problem() == null)
                .findFirst()
                .orElse(null);
        for (Node node : nodes) {
            reached(node, used != null);
        }
        if (used == null) {
            return checks;
        }
        try {
            Facts facts = probe.facts(Math.min(largest, MOST_TRIED));
            rights(facts.missing(), used);
            topology(facts);
            deadLetters(facts.dead());
            streams(facts.streams());
            sizes(facts);
        } catch (BrokerException e) {
            checks.add(Check.fail(
                    NAME,
                    e.sentence(),
                    "The connection did not last for a look; a bridge's would not either.",
                    "Look into RabbitMQ's log, and run this again."));
        }
        if (management == null) {
            notOverAmqp(used);
        } else {
            String prefix = amqp.prefix();
            checks.addAll(new Management(management, userInfo())
                    .look(
                            used.vhost(),
                            List.of(
                                    prefix + ".dead",
                                    prefix + ".expired",
                                    prefix + ".instructions",
                                    prefix + ".owner")));
        }
        return checks;
    }

    private String userInfo() {
        String info = amqp.uris().get(0).getUserInfo();
        return info == null ? "guest:guest" : info;
    }

    private void reached(Node node, boolean another) {
        String where = "%s as %s in vhost %s".formatted(node.place(), node.user(), node.vhost());
        if (node.problem() == null) {
            checks.add(version(node, where));
            return;
        }
        String what = where + ": " + node.problem();
        String todo = remedy(node, node.problem());
        checks.add(
                another
                        ? Check.warn(NAME, what, "When the other addresses are away, there is none left.", todo)
                        : Check.fail(NAME, what, "Without RabbitMQ nothing is taken, held or delivered.", todo));
    }

    private static String remedy(Node node, String problem) {
        if (problem.contains("user name or password")) {
            return ("Correct user and password in pushbridge.amqp.uri; 'rabbitmqctl authenticate_user %s' tries them there,"
                            + " 'rabbitmqctl change_password %s' sets a new one. The user guest may only log in from RabbitMQ's"
                            + " own machine.")
                    .formatted(node.user(), node.user());
        }
        if (problem.contains("vhost")) {
            return ("'rabbitmqctl add_vhost %s' makes the vhost, 'rabbitmqctl set_permissions -p %s %s …' lets the user in; %%2F"
                            + " in the address is the vhost /.")
                    .formatted(node.vhost(), node.vhost(), node.user());
        }
        if (problem.contains("certificate") || problem.contains("TLS")) {
            return "See pushbridge.amqp.tls.ca-file, and whether the address is one that the certificate names.";
        }
        return "Is RabbitMQ running there ('rabbitmq-diagnostics ping'), are host and port right, does a firewall stand between?";
    }

    private static Check version(Node node, String where) {
        String what = "RabbitMQ " + (node.version().isEmpty() ? "of a version it does not tell" : node.version())
                + " at " + where + (node.cluster().isEmpty() ? "" : ", cluster " + node.cluster());
        Matcher version = VERSION.matcher(node.version());
        if (!version.matches()) {
            return Check.unknown(NAME, what, "A bridge needs RabbitMQ 3.10 or newer.");
        }
        int major = Integer.parseInt(version.group(1));
        return major > 3 || (major == 3 && Integer.parseInt(version.group(2)) >= 10)
                ? Check.ok(NAME, what)
                : Check.fail(
                        NAME,
                        what,
                        "A bridge needs dead-lettering at least once and time limits in quorum queues, which 3.10 brought.",
                        "Upgrade RabbitMQ to 3.10 or newer.");
    }

    private void rights(List<Missing> missing, Node node) {
        if (missing.isEmpty()) {
            checks.add(Check.ok("permissions", node.user() + " may configure, write and read all that a bridge needs"));
            return;
        }
        List<String> parts = new ArrayList<>();
        for (Right right : Right.values()) {
            List<String> names = missing.stream()
                    .filter(one -> one.right() == right)
                    .map(Missing::what)
                    .distinct()
                    .toList();
            if (!names.isEmpty()) {
                parts.add(right.name().toLowerCase(Locale.ROOT) + " " + String.join(", ", names));
            }
        }
        String own = amqp.prefix().replaceAll("[^A-Za-z0-9_-]", "\\\\$0") + "(\\..*)?";
        checks.add(Check.fail(
                "permissions",
                node.user() + " may not " + String.join("; may not ", parts),
                "A bridge declares, binds, reads and publishes these.",
                "rabbitmqctl set_permissions -p %s %s '^%s$' '^(%s|amq\\.default)$' '^%s$'"
                        .formatted(node.vhost(), node.user(), own, own, own)));
    }

    private void topology(Facts facts) {
        List<Finding> findings = facts.topology();
        for (Finding finding : findings) {
            String what = finding.kind().word() + " " + finding.name() + ": " + finding.detail();
            if (finding.state() == State.DIFFERS) {
                checks.add(Check.fail(
                        "topology",
                        what,
                        "A bridge changes nothing that exists, and does not go on with something else.",
                        "Configure what exists, or delete it once its messages are moved away, or choose another"
                                + " pushbridge.amqp.prefix."));
            } else if (finding.state() == State.REFUSED && facts.missing().isEmpty()) {
                checks.add(Check.fail(
                        "topology", what, "A bridge could not use it either.", "See what RabbitMQ says, and its log."));
            }
        }
        String missing = findings.stream()
                .filter(finding -> finding.state() == State.MISSING)
                .map(finding -> finding.kind().word() + " " + finding.name())
                .collect(Collectors.joining(", "));
        long there = findings.stream()
                .filter(finding -> finding.state() == State.EXISTS)
                .count();
        if (missing.isEmpty()) {
            checks.add(Check.ok(
                    "topology", there + " exchanges and queues are as wanted; bindings cannot be looked at over AMQP"));
        } else if (running) {
            checks.add(Check.warn(
                    "topology",
                    "missing: " + missing,
                    "A bridge runs, and somebody has deleted them since it started.",
                    "'pushbridge topology' declares them, and so does the bridge when it connects again."));
        } else {
            checks.add(Check.ok(
                    "topology",
                    there + " exchanges and queues are as wanted; a bridge would declare when it starts: " + missing));
        }
    }

    private void deadLetters(long dead) {
        if (dead > 0) {
            checks.add(Check.warn(
                    "dead letters",
                    dead + " wait in " + amqp.prefix() + ".dead",
                    "Each is a message that nobody got.",
                    "'pushbridge dead-letters count' says what is wrong with them."));
        } else if (dead == 0) {
            checks.add(Check.ok("dead letters", "none wait in " + amqp.prefix() + ".dead"));
        }
    }

    private void streams(@Nullable String problem) {
        checks.add(
                problem == null
                        ? Check.ok("streams", "RabbitMQ has them, for the held log")
                        : Check.fail(
                                "streams",
                                problem,
                                "The held log is a stream; without it a bridge takes no instructions.",
                                "'rabbitmqctl enable_feature_flag stream_queue' enables them ('rabbitmqctl list_feature_flags'"
                                        + " shows how it is)."));
    }

    private void sizes(Facts facts) {
        if (facts.blocked() != null) {
            checks.add(Check.fail(
                    "publishing",
                    "RabbitMQ takes no messages now: " + facts.blocked(),
                    "Dead letters and what is to be held wait, and so do their originals.",
                    "Free memory or disk there; 'rabbitmq-diagnostics alarms' says which alarm it is."));
        }
        String name = "message size";
        BrokerProbe.Size size = facts.size();
        if (size == null) {
            checks.add(Check.unknown(name, "not tried, since nothing could be published", ""));
        } else if (size.refusal() != null) {
            checks.add(Check.fail(
                    name,
                    "RabbitMQ refuses a message of " + Units.show(size.tried()) + ": " + size.refusal(),
                    "A dead letter or a held message may be as large as pushbridge.message.max-bytes.",
                    "Raise max_message_size in rabbitmq.conf, or lower pushbridge.message.max-bytes."));
        } else {
            checks.add(Check.ok(
                    name,
                    "RabbitMQ takes messages of " + Units.show(size.tried())
                            + (size.tried() < largest
                                    ? " (larger ones up to pushbridge.message.max-bytes were not tried)"
                                    : " (pushbridge.message.max-bytes)")));
        }
        if (amqp.maxInboundBytes() < LARGEST_POSSIBLE) {
            checks.add(Check.unknown(
                    "inbound size",
                    "bodies up to " + Units.show(amqp.maxInboundBytes())
                            + " are taken from RabbitMQ, and its own maximum cannot be asked for over AMQP",
                    "Keep max_message_size in rabbitmq.conf at or below pushbridge.amqp.max-inbound-bytes: a larger message ends"
                            + " the connection each time it is delivered."));
        } else {
            checks.add(
                    Check.ok("inbound size", "bodies of any size that RabbitMQ can be set to take are taken from it"));
        }
    }

    /** Said, so that nobody takes silence for a yes. */
    private void notOverAmqp(Node node) {
        checks.add(Check.unknown(
                "policies",
                "a policy with a small delivery-limit cannot be seen over AMQP",
                "'rabbitmqctl list_policies -p %s' must show no delivery-limit for %s.*: each look at dead letters counts as a"
                                .formatted(node.vhost(), amqp.prefix())
                        + " delivery, so a small limit would throw them away. --management looks."));
        checks.add(Check.unknown(
                "clock",
                "RabbitMQ does not tell its time over AMQP",
                "Keep the clocks of all machines in step (NTP): expiration counts from what publishers stamp. --management"
                        + " looks."));
    }
}
