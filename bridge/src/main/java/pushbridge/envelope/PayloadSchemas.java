package pushbridge.envelope;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The optional schemas of payloads, one file a type. A type without a file takes any object. Thread-safe. */
final class PayloadSchemas {

    private static final String SUFFIX = ".schema.json";

    private final Map<String, Schema> byType;

    private PayloadSchemas(Map<String, Schema> byType) {
        this.byType = byType;
    }

    /** Compiles every {@code <type>.schema.json} of a folder; other files are nobody's business. */
    static PayloadSchemas load(@Nullable Path folder) throws SchemaFileException {
        if (folder == null) {
            return new PayloadSchemas(Map.of());
        }
        Schemas schemas = new Schemas();
        Map<String, Schema> byType = new HashMap<>();
        List<SchemaFileException> unusable = new ArrayList<>();
        for (Path file : files(folder)) {
            String name = file.getFileName().toString();
            try {
                byType.put(name.substring(0, name.length() - SUFFIX.length()), schemas.compile(file));
            } catch (SchemaFileException e) {
                unusable.add(e); // whoever mends one wants to know of the others
            }
        }
        if (!unusable.isEmpty()) {
            throw SchemaFileException.of(unusable);
        }
        return new PayloadSchemas(byType);
    }

    private static List<Path> files(Path folder) throws SchemaFileException {
        List<Path> sorted = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
            files.forEach(sorted::add);
        } catch (IOException | DirectoryIteratorException e) {
            throw new SchemaFileException(folder, "the folder cannot be read (" + e + ")", e);
        }
        Collections.sort(sorted);
        return sorted;
    }

    /** Whether payloads of this type have a schema. */
    boolean has(String type) {
        return byType.containsKey(type);
    }

    /** What is wrong with a payload, with its JSON pointer inside the envelope; null when nothing is. */
    @Nullable
    String problem(String type, JsonNode payload) {
        Schema schema = byType.get(type);
        if (schema == null) {
            return null;
        }
        List<Error> errors;
        try {
            errors = schema.validate(payload);
        } catch (RuntimeException | StackOverflowError e) {
            // An operator's schema can ask for what the validator cannot do, such as a pattern that recurses too deep.
            // That must cost this message, with the reason in its dead letter, and not the thread that reads them all.
            return Details.at("/payload", "the schema of type " + type + " could not be applied (" + e + ")");
        }
        if (errors.isEmpty()) {
            return null;
        }
        Error first = errors.get(0);
        return Details.at("/payload" + Details.pointer(first), Details.problem(first) + more(errors));
    }

    /** So that nobody believes that one correction will do. */
    static String more(List<Error> errors) {
        return errors.size() == 1 ? "" : " (and " + (errors.size() - 1) + " more)";
    }
}
