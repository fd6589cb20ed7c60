package pushbridge.envelope;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/** The files under {@code schemas/examples}. */
final class Examples {

    static final Path SCHEMAS = Path.of(System.getProperty("pushbridge.root")).resolve("schemas");

    private Examples() {}

    /** The files right in a folder, named as facts; an empty folder would prove nothing, so it fails the test. */
    static List<Named<Path>> in(String folder) {
        Path path = SCHEMAS.resolve("examples").resolve(folder);
        List<Named<Path>> examples = list(path).stream()
                .filter(file -> file.toString().endsWith(".json"))
                .map(file -> Named.of(folder + "/" + file.getFileName(), file))
                .toList();
        if (examples.isEmpty()) {
            throw new AssertionError("no example in " + path);
        }
        return examples;
    }

    /** The folders right in a folder. */
    static List<String> foldersIn(String folder) {
        return list(SCHEMAS.resolve("examples").resolve(folder)).stream()
                .filter(Files::isDirectory)
                .map(path -> path.getFileName().toString())
                .toList();
    }

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
