package pushbridge.envelope;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** Compiles JSON Schemas of draft 2020-12. Nothing is ever fetched: a schema file stands alone. */
final class Schemas {

    private static final String DIALECT = "https://json-schema.org/draft/2020-12/schema";
    private static final String DIALECT_FAMILY = "https://json-schema.org/draft/2020-12/";

    private final Schema metaSchema = registry().getSchema(SchemaLocation.of(DIALECT));

    /** One of the schemas in this repository's folder {@code schemas/}, which the build puts on the class path. */
    static Schema bundled(String fileName) {
        try (InputStream in = Schemas.class.getResourceAsStream("/pushbridge/schemas/" + fileName)) {
            if (in == null) {
                throw new IllegalStateException("the schema " + fileName + " is missing from this build");
            }
            Schema schema = registry().getSchema(new JsonMapper().readTree(in));
            schema.initializeValidators();
            return schema;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SHA-256 of such a file, in hexadecimal digits. */
    static String digest(String fileName) {
        try (InputStream in = Schemas.class.getResourceAsStream("/pushbridge/schemas/" + fileName)) {
            if (in == null) {
                throw new IllegalStateException("the schema " + fileName + " is missing from this build");
            }
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(in.readAllBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** A schema that the operator wrote: anything wrong with it is found here and not by the first message. */
    Schema compile(Path file) throws SchemaFileException {
        try {
            JsonNode source = new JsonMapper().readTree(Files.readAllBytes(file));
            JsonNode dialect = source.path("$schema");
            if (!dialect.isMissingNode() && !DIALECT.equals(dialect.asString(""))) {
                throw new SchemaFileException(file, "$schema must be " + DIALECT + " (or be left out)", null);
            }
            List<Error> errors = metaSchema.validate(source);
            if (!errors.isEmpty()) {
                Error first = errors.get(0);
                throw new SchemaFileException(file, Details.at(Details.pointer(first), Details.problem(first)), null);
            }
            // A registry of its own for each file, so that two files with one $id do not meet.
            Schema schema = registry().getSchema(SchemaLocation.of("urn:pushbridge:type"), source);
            schema.initializeValidators();
            // Finds a $ref that leads round in a circle.
            List<Error> unused = schema.validate(JsonNodeFactory.instance.objectNode());
            return schema;
        } catch (IOException e) {
            throw new SchemaFileException(file, "it cannot be read (" + e + ")", e);
        } catch (JacksonException e) {
            throw new SchemaFileException(file, "it is not JSON: " + Details.oneSentence(e.getOriginalMessage()), e);
        } catch (SchemaException e) {
            throw new SchemaFileException(file, Details.oneSentence(String.valueOf(e.getMessage())), e);
        } catch (StackOverflowError e) {
            throw new SchemaFileException(file, "a $ref in it leads back to itself", e);
        }
    }

    private static SchemaRegistry registry() {
        return SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemaLoader(
                                loader -> loader.allow(iri -> iri.toString().startsWith(DIALECT_FAMILY)))
                        // Sentences must not depend on the language of the machine.
                        .schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .locale(Locale.ROOT)
                                .build()));
    }
}
