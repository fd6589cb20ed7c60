package pushbridge.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this build. */
public final class Version {
    private Version() {}

    /** Such as {@code pushbridge 1.2.3 (Java 17.0.15)}. */
    public static String text() {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("/pushbridge/version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("version.properties cannot be read", e);
        }
        return "pushbridge " + properties.getProperty("version", "unknown") + " (Java "
                + System.getProperty("java.version") + ")";
    }
}
