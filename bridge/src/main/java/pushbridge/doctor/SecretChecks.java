package pushbridge.doctor;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import pushbridge.auth.JwksLook;
import pushbridge.config.AmqpConfig;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.JwksConfig;
import pushbridge.config.SecretPlaces;
import pushbridge.config.TlsConfig;
import pushbridge.config.TokenConfig;
import pushbridge.tls.ClientTls;
import pushbridge.tls.Expiry;
import pushbridge.tls.TlsException;

/** Certificates, the keys that tokens are checked with, and whether secrets stay secret. */
final class SecretChecks {

    /** Time to renew a certificate without haste. */
    private static final Duration SOON = Duration.ofDays(21);

    private static final int AMQPS = 5671;

    private final Instant now;
    private final List<Check> checks = new ArrayList<>();

    SecretChecks(Instant now) {
        this.now = now;
    }

    List<Check> look(BridgeConfig config) throws InterruptedException {
        certificate("pushbridge.socket.tls", config.socket().tls(), "Browsers");
        certificate("pushbridge.admin.tls", config.admin().tls(), "Operators and probes");
        certificate("pushbridge.amqp.tls", config.amqp().tls().identity(), "RabbitMQ");
        authorities("pushbridge.amqp.tls.ca-file", config.amqp().tls().caFile());
        authorities("pushbridge.admin.tls.client-ca-file", config.admin().clientCaFile());
        for (URI uri : config.amqp().uris()) {
            if ("amqps".equals(uri.getScheme())) {
                broker(config.amqp(), uri);
            }
        }
        boolean amqps = config.amqp().uris().stream().anyMatch(uri -> "amqps".equals(uri.getScheme()));
        if (amqps && !config.amqp().tls().verify()) {
            checks.add(Check.warn(
                    "certificate",
                    "pushbridge.amqp.tls.verify=false: any RabbitMQ is believed to be the right one",
                    "Who stands between gets the password and all messages.",
                    "Set pushbridge.amqp.tls.ca-file, and take it away."));
        }
        if (config.auth().mode() == AuthConfig.Mode.DEV) {
            checks.add(Check.warn(
                    "tokens",
                    "pushbridge.auth.mode=dev: anybody can connect as any user",
                    "It is for trying out.",
                    "Set pushbridge.auth.mode=token and what tokens are checked with."));
        } else {
            keys(config.auth().token());
        }
        return checks;
    }

    private void certificate(String name, @Nullable TlsConfig tls, String who) {
        if (tls == null) {
            return;
        }
        try {
            expires(name, tls.toString(), Expiry.of(tls), who + " will refuse it.");
        } catch (TlsException e) {
            unusable(name, e);
        }
    }

    private void authorities(String name, @Nullable Path file) {
        if (file == null) {
            return;
        }
        try {
            expires(name, file.toString(), Expiry.of(file), "Nobody whose certificate it has signed will be believed.");
        } catch (TlsException e) {
            unusable(name, e);
        }
    }

    private void broker(AmqpConfig amqp, URI uri) {
        String place = uri.getHost() + ":" + (uri.getPort() < 0 ? AMQPS : uri.getPort());
        try {
            Instant until = Expiry.ofServer(
                    amqp.tls(), uri.getHost(), uri.getPort() < 0 ? AMQPS : uri.getPort(), amqp.connectTimeout());
            expires("RabbitMQ's", place, until, "The bridge will refuse it.", "Renew it there.");
        } catch (IOException | TlsException e) {
            // Connecting to RabbitMQ says why, in words of its own.
            checks.add(Check.unknown("certificate", "RabbitMQ's (%s) cannot be seen".formatted(place), ""));
        }
    }

    private void unusable(String name, TlsException e) {
        checks.add(Check.fail(
                "certificate",
                name + ": " + withoutStop(String.valueOf(e.getMessage())),
                "'serve' does not start with it.",
                "Correct the files, or the keys that name them."));
    }

    private void expires(String name, String files, Instant until, String then) {
        expires(
                name,
                files,
                until,
                then,
                "Put a new one into the same files; a running bridge takes it within ten seconds.");
    }

    private void expires(String name, String files, Instant until, String then, String todo) {
        String what = "%s (%s) is good until %s".formatted(name, files, until);
        if (until.isBefore(now)) {
            checks.add(
                    Check.fail("certificate", "%s (%s) has expired on %s".formatted(name, files, until), then, todo));
        } else if (until.isBefore(now.plus(SOON))) {
            checks.add(Check.warn(
                    "certificate", what + ", " + Duration.between(now, until).toDays() + " days from now", then, todo));
        } else {
            checks.add(Check.ok("certificate", what));
        }
    }

    /** What tokens are checked with; keys from an address are loaded once. */
    private void keys(@Nullable TokenConfig tokens) throws InterruptedException {
        JwksConfig jwks = tokens == null ? null : tokens.keys().jwks();
        if (jwks == null || tokens == null) {
            checks.add(Check.ok("tokens", "what they are checked with is in the configuration"));
            return;
        }
        String problem;
        try {
            problem = JwksLook.problem(jwks, ClientTls.trusting(jwks.caFile()));
        } catch (TlsException e) {
            unusable("pushbridge.auth.jwks-ca-file", e);
            return;
        }
        checks.add(
                problem == null
                        ? Check.ok("tokens", jwks.url() + " answers with keys that can be used")
                        : Check.fail(
                                "tokens",
                                "the keys at " + jwks.url() + " cannot be loaded: " + problem,
                                "Without keys every handshake with a token is answered 503.",
                                "Correct pushbridge.auth.jwks-url or pushbridge.auth.jwks-ca-file, or see to what answers there."));
    }

    private static String withoutStop(String sentence) {
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    /** Whether others on this machine can read secrets. */
    static List<Check> places(SecretPlaces places) {
        List<Check> checks = new ArrayList<>();
        for (Path file : places.files()) {
            try {
                Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
                if (permissions.contains(PosixFilePermission.OTHERS_READ)) {
                    checks.add(Check.warn(
                            "secrets",
                            "%s has a secret in it and everybody may read it (%s)"
                                    .formatted(file, PosixFilePermissions.toString(permissions)),
                            "Every user of this machine can read it.",
                            "chmod o= %s, and see to it that it belongs to the bridge's user.".formatted(file)));
                }
            } catch (UnsupportedOperationException e) {
                checks.add(Check.unknown("secrets", "who may read " + file + " cannot be told on this system", ""));
            } catch (IOException e) {
                // reading the configuration says that it is not there
            }
        }
        for (String key : places.onCommandLine()) {
            checks.add(Check.warn(
                    "secrets",
                    key + " is on the command line",
                    "Every user of this machine sees it in the list of processes.",
                    "Put it into a file that %s-file names, or into the environment.".formatted(key)));
        }
        if (checks.isEmpty()) {
            checks.add(Check.ok(
                    "secrets",
                    places.files().isEmpty()
                            ? "none stands in a file or on the command line"
                            : "in files that not everybody may read: " + places.files()));
        }
        return checks;
    }
}
