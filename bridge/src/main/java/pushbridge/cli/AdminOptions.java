package pushbridge.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.TlsConfig;

/** The options of every command that asks the running bridge. */
final class AdminOptions {

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Option(
            names = "--client-certificate",
            paramLabel = "FILE",
            description = "Certificate in PEM to show to a bridge with admin.tls.client-ca-file.")
    @Nullable
    Path certificate;

    @Option(names = "--client-key", paramLabel = "FILE", description = "Private key of that certificate, PKCS8 in PEM.")
    @Nullable
    Path key;

    /**
     * The bridge that was started with this configuration.
     *
     * @throws ConfigException with all problems
     */
    AdminClient client(ConfigLoader loader, Map<String, String> environment) throws ConfigException {
        if ((certificate == null) != (key == null)) {
            throw new ConfigException(
                    List.of("--client-certificate and --client-key are of no use without each other"));
        }
        return new AdminClient(
                loader.loadAdmin(config.sources(environment)),
                certificate == null ? null : new TlsConfig(certificate, key, null, null));
    }
}
