package pushbridge.auth;

import com.nimbusds.jose.JWSHeader;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.PublicKeys;
import pushbridge.config.Rereading;
import pushbridge.config.TokenKeys;

/** Public keys from a PEM file, and other ones as soon as it holds them. */
final class PemKeys implements KeySource {

    private static final Logger log = LoggerFactory.getLogger(PemKeys.class);

    /** @param problem why the file cannot be used any more; null when it can */
    private record Held(
            PublicKeys from,
            List<Key> keys,
            long since,
            long refreshes,
            long failures,
            @Nullable String problem) {}

    private final LongSupplier nanoTime;
    private final Rereading rereading = new Rereading("pushbridge-keys-reload", this::reread);
    private volatile Held held;

    PemKeys(PublicKeys file, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        held = new Held(file, keys(file), nanoTime.getAsLong(), 1, 0, null);
    }

    private static List<Key> keys(PublicKeys file) {
        return file.keys().stream().map(Key::of).toList();
    }

    @Override
    public Found find(JWSHeader header) {
        return KeySource.fitting(held.keys, header);
    }

    /** Takes what the file holds now; while that cannot be used, the keys before stay. */
    synchronized void reread() {
        Held before = held;
        try {
            PublicKeys now = before.from.again();
            if (before.problem != null || !now.keys().equals(before.from.keys())) {
                held = new Held(now, keys(now), nanoTime.getAsLong(), before.refreshes + 1, before.failures, null);
                log.info(
                        "Tokens are checked with the {} keys that {} holds now",
                        now.keys().size(),
                        now.file());
            } else {
                held = new Held(now, before.keys, nanoTime.getAsLong(), before.refreshes, before.failures, null);
            }
        } catch (IllegalArgumentException e) {
            String problem = "The keys read before from auth.public-key stay in use: " + e.getMessage() + ".";
            if (!problem.equals(before.problem)) {
                log.warn("{}", problem);
            }
            held = new Held(before.from, before.keys, before.since, before.refreshes, before.failures + 1, problem);
        }
    }

    @Override
    public void take(TokenKeys config) {
        reread();
    }

    @Override
    public void start() {
        rereading.start();
    }

    @Override
    public void stop() {
        rereading.stop();
    }

    @Override
    public State state() {
        Held now = held;
        double age = (double) (nanoTime.getAsLong() - now.since) / TimeUnit.SECONDS.toNanos(1);
        return new State(now.refreshes, now.failures, age, now.problem, true);
    }
}
