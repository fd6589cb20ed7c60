package pushbridge.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The table of what was measured, for people: rewritten with each line, so that a broken run leaves what it had. */
final class Results {

    /** Where logs of bridges, data of brokers and the table go. */
    static final Path FOLDER = Path.of("target", "faults");

    private static final List<String> LINES = new ArrayList<>();

    private Results() {}

    static synchronized void add(String fault, Verdict verdict) throws IOException {
        LINES.add("| %s | %,d | %,d | %,d | %,d | %d | %d |"
                .formatted(
                        fault,
                        verdict.published(),
                        verdict.delivered(),
                        verdict.copied(),
                        verdict.duplicated(),
                        verdict.lost().size(),
                        verdict.reordered().size()));
        Files.createDirectories(FOLDER);
        Files.writeString(FOLDER.resolve("results.md"), table());
    }

    static synchronized String table() {
        return """
                | fault | published | delivered | dead or expired | duplicated | lost | reordered |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: |
                """ + String.join("\n", LINES) + "\n";
    }
}
