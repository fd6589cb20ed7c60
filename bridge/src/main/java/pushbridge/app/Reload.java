package pushbridge.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.admin.AdminAnswer;
import pushbridge.admin.AdminException;
import pushbridge.admin.AdminServer;
import pushbridge.auth.KeySource;
import pushbridge.config.ConfigException;
import pushbridge.config.EffectiveConfig;
import pushbridge.config.ShownSetting;
import pushbridge.config.TokenConfig;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.SchemaFileException;
import pushbridge.log.LogOutput;
import pushbridge.tls.ServerTls;

/**
 * Reads the configuration again while the bridge runs, and takes what can be taken: all of that, or nothing when there is
 * anything wrong with it. Thread-safe.
 */
final class Reload {

    private static final Logger log = LoggerFactory.getLogger(Reload.class);

    /** What came of a reload. */
    private record Taken(List<String> taken, List<String> needRestart) {}

    private final @Nullable KeySource keys;
    private final List<ServerTls> certificates;
    private final Consumer<EnvelopeReader> envelopes;
    private final LongAdder taken = new LongAdder();
    private final LongAdder refused = new LongAdder();

    private volatile EffectiveConfig current;
    private volatile long takenAtMillis = System.currentTimeMillis();

    /**
     * Reads nothing yet.
     *
     * @param first what the bridge starts with
     * @param keys what tokens are checked with; null without tokens
     * @param certificates of the listeners
     * @param envelopes told what reads envelopes from then on
     */
    Reload(
            EffectiveConfig first,
            @Nullable KeySource keys,
            List<ServerTls> certificates,
            Consumer<EnvelopeReader> envelopes) {
        this.current = first;
        this.keys = keys;
        this.certificates = certificates;
        this.envelopes = envelopes;
    }

    void register(AdminServer admin) {
        admin.register("POST", "/api/reload", request -> {
            try {
                Taken done = now();
                return AdminAnswer.json(Map.of("taken", done.taken, "needRestart", done.needRestart))
                        .noting("the configuration was read again");
            } catch (ConfigException e) {
                throw new AdminException(
                        409, "invalid-config", "Nothing was changed: " + String.join("; ", e.problems()));
            }
        });
    }

    /** What is in effect. */
    List<ShownSetting> settings() {
        return current.settings();
    }

    /** How often the configuration was taken over. */
    long takenCount() {
        return taken.sum();
    }

    /** How often it was wrong. */
    long refusedCount() {
        return refused.sum();
    }

    /** When it was taken over, or the bridge was made, in seconds since 1970. */
    double takenAtSeconds() {
        return (double) takenAtMillis / TimeUnit.SECONDS.toMillis(1);
    }

    /** For a signal: what comes of it is in the log. */
    void onSignal() {
        try {
            now();
        } catch (ConfigException e) {
            log.debug("The problems have been told", e);
        }
    }

    private synchronized Taken now() throws ConfigException {
        EffectiveConfig before = current;
        EffectiveConfig next;
        EnvelopeReader reader;
        try {
            next = before.again().read();
            reader = new EnvelopeReader(next.values().message());
        } catch (ConfigException e) {
            throw refused(e);
        } catch (SchemaFileException e) {
            throw refused(new ConfigException(e.problems().stream()
                    .map(problem -> "pushbridge.message.types-dir: " + problem)
                    .toList()));
        }
        List<String> reloaded = new ArrayList<>();
        List<String> needRestart = new ArrayList<>();
        for (String key : before.differences(next)) {
            (EffectiveConfig.isReloadable(key) ? reloaded : needRestart).add(key);
        }
        envelopes.accept(reader); // also with the same folder: its schemas may be others
        TokenConfig tokens = next.values().auth().token();
        if (keys != null && tokens != null) {
            keys.take(tokens.keys());
        }
        certificates.forEach(ServerTls::reload);
        if (reloaded.contains("pushbridge.log.level")) { // else it stays as an operator has set it meanwhile
            LogOutput.set(Logger.ROOT_LOGGER_NAME, next.log().level());
        }
        current = before.taking(next);
        taken.increment();
        takenAtMillis = System.currentTimeMillis();
        log.info("The configuration was read again, with payload schemas and certificates; changed: {}", reloaded);
        if (!needRestart.isEmpty()) {
            log.warn("These have changed too, and need a restart: {}", needRestart);
        }
        return new Taken(reloaded, needRestart);
    }

    private ConfigException refused(ConfigException problems) {
        refused.increment();
        log.warn("The configuration is wrong and nothing of it was taken: {}", String.join("; ", problems.problems()));
        return problems;
    }
}
