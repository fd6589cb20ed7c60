package pushbridge.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.config.TlsConfig;
import pushbridge.tls.KeyFiles.Identity;

/**
 * Shows one certificate, and another one as soon as its files hold one. Connections that are open keep theirs. Any
 * thread; {@link #reload} by one at a time.
 */
final class ReloadingKeyManager extends X509ExtendedKeyManager {

    private static final Logger log = LoggerFactory.getLogger(ReloadingKeyManager.class);

    /**
     * What is shown now, and what was before: a handshake asks for certificate and key one after the other, and must get
     * those of the same.
     */
    private record Shown(int number, Identity now, @Nullable Identity before) {
        @Nullable
        Identity of(String alias) {
            return alias.equals(String.valueOf(number))
                    ? now
                    : alias.equals(String.valueOf(number - 1)) ? before : null;
        }
    }

    private final TlsConfig config;
    private volatile Shown shown;
    /** What was read last, good or bad. Only in {@link #reload}. */
    private byte[] read;

    ReloadingKeyManager(TlsConfig config) throws TlsException {
        this.config = config;
        this.read = KeyFiles.bytes(config);
        this.shown = new Shown(1, KeyFiles.identity(config), null);
    }

    /** Looks whether the files have changed; what cannot be used is said once, and the certificate before stays. */
    void reload() {
        try {
            byte[] now = KeyFiles.bytes(config);
            if (Arrays.equals(now, read)) {
                return;
            }
            read = now;
            Identity identity = KeyFiles.identity(config);
            Shown old = shown;
            shown = new Shown(old.number() + 1, identity, old.now());
            describe("New certificate");
        } catch (TlsException e) {
            log.warn("The certificate in use stays, until {} can be used: {}", config, e.getMessage());
        }
    }

    /** Logs which certificate is in use. */
    void describe(String what) {
        X509Certificate own = shown.now().chain().get(0);
        log.info(
                "{} of {}: {}, valid until {}",
                what,
                config,
                own.getSubjectX500Principal().getName(),
                own.getNotAfter().toInstant());
        String problem = problem();
        if (problem != null) {
            log.warn("{}", problem);
        }
    }

    /** Why the other side will refuse the certificate in use; null when its time is now. */
    @Nullable
    String problem() {
        X509Certificate own = shown.now().chain().get(0);
        Instant now = Instant.now();
        if (own.getNotAfter().toInstant().isBefore(now)) {
            return "The certificate of " + config + " has expired on "
                    + own.getNotAfter().toInstant() + "; it will be refused.";
        }
        return own.getNotBefore().toInstant().isAfter(now)
                ? "The certificate of " + config + " is good only from "
                        + own.getNotBefore().toInstant() + " on; until then it will be refused."
                : null;
    }

    private @Nullable String alias(String... keyTypes) {
        Shown current = shown;
        String algorithm = current.now().key().getAlgorithm();
        for (String type : keyTypes) {
            int suffix = type.indexOf('_'); // EC_RSA: an EC key, signed by an RSA authority
            if ((suffix < 0 ? type : type.substring(0, suffix)).equals(algorithm)) {
                return String.valueOf(current.number());
            }
        }
        return null;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        Identity identity = shown.of(alias);
        return identity == null ? null : identity.key();
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        Identity identity = shown.of(alias);
        return identity == null ? null : identity.chain().toArray(new X509Certificate[0]);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return alias(keyType);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return alias(keyTypes);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return alias(keyType);
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return alias(keyTypes);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        String alias = alias(keyType);
        return alias == null ? null : new String[] {alias};
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return getServerAliases(keyType, issuers);
    }
}
