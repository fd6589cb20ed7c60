package pushbridge.envelope;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Payload schemas cannot be used. The message is a sentence for the operator about each that names the file. */
public final class SchemaFileException extends Exception {

    private static final long serialVersionUID = 1;

    private final List<String> problems;

    SchemaFileException(Path file, String problem, @Nullable Throwable cause) {
        this(List.of("the payload schema " + file + " cannot be used: " + problem), cause);
    }

    private SchemaFileException(List<String> problems, @Nullable Throwable cause) {
        super(String.join("; ", problems), cause);
        this.problems = List.copyOf(problems);
    }

    /** Several in one; there is at least one. */
    static SchemaFileException of(List<SchemaFileException> files) {
        return new SchemaFileException(
                files.stream().flatMap(file -> file.problems.stream()).toList(), files.get(0));
    }

    /** One sentence for each file, without a full stop. */
    public List<String> problems() {
        return problems;
    }
}
