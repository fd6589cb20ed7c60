package pushbridge.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A certificate and its key: either two PEM files, or one PKCS12 file with its password.
 *
 * @param certificateFile the certificate and the intermediate ones behind it, in PEM; with {@code keyFile}
 * @param keyFile the private key, PKCS8 in PEM, not encrypted
 * @param pkcs12File both in one
 * @param pkcs12Password of the PKCS12 file; a secret
 */
public record TlsConfig(
        @Nullable Path certificateFile,
        @Nullable Path keyFile,
        @Nullable Path pkcs12File,
        @Nullable String pkcs12Password) {

    /** Without the password. */
    @Override
    public String toString() {
        return pkcs12File == null ? certificateFile + " and " + keyFile : String.valueOf(pkcs12File);
    }
}
