package pushbridge.envelope;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A payload schema cannot be used. The message is one sentence for the operator that names the file. */
public final class SchemaFileException extends Exception {

    private static final long serialVersionUID = 1;

    SchemaFileException(Path file, String problem, @Nullable Throwable cause) {
        super("the payload schema " + file + " cannot be used: " + problem, cause);
    }
}
