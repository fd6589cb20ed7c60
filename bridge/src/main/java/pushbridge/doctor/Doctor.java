package pushbridge.doctor;

import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import pushbridge.config.BridgeConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.ConfigSources;
import pushbridge.config.DeadLetterSettings;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.HoldConfig;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.SchemaFileException;

/**
 * Looks at everything a bridge needs. Nothing is changed by it, neither on this machine nor on RabbitMQ, and it may look while a
 * bridge runs.
 */
public final class Doctor {

    /**
     * What is known of this machine.
     *
     * @param files how many files a process may open; empty when that is not known
     * @param heapBytes the heap of a Java started as this one was
     * @param now the time
     */
    public record Surroundings(OptionalLong files, long heapBytes, Instant now) {

        /** As it is. */
        public static Surroundings current() {
            return new Surroundings(
                    FileLimit.ofThisProcess(), Runtime.getRuntime().maxMemory(), Instant.now());
        }
    }

    /** How an examination came out as a whole. */
    public enum Outcome {
        /** Nothing failed. */
        WELL,
        /** The configuration is wrong. */
        CONFIGURATION,
        /** RabbitMQ cannot be reached. */
        BROKER,
        /** Something else failed. */
        OTHER
    }

    /**
     * What was found.
     *
     * @param checks in the order in which they were looked at
     */
    public record Report(List<Check> checks) {

        private static final String CONFIGURATION = "configuration";

        public Report {
            checks = List.copyOf(checks);
        }

        /** The worst; what is wrong further down often only follows from it. */
        public Outcome outcome() {
            if (fails(CONFIGURATION)) {
                return Outcome.CONFIGURATION;
            } else if (fails(BrokerChecks.NAME)) {
                return Outcome.BROKER;
            }
            return count(Check.Verdict.FAIL) > 0 ? Outcome.OTHER : Outcome.WELL;
        }

        private boolean fails(String name) {
            return checks.stream()
                    .anyMatch(check -> check.verdict() == Check.Verdict.FAIL
                            && check.name().equals(name));
        }

        /** How many came out so. */
        public long count(Check.Verdict verdict) {
            return checks.stream().filter(check -> check.verdict() == verdict).count();
        }
    }

    private final ConfigLoader loader;
    private final ConfigSources sources;
    private final RunningBridge bridge;
    private final @Nullable URI management;
    private final Surroundings surroundings;

    /**
     * @param bridge the one that may run with this configuration
     * @param management where RabbitMQ's management plugin answers, with user and password; null for not to be asked
     */
    public Doctor(
            ConfigLoader loader,
            ConfigSources sources,
            RunningBridge bridge,
            @Nullable URI management,
            Surroundings surroundings) {
        this.loader = loader;
        this.sources = sources;
        this.bridge = bridge;
        this.management = management;
        this.surroundings = surroundings;
    }

    /** Looks at everything; takes as long as what does not answer is given, some tens of seconds at worst. */
    public Report examine() throws InterruptedException {
        List<Check> checks = new ArrayList<>();
        BridgeConfig config = configuration(checks);
        checks.addAll(SecretChecks.places(ConfigLoader.secretPlaces(sources)));
        RunningBridge.Answer answer = new RunningBridge.Nobody();
        if (config != null) {
            checks.addAll(new SecretChecks(surroundings.now()).look(config));
            answer = bridge.ask();
            checks.addAll(new MachineChecks(config, answer).look(surroundings.files(), surroundings.heapBytes()));
        }
        broker(checks, answer instanceof RunningBridge.Runs);
        return new Report(checks);
    }

    private @Nullable BridgeConfig configuration(List<Check> checks) {
        String why = "'serve' does not start with it.";
        try {
            EffectiveConfig effective = loader.load(sources);
            int changes = effective.changes().size();
            checks.add(Check.ok(
                    Report.CONFIGURATION,
                    "valid; " + changes + (changes == 1 ? " key is" : " keys are") + " not at the default"));
            payloadSchemas(effective.values(), checks);
            return effective.values();
        } catch (ConfigException e) {
            for (String problem : e.problems()) {
                checks.add(Check.fail(Report.CONFIGURATION, problem, why, "Correct it where it was set."));
            }
            return null;
        }
    }

    private static void payloadSchemas(BridgeConfig config, List<Check> checks) {
        try {
            new EnvelopeReader(config.message());
        } catch (SchemaFileException e) {
            for (String problem : e.problems()) {
                checks.add(Check.fail(
                        Report.CONFIGURATION,
                        "pushbridge.message.types-dir: " + problem,
                        "'serve' does not start with it.",
                        "Correct the schema."));
            }
        }
    }

    /** Also when something that has nothing to do with RabbitMQ is missing in the configuration. */
    private void broker(List<Check> checks, boolean running) throws InterruptedException {
        DeadLetterSettings settings;
        HoldConfig hold;
        try {
            settings = loader.loadDeadLetters(sources);
            hold = loader.loadHold(sources);
        } catch (ConfigException e) {
            checks.add(Check.unknown(
                    BrokerChecks.NAME, "not looked at", "Correct the configuration, and run this again."));
            return;
        }
        BrokerChecks broker =
                new BrokerChecks(settings.amqp(), hold, settings.message().maxBytes(), running);
        checks.addAll(broker.look(management));
    }
}
