package pushbridge.config;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys that name a certificate and its private key, of which three places have a set each.
 *
 * @param certificate a PEM file, which needs {@code key}
 * @param key a PEM file
 * @param pkcs12 instead of the two
 * @param password of the PKCS12 file
 */
record TlsKeys(Key<Path> certificate, Key<Path> key, Key<Path> pkcs12, Key<String> password) {

    static final TlsKeys SOCKET = new TlsKeys(
            Keys.SOCKET_TLS_CERTIFICATE_FILE,
            Keys.SOCKET_TLS_KEY_FILE,
            Keys.SOCKET_TLS_PKCS12_FILE,
            Keys.SOCKET_TLS_PKCS12_PASSWORD);
    static final TlsKeys ADMIN = new TlsKeys(
            Keys.ADMIN_TLS_CERTIFICATE_FILE,
            Keys.ADMIN_TLS_KEY_FILE,
            Keys.ADMIN_TLS_PKCS12_FILE,
            Keys.ADMIN_TLS_PKCS12_PASSWORD);
    static final TlsKeys AMQP = new TlsKeys(
            Keys.AMQP_TLS_CERTIFICATE_FILE,
            Keys.AMQP_TLS_KEY_FILE,
            Keys.AMQP_TLS_PKCS12_FILE,
            Keys.AMQP_TLS_PKCS12_PASSWORD);
    static final List<TlsKeys> ALL = List.of(SOCKET, ADMIN, AMQP);

    /** Null when none of them is set. */
    @Nullable
    TlsConfig read(Values v) {
        return v.getOrNull(certificate) == null && v.getOrNull(pkcs12) == null
                ? null
                : new TlsConfig(v.getOrNull(certificate), v.getOrNull(key), v.getOrNull(pkcs12), v.getOrNull(password));
    }

    /** Whether the key names a file with a private key in it. */
    static boolean holdsAPrivateKey(Key<?> key) {
        return ALL.stream().anyMatch(keys -> key.equals(keys.key()) || key.equals(keys.pkcs12()));
    }

    boolean known(Values v) {
        return v.have(certificate, key, pkcs12, password);
    }

    /** Says what is missing, or too much. */
    void check(Values v, Problems problems) {
        if (!known(v)) {
            return;
        }
        needs(v, problems, certificate, key);
        needs(v, problems, key, certificate);
        needs(v, problems, pkcs12, password);
        needs(v, problems, password, pkcs12);
        if (v.getOrNull(certificate) != null && v.getOrNull(pkcs12) != null) {
            problems.add(
                    pkcs12.fullName(),
                    v.origin(pkcs12),
                    "it is set together with " + certificate.fullName() + "; set only one of the two");
        }
    }

    private static void needs(Values v, Problems problems, Key<?> set, Key<?> other) {
        if (v.getOrNull(set) != null && v.getOrNull(other) == null) {
            problems.add(set.fullName(), v.origin(set), "it is of no use without " + other.fullName());
        }
    }
}
