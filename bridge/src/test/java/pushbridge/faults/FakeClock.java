package pushbridge.faults;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * The wall clock of a process, to be set while it runs: libfaketime between it and the kernel. The monotonic clock stays
 * the real one, as when an operator or a time server sets a machine's clock.
 */
final class FakeClock {

    /** Says that its absence is a failure. */
    private static final String REQUIRED_VARIABLE = "PUSHBRIDGE_TEST_FAKETIME_REQUIRED";

    /** Where Debian's package has it, by architecture. */
    private static final Path PLACES = Path.of("/usr/lib");

    private static final String LIBRARY = "faketime/libfaketimeMT.so.1"; // the one for programs with threads

    private final Path library;
    private final Path offset;

    private FakeClock(Path library, Path offset) {
        this.library = library;
        this.offset = offset;
    }

    /** One that is right for the moment. Skips the test where libfaketime is not installed, unless it is required. */
    static FakeClock create() throws IOException {
        Path library = installed();
        if (library == null) {
            String missing = "no %s in a folder of %s: install Debian's package faketime".formatted(LIBRARY, PLACES);
            if ("true".equals(System.getenv(REQUIRED_VARIABLE))) {
                throw new IllegalStateException(missing);
            }
            return Assumptions.abort(missing);
        }
        Files.createDirectories(Results.FOLDER);
        FakeClock clock = new FakeClock(
                library, Files.createTempFile(Results.FOLDER, "clock", "").toAbsolutePath());
        clock.set(Duration.ZERO);
        return clock;
    }

    private static @Nullable Path installed() throws IOException {
        if (!Files.isDirectory(PLACES)) {
            return null;
        }
        try (DirectoryStream<Path> architectures = Files.newDirectoryStream(PLACES, "*-linux-gnu*")) {
            for (Path architecture : architectures) {
                Path library = architecture.resolve(LIBRARY);
                if (Files.isReadable(library)) {
                    return library;
                }
            }
        }
        return null;
    }

    /** What a process needs in its environment to live by this clock. */
    Map<String, String> environment() {
        return Map.of(
                "LD_PRELOAD", library.toString(),
                "FAKETIME_TIMESTAMP_FILE", offset.toString(),
                "FAKETIME_DONT_FAKE_MONOTONIC", "1",
                "DONT_FAKE_MONOTONIC", "1", // its name until 0.9.9
                // Seconds until a change is noticed; without it the file would be read at every look at the clock.
                "FAKETIME_CACHE_DURATION", "1");
    }

    /** Sets it to the real time and so much; may be negative. */
    void set(Duration ahead) throws IOException {
        Path next = offset.resolveSibling(offset.getFileName() + ".next");
        Files.writeString(next, "%+d\n".formatted(ahead.toSeconds()));
        Files.move(next, offset, StandardCopyOption.ATOMIC_MOVE);
    }
}
