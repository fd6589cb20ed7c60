package pushbridge.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The table of what was measured, for people: a line is added after each scenario, so that a broken run leaves what it
 * had, and two processes may add to one.
 */
final class Results {

    /** Where logs of bridges, data of brokers and the table go. */
    static final Path FOLDER = Path.of("target", "faults");

    private Results() {}

    static synchronized void add(String fault, Verdict verdict) throws IOException {
        Files.createDirectories(FOLDER);
        Files.writeString(
                FOLDER.resolve("results.md"),
                "| %s | %,d | %,d | %,d | %,d | %d | %d |\n"
                        .formatted(
                                fault,
                                verdict.published(),
                                verdict.delivered(),
                                verdict.copied(),
                                verdict.duplicated(),
                                verdict.lost().size(),
                                verdict.reordered().size()),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
